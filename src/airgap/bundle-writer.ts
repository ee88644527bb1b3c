import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress } from 'node:zlib';
import { GokeepError } from '../errors.ts';
import { syncDirectory } from '../store/durable-file.ts';
import { storageError } from '../store/database.ts';
import { partName, partNumbers } from './archive.ts';
import { END, formatHeader, padding } from './tar.ts';

const CHUNK = 1 << 20;

export interface OutputOptions {
  /** Where the bundle goes; a name that ends in `.zst` is compressed. */
  readonly output: string;
  /** Bytes of a part, where the medium holds no more; the parts are `<output>.001` and on. */
  readonly split: number | undefined;
}

/** One file to be written: from disk or from memory. */
export interface WrittenFile {
  readonly path: string;
  readonly size: number;
  readonly disk: string | null;
  readonly body: Buffer | null;
}

/**
 * Writes an archive. Durable, and under its name, once this resolves; whatever happens before leaves at most `.tmp` files
 * beside it, which the next run replaces. Gives the names of the files written.
 */
export async function writeArchive(
  files: Iterable<WrittenFile>,
  { output, split }: OutputOptions,
  progress: (bytes: number) => void,
): Promise<string[]> {
  const out = new Parts(output, split);
  const bytes = archiveBytes(files, progress);
  const writeAll = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) await out.write(chunk);
  };
  try {
    // Level 3, without a thread: the same bytes each time.
    if (output.endsWith('.zst')) await pipeline(bytes, createZstdCompress({ chunkSize: CHUNK }), writeAll);
    else await writeAll(bytes);
    return await out.finish();
  } catch (error) {
    // So that `files` are let go of before their owner closes what they come from.
    await bytes.return(undefined);
    await out.drop();
    throw error instanceof GokeepError ? error : storageError(error, `writing ${output}`);
  }
}

async function* archiveBytes(
  files: Iterable<WrittenFile>,
  progress: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  let done = 0;
  // Small pieces are put together, so that neither a write nor a call is made for each.
  let waiting: Buffer[] = [];
  let size = 0;
  for (const file of files) {
    waiting.push(formatHeader({ name: file.path, size: file.size }));
    if (file.disk === null) waiting.push(file.body ?? Buffer.alloc(0));
    else {
      for await (const chunk of diskChunks(file.disk, file.size)) {
        waiting.push(chunk);
        size += chunk.length;
        if (size < CHUNK) continue;
        yield Buffer.concat(waiting);
        waiting = [];
        size = 0;
      }
    }
    waiting.push(Buffer.alloc(padding(file.size)));
    size += file.size + 1024;
    done += file.size;
    progress(done);
    if (size < CHUNK) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    size = 0;
  }
  yield Buffer.concat([...waiting, END]);
}

/** The bytes of a file on disk, which must be as many as were counted. */
async function* diskChunks(file: string, size: number): AsyncGenerator<Buffer> {
  await using handle = await open(file, 'r');
  let left = size;
  while (left > 0) {
    const buffer = Buffer.allocUnsafe(Math.min(left, CHUNK));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length);
    if (bytesRead === 0)
      throw new GokeepError('storage_failed', `${path.basename(file)} became shorter while it was read`);
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** SHA-256 of a file on disk, and its size. */
export async function digestFile(file: string): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  await using handle = await open(file, 'r');
  const buffer = Buffer.allocUnsafe(CHUNK);
  let size = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, CHUNK);
    if (bytesRead === 0) return { size, sha256: hash.digest('hex') };
    size += bytesRead;
    hash.update(buffer.subarray(0, bytesRead));
  }
}

/** The files that an archive is written to, one or several, without their names until all are whole. */
class Parts {
  readonly #output: string;
  readonly #split: number | undefined;
  readonly #names: string[] = [];
  #handle: FileHandle | undefined;
  #room = 0;

  constructor(output: string, split: number | undefined) {
    this.#output = output;
    this.#split = split;
  }

  async write(bytes: Buffer): Promise<void> {
    for (let rest = bytes; rest.length > 0; ) {
      if (this.#handle === undefined || this.#room === 0) await this.#next();
      const part = rest.subarray(0, this.#room);
      await this.#handle?.appendFile(part);
      this.#room -= part.length;
      rest = rest.subarray(part.length);
    }
  }

  async finish(): Promise<string[]> {
    await this.#closeCurrent();
    for (const name of this.#names) await rename(`${name}.tmp`, name);
    // Parts more of a bundle that had this name would be read as part of this one.
    if (this.#split !== undefined)
      for (const n of partNumbers(this.#output))
        if (n > this.#names.length) await rm(partName(this.#output, n), { force: true });
    await syncDirectory(path.dirname(this.#output));
    return this.#names;
  }

  async drop(): Promise<void> {
    await this.#handle?.close().catch(() => undefined);
    for (const name of this.#names) await rm(`${name}.tmp`, { force: true });
  }

  async #next(): Promise<void> {
    await this.#closeCurrent();
    const name = this.#split === undefined ? this.#output : partName(this.#output, this.#names.length + 1);
    this.#names.push(name);
    await rm(`${name}.tmp`, { force: true });
    this.#handle = await open(`${name}.tmp`, 'wx');
    this.#room = this.#split ?? Number.MAX_SAFE_INTEGER;
  }

  async #closeCurrent(): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined) return;
    this.#handle = undefined;
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}
