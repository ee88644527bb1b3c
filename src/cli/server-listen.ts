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

/**
 * Where a server with this configuration listens, as seen from this machine.
 *
 * @param port the one it was given, where any would do
 */
export function listeningUrl({ listen, tls }: Config, port = listen.port): string {
  const any = listen.host === '0.0.0.0' || listen.host === '::';
  const host = any ? '127.0.0.1' : listen.host;
  return `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
