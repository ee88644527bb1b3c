import type { FileHandle } from 'node:fs/promises';
import { GokeepError, hasCode } from '../errors.ts';
import { namedVersion } from '../modzip/named-version.ts';
import { quote } from '../module/quote.ts';
import type { ZipVerifier } from '../proxy/zip-verifier.ts';
import { openedZip } from '../store/zip-file.ts';
import { checkGoMod } from './release-rules.ts';

/**
 * Which version an uploaded zip says that it is. What stands in it is its sender's.
 *
 * @throws bad_upload
 */
export async function namedByUpload(handle: FileHandle): Promise<{ path: string; version: string }> {
  try {
    return await namedVersion(await openedZip(handle));
  } catch (error) {
    if (hasCode(error, 'bad_zip'))
      throw new GokeepError('bad_upload', `The zip was refused: ${error.message}.`, { cause: error });
    throw uploadError(error);
  }
}

/**
 * Judges an uploaded zip by the rules that `go` has for module zips, and by those for what is published.
 *
 * @param file where it lies
 * @returns its `h1:` and its go.mod
 * @throws bad_upload; the signal's reason
 */
export async function judgeUpload(
  zips: Pick<ZipVerifier, 'inspect'>,
  file: string,
  { path, version }: { readonly path: string; readonly version: string },
  signal: AbortSignal,
): Promise<{ h1: string; mod: Buffer }> {
  try {
    const { h1, goMod, irregular } = await zips.inspect(file, path, version, signal);
    if (irregular !== undefined)
      throw new GokeepError(
        'bad_upload',
        `The zip of ${path}@${version} cannot be published: file ${quote(irregular)} is a symbolic link, or no regular file.`,
      );
    // In which directory of a repository it lay cannot be seen from here.
    return { h1, mod: checkGoMod(path, version, goMod, { isRoot: true }) };
  } catch (error) {
    throw uploadError(error);
  }
}

/** Runs a check of a path or version that somebody sends. Throws bad_upload. */
export function asUpload(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw uploadError(error);
  }
}

/** What is said of a zip or version that we fetched means another thing where somebody sends it. */
function uploadError(error: unknown): unknown {
  return hasCode(error, 'bad_zip', 'bad_mod_file', 'bad_version', 'bad_path')
    ? new GokeepError('bad_upload', error.message, { cause: error })
    : error;
}
