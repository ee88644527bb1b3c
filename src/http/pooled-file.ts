import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { GokeepError } from '../errors.ts';

const CHUNK = 256 * 1024;
/** Buffers kept for the next download; more are left to the garbage collector. */
const KEPT = 32;
/** A reader that takes not one chunk in this time has gone, and holds a file and a buffer for nothing. */
const STALLED_MS = 120_000;

/**
 * Streams files through a pool of buffers.
 *
 * Node's own `createReadStream` allocates a buffer a chunk and spends twice the CPU of this; and a slow reader holds
 * exactly one buffer here, whatever the size of the file.
 */
export class PooledFiles {
  readonly #free: Buffer[] = [];
  readonly #stalledAfter: number;

  /** @param stalledAfter milliseconds. */
  constructor(stalledAfter = STALLED_MS) {
    this.#stalledAfter = stalledAfter;
  }

  /**
   * Writes bytes first..last of a file, without ending `to`. Resolves with the bytes written once they are handed to the
   * socket; rejects when the reader has gone (busy, or what the stream says) or the file is shorter than it was.
   */
  async pipe(file: string, first: number, last: number, to: Writable): Promise<number> {
    const handle = await open(file, 'r');
    const buffer = this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK);
    let at = first;
    let writing = false;
    const stalled = setTimeout(() => to.destroy(), this.#stalledAfter).unref();
    // Node never calls the callback of an answer whose connection ended before its turn came: 'close' is all there is.
    const closed = Promise.withResolvers<never>();
    closed.promise.catch(() => undefined);
    const onClose = () => closed.reject(new GokeepError('busy', 'the client has gone'));
    to.once('close', onClose);
    if (to.destroyed) onClose();
    try {
      while (at <= last) {
        const { bytesRead } = await handle.read(buffer, 0, Math.min(CHUNK, last + 1 - at), at);
        if (bytesRead === 0) throw new GokeepError('storage_failed', 'a stored file is shorter than it was');
        at += bytesRead;
        // The buffer is used again only after the socket has let go of it: the callback, not 'drain', says so.
        writing = true;
        const written = new Promise<void>((resolve, reject) => {
          to.write(buffer.subarray(0, bytesRead), (error) => (error ? reject(error) : resolve()));
        });
        await Promise.race([written, closed.promise]);
        writing = false;
        stalled.refresh();
      }
      return at - first;
    } finally {
      clearTimeout(stalled);
      to.off('close', onClose);
      if (!writing && this.#free.length < KEPT) this.#free.push(buffer);
      await handle.close();
    }
  }
}
