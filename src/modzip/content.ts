/**
 * The content of one entry: its local header held against the central directory, its data unpacked, counted,
 * checked and hashed.
 *
 * Small entries are unpacked in one call, which is several times as fast as a stream; large ones are streamed,
 * so that memory stays small. Both stop as soon as there is more than was declared.
 */

import { createHash, hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw, inflateRawSync } from 'node:zlib';
import { badEntry, checkExtra, type Entry, HAS_DESCRIPTOR, STORED } from './directory.ts';
import { readExactly, type ZipSource, type ZipWindow } from './zip-source.ts';

export interface Content {
  readonly sha256: Buffer;
  /** The content itself, if it was asked for. */
  readonly bytes: Buffer | undefined;
  /** Where the entry ends, its data descriptor included. */
  readonly end: number;
}

const LOCAL_LENGTH = 30;
const DESCRIPTOR_LENGTH = 16;

/** Entries up to this size, packed and unpacked, are read in one piece. */
const MAX_AT_ONCE = 1024 * 1024;

const CHUNK_SIZE = 256 * 1024;

/**
 * Reads the entry that begins at `entry.offset`.
 *
 * @param limit where the last entry must end: the offset of the central directory
 * @param keep whether to give the content itself
 * @throws bad_zip naming the file
 */
export async function readContent(
  source: ZipSource,
  window: ZipWindow,
  entry: Entry,
  limit: number,
  keep: boolean,
): Promise<Content> {
  const dataAt = await checkLocalHeader(window, entry, limit);
  const dataEnd = dataAt + entry.compressedSize;
  if (dataEnd > limit) throw badEntry(entry, 'its data runs into the central directory');
  const content = isSmall(entry)
    ? await readAtOnce(window, entry, dataAt)
    : await readStreaming(source, entry, dataAt, keep);
  return {
    sha256: content.sha256,
    // A copy: stored bytes are a view of a window that is much larger.
    bytes: keep && content.bytes !== undefined ? Buffer.from(content.bytes) : undefined,
    end:
      (entry.flags & HAS_DESCRIPTOR) === 0 ? dataEnd : await checkDescriptor(window, entry, dataEnd, limit),
  };
}

/**
 * The beginning of an entry: `most` bytes, or all of it where it is no longer. Nothing behind that is read of a large entry, and
 * only of one that was read whole the checksum is known to be right.
 *
 * @param limit as for {@link readContent}
 * @throws bad_zip naming the file
 */
export async function readStart(
  source: ZipSource,
  window: ZipWindow,
  entry: Entry,
  limit: number,
  most: number,
): Promise<Buffer> {
  if (entry.size <= most || isSmall(entry)) {
    const { bytes } = await readContent(source, window, entry, limit, true);
    return (bytes ?? Buffer.alloc(0)).subarray(0, most);
  }
  const at = await checkLocalHeader(window, entry, limit);
  if (at + entry.compressedSize > limit) throw badEntry(entry, 'its data runs into the central directory');
  if (entry.method === STORED) return readExactly(source, at, Math.min(most, entry.compressedSize));
  const kept: Buffer[] = [];
  let size = 0;
  const packed = Readable.from(readChunks(source, at, entry.compressedSize));
  const inflater = createInflateRaw({ chunkSize: CHUNK_SIZE });
  packed.once('error', (error) => inflater.destroy(error));
  try {
    for await (const chunk of packed.pipe(inflater)) {
      kept.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size >= most) break;
    }
  } catch (cause) {
    rethrow(entry, cause);
  } finally {
    packed.destroy();
  }
  if (size < most) throw badEntry(entry, 'its size is not the one declared');
  return Buffer.concat(kept).subarray(0, most);
}

function isSmall(entry: Entry): boolean {
  return entry.compressedSize <= MAX_AT_ONCE && entry.size <= MAX_AT_ONCE;
}

/** Checks the header before the data and gives where the data begins. */
async function checkLocalHeader(window: ZipWindow, entry: Entry, limit: number): Promise<number> {
  const nameLength = Buffer.byteLength(entry.name);
  const fixed = LOCAL_LENGTH + nameLength;
  if (entry.offset + fixed > limit) throw badEntry(entry, 'its data runs into the central directory');
  const header = window.peek(entry.offset, fixed) ?? (await window.load(entry.offset, fixed));
  const extraLength = header.readUInt16LE(28);
  const hasDescriptor = (entry.flags & HAS_DESCRIPTOR) !== 0;
  const saysNothing =
    hasDescriptor &&
    header.readUInt32LE(14) === 0 &&
    header.readUInt32LE(18) === 0 &&
    header.readUInt32LE(22) === 0;
  const agrees =
    header.readUInt32LE(0) === 0x04034b50 &&
    header.readUInt16LE(6) === entry.flags &&
    header.readUInt16LE(8) === entry.method &&
    header.readUInt16LE(26) === nameLength &&
    header.toString('utf8', LOCAL_LENGTH) === entry.name &&
    (saysNothing || hasSizes(header, 14, entry));
  if (!agrees) throw badEntry(entry, 'its local header does not agree with the central directory');
  const dataAt = entry.offset + fixed + extraLength;
  if (extraLength > 0) {
    if (dataAt > limit) throw badEntry(entry, 'its data runs into the central directory');
    const extraAt = entry.offset + fixed;
    checkExtra(entry, window.peek(extraAt, extraLength) ?? (await window.load(extraAt, extraLength)));
  }
  return dataAt;
}

/** Checks the data descriptor, with or without its optional signature, and gives where it ends. */
async function checkDescriptor(window: ZipWindow, entry: Entry, at: number, limit: number): Promise<number> {
  const length = Math.min(DESCRIPTOR_LENGTH, limit - at);
  const bytes = window.peek(at, length) ?? (await window.load(at, length));
  if (length === DESCRIPTOR_LENGTH && bytes.readUInt32LE(0) === 0x08074b50 && hasSizes(bytes, 4, entry))
    return at + DESCRIPTOR_LENGTH;
  if (length >= DESCRIPTOR_LENGTH - 4 && hasSizes(bytes, 0, entry)) return at + DESCRIPTOR_LENGTH - 4;
  throw badEntry(entry, 'its data descriptor does not agree with the central directory');
}

function hasSizes(bytes: Buffer, at: number, entry: Entry): boolean {
  return (
    bytes.readUInt32LE(at) === entry.crc32 &&
    bytes.readUInt32LE(at + 4) === entry.compressedSize &&
    bytes.readUInt32LE(at + 8) === entry.size
  );
}

async function readAtOnce(
  window: ZipWindow,
  entry: Entry,
  at: number,
): Promise<{ sha256: Buffer; bytes: Buffer }> {
  const packed = window.peek(at, entry.compressedSize) ?? (await window.load(at, entry.compressedSize));
  const bytes = entry.method === STORED ? packed : inflate(entry, packed);
  checkTotals(entry, bytes.length, crc32(bytes));
  return { sha256: hash('sha256', bytes, 'buffer'), bytes };
}

function inflate(entry: Entry, packed: Buffer): Buffer {
  try {
    // With room for one byte more than declared, the end of the data is seen in the first round.
    const { buffer, engine } = inflateRawSync(packed, {
      chunkSize: Math.max(entry.size + 1, 64),
      maxOutputLength: Math.max(entry.size, 1),
      info: true,
    }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    if (engine.bytesWritten === packed.length) return buffer;
  } catch (cause) {
    rethrow(entry, cause);
  }
  throw badEntry(entry, 'there are bytes behind its compressed data');
}

async function readStreaming(
  source: ZipSource,
  entry: Entry,
  at: number,
  keep: boolean,
): Promise<{ sha256: Buffer; bytes: Buffer | undefined }> {
  const sha256 = createHash('sha256');
  const kept: Buffer[] = [];
  let size = 0;
  let crc = 0;
  const take = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > entry.size) throw badEntry(entry, 'it is larger than declared');
      crc = crc32(chunk, crc);
      sha256.update(chunk);
      if (keep) kept.push(chunk);
    }
  };
  if (entry.method === STORED) await take(readChunks(source, at, entry.compressedSize));
  else await inflateInto(take, source, entry, at);
  checkTotals(entry, size, crc);
  return { sha256: sha256.digest(), bytes: keep ? Buffer.concat(kept) : undefined };
}

async function inflateInto(
  take: (chunks: AsyncIterable<Buffer>) => Promise<void>,
  source: ZipSource,
  entry: Entry,
  at: number,
): Promise<void> {
  const inflater = createInflateRaw({ chunkSize: CHUNK_SIZE });
  try {
    await pipeline(Readable.from(readChunks(source, at, entry.compressedSize)), inflater, take);
  } catch (cause) {
    rethrow(entry, cause);
  }
  if (inflater.bytesWritten !== entry.compressedSize)
    throw badEntry(entry, 'there are bytes behind its compressed data');
}

async function* readChunks(
  source: ZipSource,
  at: number,
  length: number,
): AsyncGenerator<Buffer, void, undefined> {
  for (let done = 0; done < length; done += CHUNK_SIZE)
    yield await readExactly(source, at + done, Math.min(CHUNK_SIZE, length - done));
}

function checkTotals(entry: Entry, size: number, crc: number): void {
  if (size !== entry.size) throw badEntry(entry, 'its size is not the one declared');
  if (crc !== entry.crc32) throw badEntry(entry, 'its checksum is wrong');
}

/** Says in our words what zlib found; anything else, such as a failing source, passes unchanged. */
function rethrow(entry: Entry, cause: unknown): never {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (code === 'ERR_BUFFER_TOO_LARGE') throw badEntry(entry, 'it is larger than declared', cause);
  if (code.startsWith('Z_')) throw badEntry(entry, 'its compressed data is damaged', cause);
  throw cause;
}
