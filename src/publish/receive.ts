import { GokeepError } from '../errors.ts';
import { MAX_ZIP } from '../modzip/file-rules.ts';
import { storageError } from '../store/database.ts';
import type { TemporaryFile } from '../store/module-store.ts';

/** A write costs a trip to another thread, whatever its size: what a socket gives at a time is too little for one. */
const PORTION = 1024 * 1024;

/**
 * Writes an upload into a temporary file, which is empty: while a portion is written, the next one comes.
 *
 * @param what it is, for errors
 * @throws too_large; storage_full, storage_failed; what the body throws
 */
export async function receive(
  body: AsyncIterable<Buffer>,
  { handle }: TemporaryFile,
  what: string,
): Promise<void> {
  let size = 0;
  let waiting: Buffer[] = [];
  let bytes = 0;
  let writing: Promise<unknown> = Promise.resolve();
  const write = async () => {
    const portion = waiting;
    waiting = [];
    bytes = 0;
    await writing;
    writing = writeWhole(handle, portion);
    // It is awaited before the next one; until then nobody else looks at it.
    writing.catch(() => undefined);
  };
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > MAX_ZIP)
        throw new GokeepError(
          'too_large',
          `The ${what} is larger than ${MAX_ZIP} bytes, which is the most that go takes.`,
        );
      waiting.push(chunk);
      bytes += chunk.length;
      if (bytes >= PORTION) await write();
    }
    if (waiting.length > 0) await write();
    await writing;
  } catch (error) {
    await writing.catch(() => undefined);
    throw error instanceof GokeepError ? error : storageError(error, `upload of the ${what}`);
  }
}

async function writeWhole(handle: TemporaryFile['handle'], portion: readonly Buffer[]): Promise<void> {
  const length = portion.reduce((sum, { length }) => sum + length, 0);
  const { bytesWritten } = await handle.writev(portion);
  // A full disk takes a part, and says why only when it is asked for the rest.
  if (bytesWritten < length) await handle.writeFile(Buffer.concat(portion).subarray(bytesWritten));
}
