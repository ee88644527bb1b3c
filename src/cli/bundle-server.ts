import { OwnServer } from '../airgap/own-server.ts';
import type { Config } from '../config/load.ts';
import { isDataDirectoryLocked } from '../store/process-lock.ts';

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
  const server = new OwnServer(running.settings.url);
  return {
    url: running.settings.url,
    server,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
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
