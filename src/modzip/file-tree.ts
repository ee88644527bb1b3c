/**
 * The files and directories of a module, kept to find names that could not live together in one file system:
 * names equal but for case, a file listed twice, a path that is both a file and a directory (the
 * collisionChecker of golang.org/x/mod/zip).
 *
 * A tree rather than Go's map of all prefixes: the work is proportional to the length of the names, whatever
 * their depth.
 */

import { quote } from '../module/quote.ts';
import { MAX_ENTRIES } from './directory.ts';
import { foldCase } from './fold.ts';
import { badZip } from './zip-source.ts';

interface Node {
  readonly name: string;
  /** Undefined for a file. */
  readonly children: Map<string, Node> | undefined;
}

export class FileTree {
  readonly #root: Node = { name: '', children: new Map() };
  #size = 0;

  /**
   * Adds a file or a directory, and the directories above it. A directory may come more than once.
   *
   * @param path relative to the module's root, with slashes, clean
   * @throws bad_zip without the file's name
   */
  add(path: string, isDirectory: boolean): void {
    const problem = this.problem(path, isDirectory);
    if (problem !== undefined) throw badZip(`file ${quote(path)}: ${problem}`);
  }

  /**
   * As add, but tells why the path cannot live beside the others, or undefined when it can.
   *
   * @throws bad_zip when there are too many
   */
  problem(path: string, isDirectory: boolean): string | undefined {
    let parent = this.#root;
    for (let start = 0; ; ) {
      const slash = path.indexOf('/', start);
      const name = slash < 0 ? path.slice(start) : path.slice(start, slash);
      const node = this.#child(parent, name, slash >= 0 || isDirectory);
      if (typeof node === 'string') return node;
      if (slash < 0) return undefined;
      parent = node;
      start = slash + 1;
    }
  }

  /** The node of that name, made if need be; or why there can be none. */
  #child(parent: Node, name: string, isDirectory: boolean): Node | string {
    const fold = foldCase(name);
    const other = parent.children?.get(fold);
    if (other === undefined) {
      if (++this.#size > MAX_ENTRIES) throw badZip(`it has more than ${MAX_ENTRIES} files and directories`);
      const node = { name, children: isDirectory ? new Map<string, Node>() : undefined };
      parent.children?.set(fold, node);
      return node;
    }
    if (other.name !== name) return `${quote(other.name)} and ${quote(name)} differ only in case`;
    if (isDirectory !== (other.children !== undefined))
      return `${quote(name)} is both a file and a directory`;
    return isDirectory ? other : 'it is there twice';
  }
}
