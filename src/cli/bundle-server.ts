import { existsSync } from 'node:fs';
import path from 'node:path';
import { OwnServer } from '../airgap/own-server.ts';
import type { Config } from '../config/load.ts';
import { isDataDirectoryLocked } from '../store/process-lock.ts';
import { LOG_DATABASE, UPSTREAM_DATABASE } from './data-files.ts';
import { ownCredentials } from './own-credentials.ts';
import type { RunningServer } from './server.ts';
import { listeningUrl } from './server-listen.ts';

export interface ServerAtHand extends AsyncDisposable {
  readonly server: OwnServer;
}

/**
 * A server for this data directory: the one that runs, or one of this command's own, for its duration. It is started when it
 * is first asked something, or here where the data directory is not whole yet.
 */
export async function serverAtHand(config: Config): Promise<ServerAtHand> {
  let own: ReturnType<typeof ownServer> | undefined;
  let url: Promise<string> | undefined;
  let credentials: ReturnType<typeof ownCredentials> | undefined;
  const find = async () => {
    if (isDataDirectoryLocked(config.data)) {
      credentials = ownCredentials(config);
      return listeningUrl(config);
    }
    credentials = ownCredentials(config);
    own = ownServer(config);
    return (await own).running.settings.url.replace(/\/$/, '');
  };
  const server = new OwnServer(
    () => (url ??= find()),
    () => credentials?.headers ?? {},
  );
  const whole = [LOG_DATABASE, UPSTREAM_DATABASE].map((name) => path.join(config.data, name));
  if (![...whole, config.sumdb.key].every(existsSync)) await (url ??= find());
  return {
    server,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      credentials?.[Symbol.dispose]();
      await (await own?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}

/** A server of this command's own, which holds the data directory as long as it runs. Logs nothing and keeps no answers. */
export async function ownServer(
  config: Config,
): Promise<AsyncDisposable & { readonly running: RunningServer }> {
  const { startServer } = await import('./server.ts');
  let failed: Error | undefined;
  const running = await startServer(
    {
      ...config,
      listen: { host: '127.0.0.1', port: 0 },
      url: undefined,
      tls: undefined,
      metricsListen: undefined,
      accelRedirect: undefined,
      drainDelay: 0,
      monitor: { every: undefined, webhook: undefined },
      logRequests: false,
      logLevel: 'silent',
      cache: { ...config.cache, memory: 0 },
    },
    // Whoever is on this machine may find it.
    { onFatal: (error) => (failed = error), takesVersions: false },
  );
  return {
    running,
    [Symbol.asyncDispose]: async () => {
      await running.close();
      if (failed !== undefined) throw failed;
    },
  };
}
