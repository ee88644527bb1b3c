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
 * Of HTTP/2 only the stream ends. A client takes it for broken that is closed on its body, so the body is let run here too.
 * curl stops by itself at an answer that is none, which it then has to have whole; but once it has a whole good one, it sends
 * no more and does not stop either: so such a one waits for the body.
 */
function endStream(
  request: Http2ServerRequest,
  response: ServerResponse,
  body: Buffer | undefined,
  lingerMs: number,
): void {
  const waits = response.statusCode < 400;
  if (!waits) response.end(body);
  const end = () => {
    if (waits) response.end(body);
    request.stream.close(constants.NGHTTP2_NO_ERROR);
  };
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
