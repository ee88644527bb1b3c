import { once } from 'node:events';
import http from 'node:http';
import type { Registry } from 'prom-client';

/** A listener that serves `/metrics` and nothing else, for networks that clients do not reach. */
export async function serveMetrics(
  registry: Registry,
  listen: { readonly host: string; readonly port: number },
): Promise<AsyncDisposable> {
  const server = http.createServer((request, response) => {
    if (request.url !== '/metrics') {
      response
        .writeHead(404, ['Content-Type', 'text/plain; charset=utf-8'])
        .end('only /metrics is served here\n');
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, ['Content-Type', registry.contentType]).end(text),
      () => response.writeHead(500).end(),
    );
  });
  server.listen(listen.port, listen.host);
  await once(server, 'listening');
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
