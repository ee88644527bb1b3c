/**
 * The h1: hash of a module (golang.org/x/mod/sumdb/dirhash.Hash1): the SHA-256 of a list of all files with
 * their own SHA-256, so that it does not depend on how a zip was packed.
 */

import { createHash } from 'node:crypto';

/** One file that goes into a hash. */
export interface HashedFile {
  /** As in the zip: `<path>@<version>/<file>`. Holds no newline. */
  readonly name: string;
  /** 32 bytes. */
  readonly sha256: Buffer;
}

/** The h1: hash of files, in whatever order they come. */
export function hash1(files: readonly HashedFile[]): string {
  // Go sorts by bytes; a plain sort in JavaScript would go by UTF-16, which differs beyond U+FFFF.
  const sorted = files.map((file) => ({ file, bytes: Buffer.from(file.name) }));
  sorted.sort((a, b) => Buffer.compare(a.bytes, b.bytes));
  const hash = createHash('sha256');
  for (const { file } of sorted) hash.update(`${file.sha256.toString('hex')}  ${file.name}\n`);
  return `h1:${hash.digest('base64')}`;
}

/** The h1: hash of a go.mod, as it stands in go.sum for `<version>/go.mod`. */
export function h1OfGoMod(content: Uint8Array): string {
  return hash1([{ name: 'go.mod', sha256: createHash('sha256').update(content).digest() }]);
}

/** True for `h1:` and the base64 of 32 bytes, in its one canonical spelling. */
export function isH1(text: string): boolean {
  // 43 characters hold 258 bits: the last one must leave its lowest two at zero.
  return /^h1:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(text);
}
