import { structuredPatch } from 'diff';
import type { ZipFiles } from '../catalogue/catalogue.ts';
import { isText } from './source.ts';

export interface FileChange {
  readonly name: string;
  /** Unknown: as large as before, and what is in it was not compared, since that would have been too much. */
  readonly kind: 'added' | 'removed' | 'changed' | 'unknown';
}

export interface Changes {
  /** go.mod first, then by name; those that were not compared come last. */
  readonly files: readonly FileChange[];
  /** How many are the same. */
  readonly same: number;
}

/**
 * Files of the same size are read and compared up to so many, so many bytes, and so many milliseconds: checksums in the zips would be quicker, but
 * who makes a zip can make them agree.
 */
const MOST_READ_FILES = 400;
const MOST_READ_MS = 250;
const MOST_READ_BYTES = 8 * 1024 * 1024;
/** Of a file that differs so much is compared line by line. */
const MOST_OF_A_FILE = 256 * 1024;
/** Lines added and removed, beyond which a diff tells nobody anything, and milliseconds that finding one may take. */
const MOST_EDITS = 4_000;
const MOST_MS = 50;

/** Which files differ between two versions. `missing` names a version whose zip is not held. */
export async function compareVersions(
  zips: ZipFiles,
  path: string,
  from: string,
  to: string,
): Promise<Changes | { readonly missing: string }> {
  const before = await zips.files(path, from);
  if (before === undefined) return { missing: from };
  const after = await zips.files(path, to);
  if (after === undefined) return { missing: to };
  const sizes = new Map(before.map(({ name, size }) => [name, size]));
  const names = new Set(after.map(({ name }) => name));
  const files: FileChange[] = before
    .filter(({ name }) => !names.has(name))
    .map(({ name }) => ({ name, kind: 'removed' }));
  let same = 0;
  let readFiles = 0;
  let readBytes = 0;
  const until = performance.now() + MOST_READ_MS;
  const isEnough = (size: number) =>
    readFiles >= MOST_READ_FILES || readBytes + size > MOST_READ_BYTES || performance.now() > until;
  for (const { name, size } of after) {
    const was = sizes.get(name);
    if (was === undefined) files.push({ name, kind: 'added' });
    else if (was !== size) files.push({ name, kind: 'changed' });
    else if (isEnough(size)) files.push({ name, kind: 'unknown' });
    else {
      readFiles++;
      readBytes += size;
      const [a, b] = [await zips.read(path, from, name, size), await zips.read(path, to, name, size)];
      if (a !== undefined && b !== undefined && a.bytes.equals(b.bytes)) same++;
      else files.push({ name, kind: 'changed' });
    }
  }
  const rank = ({ name, kind }: FileChange) => (kind === 'unknown' ? 2 : name === 'go.mod' ? 0 : 1);
  return {
    files: files.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1)),
    same,
  };
}

export const isCompared = ({ kind }: FileChange): boolean => kind !== 'unknown';

/**
 * A file's changes as a unified diff without its head; undefined for what is no text, and for what is too large or too different.
 */
export async function unified(
  zips: ZipFiles,
  path: string,
  from: string,
  to: string,
  { name, kind }: FileChange,
): Promise<string[] | undefined> {
  const text = async (version: string, isThere: boolean) => {
    if (!isThere) return '';
    const found = await zips.read(path, version, name, MOST_OF_A_FILE);
    return found === undefined || !found.whole || !isText(found.bytes) ? undefined : found.bytes.toString();
  };
  const before = await text(from, kind !== 'added');
  const after = await text(to, kind !== 'removed');
  if (before === undefined || after === undefined) return undefined;
  const patch = structuredPatch(name, name, before, after, undefined, undefined, {
    context: 3,
    timeout: MOST_MS,
    maxEditLength: MOST_EDITS,
  });
  return patch?.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...lines,
  ]);
}
