/**
 * What may be in a module zip: the rules of golang.org/x/mod/zip.CheckZip about names and declared sizes.
 */

import { MAX_GO_MOD } from '../modfile/mod-file.ts';
import { filePathProblem } from '../module/path.ts';
import { quote } from '../module/quote.ts';
import { badEntry, type Entry } from './directory.ts';
import { FileTree } from './file-tree.ts';
import { badZip } from './zip-source.ts';

/** The largest module zip, and the largest sum of its files, in bytes (x/mod/zip MaxZipFile). */
export const MAX_ZIP = 500 * 1024 * 1024;

/** The largest LICENSE in a module's root, in bytes (x/mod/zip MaxLICENSE). */
export const MAX_LICENSE = 16 * 1024 * 1024;

/** Judges the entries of one zip, one after the other. */
export class FileRules {
  /** Without directories. */
  files = 0;
  /** The sum of what the entries declare. */
  uncompressedBytes = 0;
  readonly #prefix: string;
  readonly #tree = new FileTree();

  /** @param prefix `<path>@<version>/`, with which all names begin */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** @throws bad_zip */
  add(entry: Entry): void {
    if (!entry.name.startsWith(this.#prefix))
      throw badEntry(entry, `its name does not begin with ${quote(this.#prefix)}`);
    const relative = entry.name.slice(this.#prefix.length);
    const isDirectory = relative === '' || relative.endsWith('/');
    if (isDirectory && entry.size !== 0) throw badEntry(entry, 'it is a directory, and yet has content');
    if (relative === '') return;
    const name = isDirectory ? relative.slice(0, -1) : relative;
    const problem = filePathProblem(name);
    if (problem !== undefined) throw badEntry(entry, problem);
    this.#tree.add(name, isDirectory);
    if (!isDirectory) this.#addFile(entry, name);
  }

  #addFile(entry: Entry, name: string): void {
    this.files++;
    this.uncompressedBytes += entry.size;
    if (this.uncompressedBytes > MAX_ZIP) throw badZip(`its files are larger than ${MAX_ZIP} bytes together`);
    if (name.toLowerCase() === 'go.mod' && name !== 'go.mod')
      throw badEntry(entry, 'go.mod must be written in lower case');
    if (name.toLowerCase().endsWith('/go.mod'))
      throw badEntry(
        entry,
        'a go.mod outside of the root makes another module, whose files do not belong here',
      );
    if (name === 'go.mod' && entry.size > MAX_GO_MOD)
      throw badEntry(entry, `it is larger than ${MAX_GO_MOD} bytes`);
    if (name === 'LICENSE' && entry.size > MAX_LICENSE)
      throw badEntry(entry, `it is larger than ${MAX_LICENSE} bytes`);
  }
}
