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
  const hash = new Hash1();
  for (const { name, sha256 } of files) hash.add(name, sha256);
  return hash.digest();
}

/** Collects the files of one h1: hash, in little memory even when there are a million. */
export class Hash1 {
  readonly #names: string[] = [];
  #hashes = Buffer.alloc(32 * 64);
  /** Whether UTF-16 order may differ from that of UTF-8. */
  #beyondSurrogates = false;

  /** @param sha256 32 bytes */
  add(name: string, sha256: Buffer): void {
    const at = this.#names.length * 32;
    if (at === this.#hashes.length) this.#hashes = Buffer.concat([this.#hashes, Buffer.alloc(at)]);
    this.#hashes.set(sha256, at);
    this.#names.push(name);
    this.#beyondSurrogates ||= /[\ud800-\uffff]/.test(name);
  }

  digest(): string {
    const names = this.#names;
    const order = Uint32Array.from(names.keys());
    const compare = this.#beyondSurrogates ? compareAsUtf8 : compareAsUtf16;
    order.sort((a, b) => compare(names[a] ?? '', names[b] ?? ''));
    const hash = createHash('sha256');
    for (const i of order) {
      hash.update(`${this.#hashes.toString('hex', 32 * i, 32 * (i + 1))}  ${names[i] ?? ''}\n`);
    }
    return `h1:${hash.digest('base64')}`;
  }
}

// Go sorts by bytes; JavaScript compares UTF-16, which puts U+E000 to U+FFFF behind everything above.
function compareAsUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function compareAsUtf16(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
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
