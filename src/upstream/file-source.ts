import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { GokeepError } from '../errors.ts';
import { collect, writeAll, zipOnly } from './chunks.ts';
import type { ProxySource, ReadOptions } from './proxy-source.ts';

const CHUNK = 256 * 1024;

/**
 * A `file://` GOPROXY: a tree in the static layout, as under `GOMODCACHE/cache/download`. The tree is trusted as far
 * as an upstream is, and no further: what it holds is checked and verified like any answer.
 */
export class FileSource implements ProxySource {
  readonly display: string;
  readonly #directory: string;

  constructor(directory: string, display: string) {
    this.#directory = directory;
    this.display = display;
  }

  async read(path: string, options: ReadOptions): Promise<Buffer> {
    return await this.#open(path, options, async (chunks) => await collect(chunks));
  }

  async copyZip(path: string, file: FileHandle, options: ReadOptions): Promise<number> {
    return await this.#open(path, options, async (chunks) => {
      return await writeAll(file, zipOnly(chunks, options.subject, `the ${this.display}`));
    });
  }

  async close(): Promise<void> {
    // Nothing is held open.
  }

  async #open<T>(
    path: string,
    options: ReadOptions,
    use: (chunks: AsyncIterable<Buffer>) => Promise<T>,
  ): Promise<T> {
    // Paths are made of escaped module paths and versions; ".." cannot be in one, and must not get past here.
    if (path.split('/').includes('..')) throw this.#failed(options);
    const name = join(this.#directory, path);
    try {
      // Opening a FIFO or a device could wait for ever.
      if (!(await stat(name)).isFile()) throw this.#absent(options);
      await using file = await open(name, 'r');
      const { size } = await file.stat();
      if (size > options.maxBytes) throw this.#failed(options);
      options.signal?.throwIfAborted();
      return await use(fileChunks(file, size));
    } catch (error) {
      throw await this.#explain(error, options);
    }
  }

  async #explain(error: unknown, options: ReadOptions): Promise<GokeepError> {
    if (error instanceof GokeepError) return error;
    const { code } = error as { code?: unknown };
    if (options.signal?.aborted === true) {
      return new GokeepError('busy', `${options.subject}: the request was given up.`, { cause: error });
    }
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      // A tree that is not mounted holds nothing, and says nothing about what exists.
      const mounted = await stat(this.#directory)
        .then((s) => s.isDirectory())
        .catch(() => false);
      if (mounted) return this.#absent(options);
      return new GokeepError(
        'upstream_unreachable',
        `${options.subject} could not be read from the ${this.display}: its directory is not there.`,
        { cause: error },
      );
    }
    return this.#failed(options, error);
  }

  #absent({ subject }: ReadOptions): GokeepError {
    return new GokeepError('not_found', `${subject} is not in the ${this.display}.`);
  }

  #failed({ subject }: ReadOptions, cause?: unknown): GokeepError {
    return new GokeepError('upstream_failed', `${subject} could not be read from the ${this.display}.`, {
      cause,
    });
  }
}

/** Exactly `size` bytes. Throws when the file turns out shorter. */
export async function* fileChunks(file: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let left = size; left > 0; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(left, CHUNK)), 0, null, null);
    if (bytesRead === 0) throw new Error('file became shorter while it was read');
    left -= bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
