/** What a module is built from, wherever it lies. */

import type { Finding, ListedFile } from '../modzip/selection.ts';

export interface SourceFile extends ListedFile {
  /** Its content, from the beginning. Ends soon after `size` bytes; fewer or more mean that it has changed. */
  readonly read: () => AsyncIterable<Buffer>;
}

/** Where a source tree comes from, when that is a git repository. */
export interface Commit {
  /** The full hash. */
  readonly hash: string;
  /** The committer's, to the second: the `Time` of a version's .info. */
  readonly time: Date;
}

/** A source tree, open for reading until it is disposed of. */
export interface SourceTree extends AsyncDisposable {
  /** Everything that is no directory. */
  readonly files: readonly SourceFile[];
  /** What was passed over while the files were listed. */
  readonly omitted: readonly Finding[];
  /**
   * What the .mod file is made of, where there is a go.mod: for a commit not the go.mod among the files, but the one
   * that is stored. Attributes can make the two differ.
   */
  readonly goMod: SourceFile | undefined;
  readonly commit: Commit | undefined;
}

/** The whole content of a file, or undefined when it is longer than `limit` bytes. */
export async function readWhole(file: SourceFile, limit: number): Promise<Buffer | undefined> {
  if (file.size > limit) return undefined;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of file.read()) {
    length += chunk.length;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
