import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type Http2ServerRequest } from 'node:http2';

/** How long what a client still sends is taken and thrown away, in milliseconds. Until then it has long read its answer. */
export const LINGER_MS = 60_000;

/**
 * Ends an answer while the request's body is still coming. A connection that is closed on bytes nobody has read is reset,
 * and with that the answer is lost, though it was sent: so our side is ended first, and the rest of the body is let run
 * into nothing until the client closes, or for `lingerMs`. Nobody may use the connection again.
 */
export function endBeforeBody(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer | undefined,
  lingerMs: number,
): void {
  if (request.httpVersionMajor !== 1) {
    endStream(request as unknown as Http2ServerRequest, response, body, lingerMs);
    return;
  }
  const { socket } = response;
  // Still queued behind another answer of this connection: nothing of ours may be written past that.
  if (socket === null) {
    response.end(body);
    return;
  }
  // Were the response ended, node would close both directions at once.
  if (body === undefined) response.flushHeaders();
  else response.write(body);
  socket.end();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
  request.once('end', () => socket.destroySoon());
  throwAway(request);
}

/**
 * A stream of HTTP/2 that is closed loses nothing of what was sent on it. But curl sends no more once it has a whole good
 * answer, and does not stop either: so such a one waits for the body.
 */
function endStream(
  request: Http2ServerRequest,
  response: ServerResponse,
  body: Buffer | undefined,
  lingerMs: number,
): void {
  const end = () => {
    response.end(body);
    request.stream.close(constants.NGHTTP2_NO_ERROR);
  };
  // At once: it stops at the head of an answer like this.
  if (response.statusCode >= 400) return end();
  const timer = setTimeout(end, lingerMs);
  request.stream.once('close', () => clearTimeout(timer));
  request.once('end', end);
  throwAway(request as unknown as IncomingMessage);
}

/** Also where somebody still reads, and lets go only later: then the listener, and not `resume`, sets it flowing again. */
function throwAway(request: IncomingMessage): void {
  request.on('error', () => undefined);
  request.on('data', () => undefined);
  request.resume();
}
