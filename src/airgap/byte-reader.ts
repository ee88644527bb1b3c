import { wholeOf } from './chunks.ts';

/** Reads a stream in portions of one's own choice. Memory: one chunk of the stream, and what is asked for at once. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Exactly `length` bytes, or as many as there are until the end. For small lengths: they are held at once. */
  async read(length: number): Promise<Buffer> {
    return wholeOf(this.stream(length), length);
  }

  /** The next `length` bytes in the chunks they come in; fewer only where the stream ends. */
  async *stream(length: number): AsyncGenerator<Buffer> {
    let left = length;
    while (left > 0) {
      if (this.#rest.length === 0) {
        const next = await this.#chunks.next();
        if (next.done === true) return;
        this.#rest = next.value;
        continue;
      }
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  /** Gives the stream back, so that its file is closed. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
