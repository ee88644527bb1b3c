/** Reading go.sum (Go's modfetch.readGoSum): one `<path> <version>[/go.mod] h1:<hash>` on each line. */

import { GokeepError } from '../errors.ts';
import { quote } from '../module/quote.ts';
import { checkModuleVersion, isCanonicalVersion } from '../module/version.ts';
import { isH1 } from '../modzip/dirhash.ts';
import { fields } from './space.ts';

export interface GoSumLine {
  readonly path: string;
  readonly version: string;
  /** True when the hash is that of the go.mod file, false when it is that of the zip. */
  readonly goMod: boolean;
  /** `h1:` and 44 characters of base64. */
  readonly h1: string;
}

/** An old go command wrote this, the hash of an empty go.mod, for what is no module; Go drops it as well. */
const EMPTY_GO_MOD = 'h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=';

/**
 * Reads a go.sum. Blank lines, and hashes of an algorithm that is not ours, are passed over as Go does; unlike
 * Go, which compares and never stores, this refuses a path, a version or a hash that is malformed.
 *
 * @throws bad_record with the line's number
 */
export function parseGoSum(text: string): GoSumLine[] {
  const lines: GoSumLine[] = [];
  let number = 0;
  for (const line of text.split('\n')) {
    number++;
    const words = fields(line);
    const [path, versionAndFile, hash] = words;
    if (path === undefined) continue;
    if (versionAndFile === undefined || hash === undefined || words.length !== 3)
      throw badLine(number, 'expected a module, a version and a hash');
    if (hash === EMPTY_GO_MOD || /^h[02-9][0-9]*:/.test(hash)) continue;
    if (!isH1(hash)) throw badLine(number, `${quote(hash)} is not an h1: hash`);
    const goMod = versionAndFile.endsWith('/go.mod');
    const version = goMod ? versionAndFile.slice(0, -'/go.mod'.length) : versionAndFile;
    checkLine(number, path, version);
    lines.push({ path, version, goMod, h1: hash });
  }
  return lines;
}

function checkLine(number: number, path: string, version: string): void {
  try {
    checkModuleVersion(path, version);
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    throw badLine(number, error.message.replace(/\.$/, ''));
  }
  if (!isCanonicalVersion(path, version)) throw badLine(number, `${quote(version)} is not in canonical form`);
}

function badLine(number: number, problem: string): GokeepError {
  return new GokeepError('bad_record', `go.sum line ${number}: ${problem}.`);
}
