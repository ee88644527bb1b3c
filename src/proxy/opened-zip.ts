import type { FileHandle } from 'node:fs/promises';
import type { ZipSource } from '../modzip/zip-source.ts';

/** A zip in an open file, read where it is asked for, never whole. Whoever opened it closes it. */
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
