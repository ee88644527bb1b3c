import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
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
/** For reading into and using up before anything else runs. */
const SHARED = Buffer.allocUnsafe(CHUNK);

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
  const compressed = output.endsWith('.zst');
  const bytes = archiveBytes(files, !compressed, progress);
  const writeAll = async (chunks: AsyncIterable<Buffer> | Iterable<Buffer>) => {
    for await (const chunk of chunks) await out.write(chunk);
  };
  try {
    // Level 3, without a thread: the same bytes each time.
    if (compressed) await pipeline(bytes, createZstdCompress({ chunkSize: CHUNK }), writeAll);
    else await writeAll(bytes);
    return await out.finish();
  } catch (error) {
    // So that `files` are let go of before their owner closes what they come from.
    bytes.return(undefined);
    await out.drop();
    throw error instanceof GokeepError ? error : storageError(error, `writing ${output}`);
  }
}

/**
 * The bytes of an archive, a block at a time. `shared`: each block is overwritten when the next is asked for, so that memory
 * is not asked for and given back for every megabyte.
 */
function* archiveBytes(
  files: Iterable<WrittenFile>,
  shared: boolean,
  progress: (bytes: number) => void,
): Generator<Buffer> {
  let block = Buffer.allocUnsafe(CHUNK);
  let filled = 0;
  const full = function* (): Generator<Buffer> {
    yield block.subarray(0, filled);
    if (!shared) block = Buffer.allocUnsafe(CHUNK);
    filled = 0;
  };
  const bytes = function* (piece: Buffer): Generator<Buffer> {
    for (let at = 0; at < piece.length; ) {
      const copied = piece.copy(block, filled, at);
      at += copied;
      filled += copied;
      if (filled === CHUNK) yield* full();
    }
  };
  let done = 0;
  for (const file of files) {
    yield* bytes(formatHeader({ name: file.path, size: file.size }));
    if (file.disk === null) yield* bytes(file.body ?? Buffer.alloc(0));
    else {
      const fd = openSync(file.disk, 'r');
      try {
        for (let left = file.size; left > 0; ) {
          const read = readSync(fd, block, filled, Math.min(left, CHUNK - filled), null);
          if (read === 0) throw shortened(file.disk);
          left -= read;
          filled += read;
          if (filled === CHUNK) yield* full();
        }
      } finally {
        closeSync(fd);
      }
    }
    yield* bytes(Buffer.alloc(padding(file.size)));
    done += file.size;
    progress(done);
  }
  yield* bytes(END);
  if (filled > 0) yield* full();
}

function shortened(file: string): GokeepError {
  return new GokeepError('storage_failed', `${path.basename(file)} became shorter while it was read`);
}

/**
 * SHA-256 of a file on disk, and its size. For commands: it gives way to nothing else, and hashes thousands of small files
 * in the time that waiting for each would take.
 */
export function digestFile(file: string): { size: number; sha256: string } {
  const hash = createHash('sha256');
  const fd = openSync(file, 'r');
  try {
    for (let size = 0; ; ) {
      const read = readSync(fd, SHARED, 0, CHUNK, null);
      if (read === 0) return { size, sha256: hash.digest('hex') };
      size += read;
      hash.update(SHARED.subarray(0, read));
    }
  } finally {
    closeSync(fd);
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
