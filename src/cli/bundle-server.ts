import { OwnServer } from '../airgap/own-server.ts';
import type { Config } from '../config/load.ts';
import { isDataDirectoryLocked } from '../store/process-lock.ts';
import type { RunningServer } from './server.ts';

/** A server for this data directory: the one that runs, or one of this command's own, for its duration. */
export interface ServerAtHand extends AsyncDisposable {
  readonly url: string;
  readonly server: OwnServer;
}

export async function serverAtHand(config: Config): Promise<ServerAtHand> {
  if (isDataDirectoryLocked(config.data)) {
    const url = listeningUrl(config);
    const server = new OwnServer(url);
    return { url, server, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  }
  const own = await ownServer(config);
  const { url } = own.running.settings;
  const server = new OwnServer(url);
  return {
    url,
    server,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await own[Symbol.asyncDispose]();
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
      logRequests: false,
      logLevel: 'silent',
      cache: { ...config.cache, memory: 0 },
    },
    { onFatal: (error) => (failed = error) },
  );
  return {
    running,
    [Symbol.asyncDispose]: async () => {
      await running.close();
      if (failed !== undefined) throw failed;
    },
  };
}

/** Where the server with this configuration listens, as seen from this machine. */
export function listeningUrl({ listen, tls }: Config): string {
  const any = listen.host === '0.0.0.0' || listen.host === '::';
  const host = any ? '127.0.0.1' : listen.host;
  return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${listen.port}`;
}
