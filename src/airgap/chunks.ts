import { open } from 'node:fs/promises';

const CHUNK = 1 << 18;

/**
 * The bytes of a file. Each chunk is overwritten when the next one is asked for, so whoever keeps bytes copies them: memory
 * asked for and given back for every chunk of a large bundle would pile up outside of the heap.
 *
 * @param size bytes that the file is known to have, if it is small
 */
export async function* diskChunks(file: string, size = CHUNK): AsyncGenerator<Buffer> {
  await using handle = await open(file, 'r');
  // One byte of room makes a file that has grown show it.
  const buffer = Buffer.allocUnsafeSlow(Math.min(size + 1, CHUNK));
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

/** A body as one piece of memory of its own, with what the chunks held or the first `size` bytes of it. */
export async function wholeOf(body: AsyncIterable<Buffer>, size: number): Promise<Buffer> {
  const whole = Buffer.allocUnsafe(size);
  let filled = 0;
  for await (const chunk of body) filled += chunk.copy(whole, filled);
  return whole.subarray(0, filled);
}
