import type { SourceFile } from '../godoc/syntax.ts';
import { readSourceFile } from '../godoc/source-file.ts';
import { readContent } from '../modzip/content.ts';
import { type Entry, findDirectory, readDirectory } from '../modzip/directory.ts';
import { type ZipSource, ZipWindow } from '../modzip/zip-source.ts';
import { isNamedFor, SHOWN_SYSTEMS, type System, tagsOn } from './build-constraint.ts';
import { readGoFile } from './go-file.ts';

/** Files that are larger, or beyond so many bytes and files of one package, are left out: nobody writes such by hand. */
const LARGEST_FILE = 8 * 1024 * 1024;
const LARGEST_PACKAGE = 32 * 1024 * 1024;
const MOST_FILES = 1_000;

/** What is looked at for a package clause and what constrains a file. */
const START_OF_FILE = 64 * 1024;

export interface PackageFiles {
  readonly files: readonly SourceFile[];
  /** False where some were left out that belong to the package. */
  readonly whole: boolean;
  readonly system: System;
}

/**
 * Reads the files of one package, as `go` chooses them on Linux, or, of one that has none there, on the first system that it has some
 * on: no tests, and nothing that a constraint leaves out.
 *
 * @param directory within the zip, with a slash at its end
 * @throws bad_zip
 */
export async function readPackageFiles(source: ZipSource, directory: string): Promise<PackageFiles> {
  const zip = await findDirectory(source);
  const entries: Entry[] = [];
  let whole = true;
  for await (const entry of readDirectory(source, zip)) {
    if (!entry.name.startsWith(directory) || !isOfPackage(entry.name.slice(directory.length))) continue;
    if (entries.length < MOST_FILES) entries.push(entry);
    else whole = false;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const window = new ZipWindow(source);
  for (const system of SHOWN_SYSTEMS) {
    const own = entries.filter(({ name }) => isNamedFor(system, name.slice(directory.length)));
    const read = async (entry: Entry) =>
      (await readContent(source, window, entry, zip.offset, true)).bytes?.toString('utf8') ?? '';
    const found = await filesOn(system, own, directory, read);
    if (found.files.length > 0) return { ...found, whole: whole && found.whole };
  }
  return { files: [], whole, system: SHOWN_SYSTEMS[0] };
}

async function filesOn(
  system: System,
  entries: readonly Entry[],
  directory: string,
  read: (entry: Entry) => Promise<string>,
): Promise<PackageFiles> {
  const files: SourceFile[] = [];
  let whole = true;
  let size = 0;
  for (const entry of entries) {
    size += entry.size;
    if (entry.size > LARGEST_FILE || size > LARGEST_PACKAGE) {
      whole = false;
      continue;
    }
    const text = await read(entry);
    const start = readGoFile(text.slice(0, START_OF_FILE), tagsOn(system));
    if (start === undefined || start.ignored) continue;
    const file = readSourceFile(entry.name.slice(directory.length), text);
    if (file === undefined) whole = false;
    else files.push(file);
  }
  const name = commonName(files);
  return { files: files.filter(({ packageName }) => packageName === name), whole, system };
}

function isOfPackage(name: string): boolean {
  if (!name.endsWith('.go') || name.includes('/') || name.endsWith('_test.go')) return false;
  return !name.startsWith('_') && !name.startsWith('.');
}

/** Of a directory with files of more than one package, which `go` refuses, that of most of them. */
function commonName(files: readonly SourceFile[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { packageName } of files) counts.set(packageName, (counts.get(packageName) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}
