import { type FileHandle, open } from 'node:fs/promises';
import type { ZipSource } from '../modzip/zip-source.ts';

/** A zip on disk, read by file descriptor and never whole into memory. */
export interface ZipFile extends ZipSource, AsyncDisposable {
  readonly handle: FileHandle;
}

/** Opens it for reading; undefined where there is none. */
export async function openZipFile(file: string): Promise<ZipFile | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return {
      ...(await openedZip(handle)),
      handle,
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A zip in a file that somebody else has opened, and closes. */
export async function openedZip(handle: FileHandle): Promise<ZipSource> {
  const { size } = await handle.stat();
  return {
    size,
    read: async (position, length, into) => {
      const buffer = into !== undefined && into.length >= length ? into : Buffer.allocUnsafe(length);
      const { bytesRead } = await handle.read(buffer, 0, length, position);
      return buffer.subarray(0, bytesRead);
    },
  };
}
