import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';

/** Listens, or says in a sentence why not. */
export async function listenOn(app: FastifyInstance, { host, port }: Config['listen']): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const why: Record<string, string> = {
      EADDRINUSE: 'is taken by another program',
      EADDRNOTAVAIL: 'is no address of this host',
      EACCES: 'needs more rights than this process has',
      ENOTFOUND: 'is no known host',
    };
    const said = typeof code === 'string' ? why[code] : undefined;
    if (said === undefined) throw error;
    throw new GokeepError(
      'bad_config',
      `listen: ${host}:${port} ${said}; choose another (listen or GOKEEP_LISTEN)`,
      {
        cause: error,
      },
    );
  }
}

/** Where clients on this machine reach a server that listens, whichever port it was given. */
export function listeningOn(app: FastifyInstance, { listen: { host }, tls }: Config): string {
  const { port } = app.server.address() as AddressInfo;
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `${tls === undefined ? 'http' : 'https'}://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}
