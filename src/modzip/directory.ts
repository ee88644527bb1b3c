/**
 * The central directory of a zip (PKWARE APPNOTE 4.3.12 to 4.3.16), held to the profile of the go command's
 * own writer, so that no two readers can see different files in it: nothing behind the end record, nothing
 * between it and the directory, no comments, one disk, no encryption, no method but stored and deflated, no
 * second name or size in an extra field, and zip64 only for the number of entries.
 *
 * Every byte is an attacker's.
 */

import { isUtf8 } from 'node:buffer';
import type { GokeepError } from '../errors.ts';
import { quote } from '../module/quote.ts';
import { badZip, readExactly, type ZipSource, ZipWindow } from './zip-source.ts';

/** Where the central directory lies. */
export interface Directory {
  readonly entries: number;
  /** In bytes, from the beginning of the file. */
  readonly offset: number;
  readonly size: number;
}

/** What the central directory says about one file. */
export interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc32: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Of its local header, from the beginning of the file. */
  readonly offset: number;
  /** Its mode says that it is something else than a file, such as a symbolic link. Go's hash does not see modes. */
  readonly irregular: boolean;
}

export const STORED = 0;
export const DEFLATED = 8;

/** The sizes and the CRC stand behind the data, in a data descriptor. */
export const HAS_DESCRIPTOR = 0x0008;

/** Beside the descriptor: how hard deflate tried, and that the name is UTF-8. */
const ALLOWED_FLAGS = HAS_DESCRIPTOR | 0x0006 | 0x0800;

const UNIX = 3;
const MACOS = 19;
const REGULAR = 0o100000;

const END_LENGTH = 22;
const END64_LENGTH = 56;
const LOCATOR_LENGTH = 20;
const HEADER_LENGTH = 46;

/** Far above any real module; bounds memory and time. Go has no such limit. */
export const MAX_ENTRIES = 1_000_000;

/** Names longer than this cannot be unpacked on any system. Go has no such limit. */
const MAX_NAME = 4096;

/**
 * Finds the central directory.
 *
 * @throws bad_zip
 */
export async function findDirectory(source: ZipSource): Promise<Directory> {
  if (source.size < END_LENGTH) throw badZip('it is not a zip file, or cut short');
  const endAt = source.size - END_LENGTH;
  const end = await readExactly(source, endAt, END_LENGTH);
  if (end.readUInt32LE(0) !== 0x06054b50 || end.readUInt16LE(20) !== 0) {
    throw badZip(
      'it does not end with an end-of-directory record, or has a comment or other bytes behind it',
    );
  }
  if (end.readUInt32LE(4) !== 0 || end.readUInt16LE(8) !== end.readUInt16LE(10))
    throw badZip('it claims to be one of several disks');
  const entries = end.readUInt16LE(10);
  const directory = { entries, size: end.readUInt32LE(12), offset: end.readUInt32LE(16) };
  if (entries === 0xffff || directory.size === 0xffffffff || directory.offset === 0xffffffff)
    return checkDirectory(...(await findDirectory64(source, endAt)));
  return checkDirectory(directory, endAt);
}

/** Reads the zip64 records, which Go's writer emits from 65,535 entries on. */
async function findDirectory64(source: ZipSource, endAt: number): Promise<[Directory, number]> {
  const at = endAt - LOCATOR_LENGTH - END64_LENGTH;
  const records = await readExactly(source, at, END64_LENGTH + LOCATOR_LENGTH);
  const entries = safeNumber(records, 32);
  const isOne =
    records.readUInt32LE(0) === 0x06064b50 &&
    safeNumber(records, 4) === END64_LENGTH - 12 &&
    safeNumber(records, 16) === 0 &&
    safeNumber(records, 24) === entries &&
    records.readUInt32LE(END64_LENGTH) === 0x07064b50 &&
    records.readUInt32LE(END64_LENGTH + 4) === 0 &&
    safeNumber(records, END64_LENGTH + 8) === at &&
    records.readUInt32LE(END64_LENGTH + 16) === 1;
  if (!isOne) throw badZip('its zip64 records are malformed');
  if (entries < 0xffff) throw badZip('it uses zip64 although it does not need to');
  return [{ entries, size: safeNumber(records, 40), offset: safeNumber(records, 48) }, at];
}

function checkDirectory(directory: Directory, endAt: number): Directory {
  if (directory.entries > MAX_ENTRIES) throw badZip(`it has more than ${MAX_ENTRIES} entries`);
  if (directory.offset + directory.size !== endAt)
    throw badZip('its central directory does not end where the end-of-directory record begins');
  return directory;
}

/**
 * Reads the entries in order. What it says about them is checked for form only.
 *
 * @throws bad_zip
 */
export async function* readDirectory(
  source: ZipSource,
  directory: Directory,
): AsyncGenerator<Entry, void, undefined> {
  const window = new ZipWindow(source);
  const end = directory.offset + directory.size;
  let at = directory.offset;
  for (let i = 0; i < directory.entries; i++) {
    if (at + HEADER_LENGTH > end) throw badZip('its central directory has fewer entries than it claims');
    const header = window.peek(at, HEADER_LENGTH) ?? (await window.load(at, HEADER_LENGTH));
    const nameLength = header.readUInt16LE(28);
    const length = HEADER_LENGTH + nameLength + header.readUInt16LE(30);
    if (nameLength > MAX_NAME) throw badZip(`it has a file name longer than ${MAX_NAME} bytes`);
    if (header.readUInt32LE(0) !== 0x02014b50 || at + length > end)
      throw badZip('its central directory is malformed');
    yield parseEntry(window.peek(at, length) ?? (await window.load(at, length)), nameLength);
    at += length;
  }
  if (at !== end) throw badZip('its central directory has more in it than the entries it claims');
}

function parseEntry(bytes: Buffer, nameLength: number): Entry {
  const nameBytes = bytes.subarray(HEADER_LENGTH, HEADER_LENGTH + nameLength);
  if (!isUtf8(nameBytes)) throw badZip('it has a file name that is not UTF-8');
  const entry: Entry = {
    name: nameBytes.toString(),
    flags: bytes.readUInt16LE(8),
    method: bytes.readUInt16LE(10),
    crc32: bytes.readUInt32LE(16),
    compressedSize: bytes.readUInt32LE(20),
    size: bytes.readUInt32LE(24),
    offset: bytes.readUInt32LE(42),
    irregular: isIrregular(bytes.readUInt8(5), bytes.readUInt32LE(38)),
  };
  if ((entry.flags & 1) !== 0) throw badEntry(entry, 'it is encrypted');
  if ((entry.flags & ~ALLOWED_FLAGS) !== 0)
    throw badEntry(entry, 'it uses a zip feature that is not allowed');
  if (entry.method !== STORED && entry.method !== DEFLATED)
    throw badEntry(entry, 'its compression method is neither stored nor deflated');
  if (bytes.readUInt16LE(32) !== 0) throw badEntry(entry, 'it has a comment');
  if (bytes.readUInt16LE(34) !== 0) throw badEntry(entry, 'it claims to be on another disk');
  checkExtra(entry, bytes.subarray(HEADER_LENGTH + nameLength));
  return entry;
}

/** By archive/zip's FileHeader.Mode: only Unix and macOS put a mode there, and one without a type is a file's. */
function isIrregular(madeOn: number, attributes: number): boolean {
  const type = (attributes >>> 16) & 0o170000;
  return (madeOn === UNIX || madeOn === MACOS) && type !== 0 && type !== REGULAR;
}

/**
 * Checks the extra fields of an entry's central or local header: they must be well-formed, and none may say
 * again, and differently, what the header says.
 *
 * @throws bad_zip
 */
export function checkExtra(entry: Entry, extra: Buffer): void {
  for (let at = 0; at < extra.length; ) {
    const end = at + 4 <= extra.length ? at + 4 + extra.readUInt16LE(at + 2) : Number.POSITIVE_INFINITY;
    if (end > extra.length) throw badEntry(entry, 'its extra fields are malformed');
    const tag = extra.readUInt16LE(at);
    if (tag === 0x0001) throw badEntry(entry, 'it uses zip64 although it does not need to');
    if (tag === 0x7075) throw badEntry(entry, 'it has a second name in an extra field');
    at = end;
  }
}

/** A rule that one file of a zip breaks. */
export function badEntry(entry: Pick<Entry, 'name'>, problem: string, cause?: unknown): GokeepError {
  return badZip(`file ${quote(entry.name)}: ${problem}`, cause);
}

/** A 64-bit number; one beyond 2^53 becomes infinite, which no check passes. */
function safeNumber(bytes: Buffer, at: number): number {
  const value = bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x1_0000_0000;
  return Number.isSafeInteger(value) ? value : Number.POSITIVE_INFINITY;
}
