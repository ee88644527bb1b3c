import { GokeepError } from '../errors.ts';
import { checkRecordText } from './record.ts';

const NEWLINE = Buffer.from('\n');

/** The records of a data tile, each ended by a blank line (x/mod sumdb.Server). Throws `bad_record`. */
export function formatDataTile(texts: readonly Buffer[]): Buffer {
  for (const text of texts) checkRecordText(text);
  return Buffer.concat(texts.flatMap((text) => [text, NEWLINE]));
}

/**
 * Takes a data tile apart. Databases either end each record with a blank line or only put one between two of
 * them; both are read. Throws `bad_record` unless there are exactly `width` records.
 *
 * What comes back has the form of records and is no more: compare their hashes with the tile of level 0.
 */
export function parseDataTile(data: Buffer, width: number): Buffer[] {
  const texts: Buffer[] = [];
  let at = 0;
  while (at < data.length && texts.length < width) {
    const blank = data.indexOf('\n\n', at);
    const end = blank < 0 ? data.length : blank + 1;
    const text = data.subarray(at, end);
    checkRecordText(text);
    texts.push(text);
    at = end + 1;
  }
  if (texts.length !== width || at < data.length) {
    throw new GokeepError('bad_record', 'a data tile of the checksum database has another number of records');
  }
  return texts;
}
