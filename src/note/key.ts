import { createHash } from 'node:crypto';
import { decodeBase64 } from './base64.ts';

/** The algorithm byte that starts an encoded Ed25519 key. */
export const ALGORITHM_ED25519 = 1;

/** Go's unicode.IsSpace: narrower than `\s` (no U+FEFF) and wider (U+0085). */
const SPACE_OR_PLUS = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000+]/u;

/** A key name is non-empty, well-formed Unicode, without spaces and pluses (x/mod note.isValidName). */
export function isValidName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !SPACE_OR_PLUS.test(name);
}

/** The first four bytes, big-endian, of SHA256(name ‖ "\n" ‖ algorithm ‖ public key). */
export function keyHash(name: string, algorithmAndKey: Buffer): number {
  return createHash('sha256').update(`${name}\n`).update(algorithmAndKey).digest().readUInt32BE(0);
}

/** The eight hex digits in which a key hash is written. */
export function keyHashText(hash: number): string {
  return hash.toString(16).padStart(8, '0');
}

/** The three parts of `name+hash+base64`; the base64 may hold pluses of its own. */
export interface EncodedKey {
  readonly name: string;
  readonly keyHash: number;
  /** The algorithm byte and what follows it; never empty. */
  readonly key: Buffer;
}

/** Splits an encoded key, or says undefined where its form is wrong. The hash is not compared here. */
export function splitKey(text: string): EncodedKey | undefined {
  const first = text.indexOf('+');
  const second = text.indexOf('+', first + 1);
  if (first < 0 || second < 0) return undefined;
  const name = text.slice(0, first);
  const hash = text.slice(first + 1, second);
  const key = decodeBase64(text.slice(second + 1));
  if (!isValidName(name) || !/^[0-9a-fA-F]{8}$/.test(hash) || key === undefined || key.length === 0) {
    return undefined;
  }
  return { name, keyHash: Number.parseInt(hash, 16), key };
}
