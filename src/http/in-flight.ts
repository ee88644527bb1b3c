import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** `go` never sends a request before the last one is answered, and front servers do not either. */
const MOST_PER_CONNECTION = 16;

/**
 * Counts the requests of each HTTP/1 connection that wait for an answer. Node hands out every request that a client sends
 * ahead; each could hold a file and a buffer. HTTP/2 has its own limit of streams.
 */
export class InFlight {
  readonly #counts = new WeakMap<Socket, number>();

  /** True while a request of this connection is being answered. */
  has(socket: Socket): boolean {
    return (this.#counts.get(socket) ?? 0) > 0;
  }

  /** Counts a request until its answer closes. False when it is one too many: then its connection has been ended. */
  admit({ httpVersionMajor, socket }: IncomingMessage, response: ServerResponse): boolean {
    if (httpVersionMajor !== 1) return true;
    // Node goes on parsing what it had read, and what still comes, of a connection that we ended.
    if (socket.destroyed || socket.writableEnded) return false;
    const count = (this.#counts.get(socket) ?? 0) + 1;
    if (count > MOST_PER_CONNECTION) {
      socket.destroy();
      return false;
    }
    this.#counts.set(socket, count);
    response.once('close', () => this.#counts.set(socket, (this.#counts.get(socket) ?? 1) - 1));
    return true;
  }
}
