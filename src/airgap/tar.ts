import { GokeepError } from '../errors.ts';
import type { ByteReader } from './byte-reader.ts';

/**
 * The one form of tar archive that a bundle has (POSIX.1-2017 ustar, with a pax `path` record for a long name): plain
 * files, mode 0644, no owner, no time. Every tar program reads it.
 *
 * Written here and not by a library, because reading has to be as narrow as writing: a header is accepted only if it is
 * byte for byte the one that we would write for this name and size. So links, devices, other modes, second headers and
 * hidden padding are no cases of their own, and a bundle's bytes follow from its manifest.
 */

export const BLOCK = 512;
const NAME = 100;
const PREFIX = 155;
/** Longest entry name: a module path has 4096 characters at most. */
const MAX_NAME = 8192;
/** What eleven octal digits hold. */
const MAX_SIZE = 8 ** 11 - 1;

/** One file in an archive. */
export interface TarEntry {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
}

/** The header blocks of a file. Throws bad_bundle for a name or size that they cannot hold. */
export function formatHeader({ name, size }: TarEntry): Buffer {
  if (!/^[\x21-\x7e]+$/.test(name) || name.length > MAX_NAME || size > MAX_SIZE)
    throw new GokeepError(
      'bad_bundle',
      `${name.slice(0, 200)}: a bundle cannot hold a file of this name or size`,
    );
  if (name.length <= NAME) return block(name, '', size, '0');
  const split = name.lastIndexOf('/', PREFIX);
  if (split > 0 && name.length - split - 1 <= NAME && name.length - split - 1 > 0)
    return block(name.slice(split + 1), name.slice(0, split), size, '0');
  const record = paxRecord('path', name);
  return Buffer.concat([
    block('pax/path', '', record.length, 'x'),
    record,
    Buffer.alloc(padding(record.length)),
    block(name.slice(0, NAME), '', size, '0'),
  ]);
}

/** Zero bytes that follow a file of this size. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** What ends an archive. */
export const END = Buffer.alloc(2 * BLOCK);

/**
 * The next header, or undefined at the end of the archive, behind which there must be nothing. Throws bad_bundle naming
 * the entry, or the one before it.
 *
 * @param after the entry before this one, for the sentence
 */
export async function readHeader(reader: ByteReader, after: string): Promise<TarEntry | undefined> {
  const where = after === '' ? 'at its beginning' : `behind ${after}`;
  const first = await reader.read(BLOCK);
  if (first.length < BLOCK) throw bad(`the bundle is cut off ${where}`);
  if (first.every((byte) => byte === 0)) {
    const second = await reader.read(BLOCK);
    if (second.length < BLOCK || second.some((byte) => byte !== 0))
      throw bad(`the bundle is damaged ${where}: it does not end as an archive does`);
    if ((await reader.read(1)).length > 0) throw bad(`the bundle holds more bytes behind its end (${where})`);
    return undefined;
  }
  const isLong = first[156] === 0x78;
  // No more is held than the longest name needs, whatever the header says.
  const record = isLong ? await reader.read(Math.min(sizeIn(first) ?? 0, MAX_NAME + 20)) : undefined;
  const rest = record === undefined ? undefined : await reader.read(padding(record.length) + BLOCK);
  const last = rest === undefined ? first : rest.subarray(rest.length - BLOCK);
  const name =
    record === undefined ? nameIn(first) : /^[0-9]+ path=([^\n]+)\n$/.exec(record.toString('latin1'))?.[1];
  const size = sizeIn(last);
  if (name === undefined || size === undefined)
    throw bad(`the bundle is damaged ${where}: no header of a file`);
  const whole = Buffer.concat([
    first,
    ...(record === undefined ? [] : [record]),
    ...(rest === undefined ? [] : [rest]),
  ]);
  const entry = { name, size };
  if (!isPlain(entry, whole)) {
    throw bad(
      `the bundle is damaged ${where}: ${JSON.stringify(name.slice(0, 200))} is not a plain file as a bundle has them`,
    );
  }
  return entry;
}

function isPlain(entry: TarEntry, header: Buffer): boolean {
  try {
    return formatHeader(entry).equals(header);
  } catch {
    return false;
  }
}

function nameIn(header: Buffer): string {
  const text = (from: number, length: number) => {
    const field = header.toString('latin1', from, from + length);
    const end = field.indexOf('\0');
    return end < 0 ? field : field.slice(0, end);
  };
  const prefix = text(345, PREFIX);
  return prefix === '' ? text(0, NAME) : `${prefix}/${text(0, NAME)}`;
}

function sizeIn(header: Buffer): number | undefined {
  const digits = header.toString('latin1', 124, 135);
  return /^[0-7]{11}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

function block(name: string, prefix: string, size: number, type: '0' | 'x'): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 'latin1');
  header.write('0000644\0', 100, 'latin1');
  header.write('0000000\0', 108, 'latin1');
  header.write('0000000\0', 116, 'latin1');
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write('00000000000\0', 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write(type, 156, 'latin1');
  header.write('ustar\u000000', 257, 'latin1');
  header.write(prefix, 345, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** `<length> <key>=<value>\n`, its own length included. */
function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.from(`${length}${rest}`, 'latin1');
}

function bad(problem: string): GokeepError {
  return new GokeepError('bad_bundle', problem);
}
