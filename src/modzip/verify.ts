/**
 * Judges and hashes a module zip in one go, by random access, never holding it whole.
 *
 * It accepts what golang.org/x/mod/zip accepts (CheckZip and Unzip), under the container profile of
 * directory.ts and content.ts. What a go.mod inside says, and modes such as that of a symbolic link, do not
 * matter, as they do not in Go.
 */

import { GokeepError, hasCode } from '../errors.ts';
import { quote } from '../module/quote.ts';
import { checkModuleVersion, isCanonicalVersion } from '../module/version.ts';
import { readContent } from './content.ts';
import { Hash1 } from './dirhash.ts';
import { findDirectory, readDirectory } from './directory.ts';
import { FileRules, MAX_ZIP } from './file-rules.ts';
import { badZip, type ZipSource, ZipWindow } from './zip-source.ts';

export interface ZipFacts {
  /** The h1: hash, as it stands in go.sum for the version. */
  readonly h1: string;
  /** Without directories. */
  readonly files: number;
  readonly uncompressedBytes: number;
  /** The content of go.mod in the root. */
  readonly goMod: Buffer | undefined;
  /** The first whose mode says that it is no regular file, relative to the root. Go unpacks it as one all the same. */
  readonly irregular: string | undefined;
}

/**
 * Verifies that `source` is the zip of a module, and hashes it.
 *
 * @throws bad_zip naming the module, the file and the rule; bad_path and bad_version for the module itself;
 * whatever reading the source throws
 */
export async function verifyModuleZip(source: ZipSource, path: string, version: string): Promise<ZipFacts> {
  checkModuleVersion(path, version);
  if (!isCanonicalVersion(path, version))
    throw new GokeepError('bad_version', `Version ${quote(version)} of ${path} is not in canonical form.`);
  try {
    return await verify(source, `${path}@${version}/`);
  } catch (error) {
    if (!hasCode(error, 'bad_zip')) throw error;
    throw new GokeepError('bad_zip', `The zip of ${path}@${version} was refused: ${error.message}.`, {
      cause: error.cause,
    });
  }
}

async function verify(source: ZipSource, prefix: string): Promise<ZipFacts> {
  if (source.size > MAX_ZIP) throw badZip(`it is larger than ${MAX_ZIP} bytes`);
  const directory = await findDirectory(source);

  // Names and declared sizes first: a bomb or a million entries are refused before anything is unpacked.
  const rules = new FileRules(prefix);
  for await (const entry of readDirectory(source, directory)) rules.add(entry);

  const window = new ZipWindow(source);
  const hash = new Hash1();
  let goMod: Buffer | undefined;
  let irregular: string | undefined;
  let position = 0;
  for await (const entry of readDirectory(source, directory)) {
    // Each entry begins where the one before ends: no hidden bytes, no data that two entries share.
    if (entry.offset !== position)
      throw badZip(`file ${quote(entry.name)}: it does not begin where the one before it ends`);
    const isGoMod = entry.name === `${prefix}go.mod`;
    const content = await readContent(source, window, entry, directory.offset, isGoMod);
    hash.add(entry.name, content.sha256);
    if (isGoMod) goMod = content.bytes;
    if (entry.irregular && !entry.name.endsWith('/')) irregular ??= entry.name.slice(prefix.length);
    position = content.end;
  }
  if (position !== directory.offset) throw badZip('it has bytes between its last file and its directory');
  return {
    h1: hash.digest(),
    files: rules.files,
    uncompressedBytes: rules.uncompressedBytes,
    goMod,
    irregular,
  };
}
