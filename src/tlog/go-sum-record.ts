import { GokeepError } from '../errors.ts';
import { parseHash } from './hash.ts';
import { checkRecordText } from './record.ts';

/** The two hashes of a module version, each `h1:` and 44 characters of base64. */
export interface GoSumHashes {
  /** Of the zip's files. */
  readonly zip: string;
  /** Of the go.mod alone. */
  readonly mod: string;
}

/** The record of a module version: its two go.sum lines. Throws `bad_record` where a hash is not `h1:`. */
export function formatGoSumRecord(path: string, version: string, zipH1: string, modH1: string): Buffer {
  const text = Buffer.from(`${path} ${version} ${zipH1}\n${path} ${version}/go.mod ${modH1}\n`);
  const { zip, mod } = parseGoSumRecord(text, path, version);
  if (zip !== zipH1 || mod !== modH1)
    throw new GokeepError('bad_record', 'a record is made of two h1: hashes');
  return text;
}

/**
 * Takes both hashes of exactly this module version out of a record's text.
 *
 * `text` must be proven to be in the log before this is asked: the lines are only as true as it is. Each of
 * the two `h1:` lines must be there once. Their absence is a failure: a record that says nothing about the module
 * verifies nothing (CVE-2026-42501). Lines of other modules or hash algorithms are passed over, as the go
 * command does. Throws `bad_record`.
 */
export function parseGoSumRecord(text: Buffer, path: string, version: string): GoSumHashes {
  checkRecordText(text);
  const lines = text.toString().split('\n');
  const only = (prefix: string): string => {
    const [line, ...more] = lines.filter((l) => l.startsWith(`${prefix} h1:`));
    const h1 = line?.slice(prefix.length + 1);
    if (h1 === undefined || more.length > 0 || parseHash(h1.slice('h1:'.length)) === undefined) {
      throw new GokeepError(
        'bad_record',
        `the checksum database record for ${path}@${version} does not hold exactly one well-formed hash of its zip and one of its go.mod`,
      );
    }
    return h1;
  };
  return { zip: only(`${path} ${version}`), mod: only(`${path} ${version}/go.mod`) };
}
