import type { FileHandle } from 'node:fs/promises';

import { GokeepError } from '../errors.ts';

/** All chunks as one buffer. The producer caps their number. */
export async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** The same chunks, unless they begin unlike a zip file. Throws upstream_failed. */
export async function* zipOnly(
  chunks: AsyncIterable<Buffer>,
  subject: string,
  from: string,
): AsyncGenerator<Buffer> {
  let start = '';
  for await (const chunk of chunks) {
    if (start.length < 2) {
      start += chunk.subarray(0, 2 - start.length).toString('latin1');
      if (!'PK'.startsWith(start)) break;
    }
    yield chunk;
  }
  if (start !== 'PK') {
    throw new GokeepError(
      'upstream_failed',
      `${subject} could not be fetched from ${from}: what it sent is no zip file.`,
    );
  }
}

/**
 * Writes chunks to a file from its beginning; resolves with the number of bytes. Trouble with the disk is ours and
 * not upstream's: storage_full or storage_failed.
 */
export async function writeAll(file: FileHandle, chunks: AsyncIterable<Buffer>): Promise<number> {
  let position = 0;
  for await (const chunk of chunks) {
    let offset = 0;
    while (offset < chunk.length) {
      const { bytesWritten } = await onDisk(file.write(chunk, offset, chunk.length - offset, position));
      offset += bytesWritten;
      position += bytesWritten;
    }
  }
  return position;
}

/** Empties a file that a failed attempt may have written to. Throws storage_failed. */
export async function empty(file: FileHandle): Promise<void> {
  await onDisk(file.truncate(0));
}

async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const { code } = cause as { code?: unknown };
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new GokeepError(
        'storage_full',
        'The disk of the gokeep server is full, so the module could not be received; its operator has to make room.',
        { cause },
      );
    }
    throw new GokeepError('storage_failed', 'A module could not be written to disk.', { cause });
  }
}
