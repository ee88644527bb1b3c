import { GokeepError } from '../errors.ts';
import { readStart } from '../modzip/content.ts';
import { findDirectory, readDirectory } from '../modzip/directory.ts';
import { ZipWindow } from '../modzip/zip-source.ts';
import type { ModuleStore } from '../store/module-store.ts';
import { openZipFile } from '../store/zip-file.ts';
import type { ModuleFileEntry, ZipFiles } from './catalogue.ts';

/** A page with more is of no use to anybody; and of all of them, in UTF-16 units. */
export const MOST_FILES = 50_000;
const MOST_NAMES = 8 * 1024 * 1024;

/**
 * Files in the zips of the store. A name is only ever compared with those in a zip, character for character, and never makes
 * a path on disk.
 */
export class StoredZipFiles implements ZipFiles {
  readonly #store: ModuleStore;

  constructor(store: ModuleStore) {
    this.#store = store;
  }

  /** In the order of the zip; of one with more than {@link MOST_FILES} the first. Throws bad_zip, bad_path, bad_version. */
  async files(path: string, version: string): Promise<readonly ModuleFileEntry[] | undefined> {
    await using zip = await this.#open(path, version);
    if (zip === undefined) return undefined;
    const prefix = `${path}@${version}/`;
    const found: ModuleFileEntry[] = [];
    let names = 0;
    for await (const entry of readDirectory(zip, await findDirectory(zip))) {
      if (!entry.name.startsWith(prefix)) continue;
      names += entry.name.length;
      if (found.length >= MOST_FILES || names > MOST_NAMES) break;
      found.push({ name: entry.name.slice(prefix.length), size: entry.size });
    }
    return found;
  }

  /** Throws bad_zip, bad_path, bad_version. */
  async read(
    path: string,
    version: string,
    name: string,
    limit: number,
  ): Promise<{ readonly bytes: Buffer; readonly whole: boolean } | undefined> {
    await using zip = await this.#open(path, version);
    if (zip === undefined) return undefined;
    const directory = await findDirectory(zip);
    const wanted = `${path}@${version}/${name}`;
    for await (const entry of readDirectory(zip, directory)) {
      if (entry.name !== wanted) continue;
      const bytes = await readStart(zip, new ZipWindow(zip), entry, directory.offset, limit);
      return { bytes, whole: bytes.length === entry.size };
    }
    return undefined;
  }

  async #open(path: string, version: string) {
    try {
      return await openZipFile(this.#store.fileName('zip', path, version));
    } catch (error) {
      if (error instanceof GokeepError) throw error;
      throw new GokeepError('storage_failed', 'the gokeep server could not read its storage; see its log', {
        cause: error,
      });
    }
  }
}
