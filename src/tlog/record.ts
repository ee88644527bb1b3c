import { isUtf8 } from 'node:buffer';
import { GokeepError } from '../errors.ts';
import { isCount } from './tree.ts';

/** A record as a lookup answers it, and whatever follows it: a signed note, unauthenticated as yet. */
export interface ParsedRecord {
  readonly id: number;
  /** Ends in a newline; what the leaf hash covers. */
  readonly text: Buffer;
  readonly rest: Buffer;
}

/**
 * Throws `bad_record` unless `text` is UTF-8, ends in a newline, and holds no other control character and no blank
 * line (x/mod tlog.isValidRecordText, which lets a leading newline pass; we do not: it is a blank line too).
 */
export function checkRecordText(text: Buffer): void {
  if (!isUtf8(text) || text.some((byte) => byte < 0x20 && byte !== 0x0a)) {
    throw malformed('its text must be UTF-8 without control characters');
  }
  if (text.at(-1) !== 0x0a || text[0] === 0x0a || text.includes('\n\n')) {
    throw malformed('its text must end in a newline and hold no blank line');
  }
}

/** The record as a lookup answers it: number, text, blank line (x/mod tlog.FormatRecord). Throws `bad_record`. */
export function formatRecord(id: number, text: Buffer): Buffer {
  if (!isCount(id)) throw malformed('its number is out of range');
  checkRecordText(text);
  return Buffer.concat([Buffer.from(`${id}\n`), text, Buffer.from('\n')]);
}

/**
 * Reads the record at the start of `msg` (x/mod tlog.ParseRecord, but the number only in its canonical spelling).
 * Throws `bad_record`.
 */
export function parseRecord(msg: Buffer): ParsedRecord {
  const newline = msg.subarray(0, 20).indexOf('\n');
  const number = msg.toString('latin1', 0, Math.max(newline, 0));
  if (!/^(?:0|[1-9][0-9]*)$/.test(number) || !isCount(Number(number))) {
    throw malformed('it must begin with its number on a line');
  }
  const end = msg.indexOf('\n\n', newline + 1);
  if (end < 0) throw malformed('it must end in a blank line');
  const text = msg.subarray(newline + 1, end + 1);
  checkRecordText(text);
  return { id: Number(number), text, rest: msg.subarray(end + 2) };
}

function malformed(why: string): GokeepError {
  return new GokeepError('bad_record', `malformed checksum database record: ${why}`);
}
