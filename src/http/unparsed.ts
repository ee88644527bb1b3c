import type { Duplex } from 'node:stream';
import type { Metrics } from './counters.ts';

const ANSWERS: Readonly<Record<string, readonly [status: string, body: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not arrive in time\n'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the request headers are too long\n'],
};
const MALFORMED = ['400 Bad Request', 'that is no HTTP request\n'] as const;

/**
 * Answers bytes that are no HTTP request (threats: two lengths, a length and chunks, folded headers, bare line feeds) and
 * ends the connection, since nobody can say where a next request would begin. Counted, and not logged: there is no request to
 * log, and whoever sends garbage should not fill a disk.
 */
export function answerUnparsed(
  error: Error & { code?: string | undefined },
  socket: Duplex,
  metrics: Metrics,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, body] = ANSWERS[error.code ?? ''] ?? MALFORMED;
  metrics.requests.inc({ kind: 'unparsed', status: status.slice(0, 3), from: 'none' });
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(
    [
      `HTTP/1.1 ${status}`,
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${body.length}`,
      'Cache-Control: no-store',
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
    () => socket.destroy(),
  );
}
