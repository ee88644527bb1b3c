import { GokeepError } from '../errors.ts';
import { verifyZipFile } from '../proxy/zip-worker.ts';
import type { ModuleZip } from './module-zip.ts';

/**
 * Refuses a commit whose go.mod has other bytes in the zip than in the repository. Go takes the version's .mod file
 * from the repository; a server that is given a zip can only take it from that, and would record another hash.
 *
 * @throws bad_source; bad_zip and mismatch when the zip is not what it was made as
 */
export async function checkSameGoMod(made: ModuleZip, path: string, version: string): Promise<void> {
  const verdict = await verifyZipFile({ file: made.file, path, version, wantsGoMod: true });
  if ('code' in verdict) throw new GokeepError(verdict.code, verdict.message);
  if (verdict.h1 !== made.h1)
    throw new GokeepError(
      'mismatch',
      `The zip of ${path}@${version} is not what was written: ${verdict.h1}.`,
    );
  const { goMod } = verdict;
  // Without one in the zip, go and we make up the same.
  if (goMod === undefined || made.goMod.equals(goMod)) return;
  throw new GokeepError(
    'bad_source',
    `${path}@${version} cannot be published: .gitattributes gives its go.mod other line endings than the repository stores, so go would find two go.mod files. Add the line "go.mod text eol=lf" to .gitattributes, and tag that.`,
  );
}
