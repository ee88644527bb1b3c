import { createHash, hash } from 'node:crypto';
import { decodeBase64 } from '../note/base64.ts';

/** SHA-256, always 32 bytes. */
export type Hash = Buffer;

/** Bytes in a hash. */
export const HASH_SIZE = 32;

/** The root of the tree without records: SHA256 of nothing (RFC 6962 section 2.1). */
export const EMPTY_ROOT: Hash = createHash('sha256').digest();

const RECORD_PREFIX = Buffer.of(0x00);

/** SHA256(0x00 ‖ data), the hash of a leaf (RFC 6962 section 2.1). */
export function recordHash(data: Uint8Array): Hash {
  return createHash('sha256').update(RECORD_PREFIX).update(data).digest();
}

/** SHA256(0x01 ‖ left ‖ right), the hash of an inner node (RFC 6962 section 2.1). */
export function nodeHash(left: Hash, right: Hash): Hash {
  const input = Buffer.allocUnsafe(1 + 2 * HASH_SIZE);
  input[0] = 0x01;
  input.set(left, 1);
  input.set(right, 1 + HASH_SIZE);
  return hash('sha256', input, 'buffer');
}

const NODE = Buffer.alloc(1 + 2 * HASH_SIZE, 0x01);

/** Writes the hash of the node whose children stand at `from` and behind it to `to`. Makes no object that stays. */
export function hashNodeInto(hashes: Buffer, from: number, to: number): void {
  hashes.copy(NODE, 1, from, from + 2 * HASH_SIZE);
  hashes.write(hash('sha256', NODE, 'latin1'), to, 'latin1');
}

/** Reads a hash from its 44 characters of base64, or says undefined. */
export function parseHash(text: string): Hash | undefined {
  const bytes = decodeBase64(text);
  return bytes?.length === HASH_SIZE ? bytes : undefined;
}
