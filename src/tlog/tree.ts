import { GokeepError } from '../errors.ts';
import { EMPTY_ROOT, type Hash, nodeHash } from './hash.ts';

/**
 * The tree of RFC 6962 and the numbering of its stored hashes (x/mod sumdb/tlog).
 *
 * A complete subtree is (level, n): it covers records n·2^level to (n+1)·2^level − 1. Stored hashes are numbered
 * in the order in which appending completes them. Bit operators are 32-bit in JavaScript, so all of this is
 * arithmetic.
 */

/** Indexes of stored hashes run to twice the size, and numbers are exact to 2^53. */
export const MAX_TREE_SIZE = 2 ** 52;

/** Reads stored hashes by index; answers as many as it was asked for, in that order, or throws. */
export type HashReader = (indexes: readonly number[]) => Promise<readonly Hash[]>;

/** The index of the hash of subtree (level, n). Throws `bad_proof` beyond {@link MAX_TREE_SIZE}. */
export function storedHashIndex(level: number, n: number): number {
  // The subtree is complete once record `last` is in; 2·last − ones(last) hashes were stored before that
  // record, its own and `level` more follow, and of the ones in `last` the low `level` are its own.
  const last = (n + 1) * 2 ** level - 1;
  if (!isCount(level) || !isCount(n) || last >= MAX_TREE_SIZE) {
    throw new GokeepError('bad_proof', 'a tree coordinate is out of range');
  }
  return 2 * last - ones(n);
}

/** The inverse of {@link storedHashIndex}. */
export function splitStoredHashIndex(index: number): { level: number; n: number } {
  if (!isCount(index) || index > 2 * MAX_TREE_SIZE - 2) {
    throw new GokeepError('bad_proof', 'the index of a stored hash is out of range');
  }
  // Fewer than 2·n hashes precede record n, so the record we want is index/2 or a little more.
  let n = Math.floor(index / 2);
  let first = storedHashIndex(0, n);
  for (;;) {
    const next = first + 1 + trailingZeros(n + 1);
    if (next > index) break;
    n++;
    first = next;
  }
  const level = index - first;
  return { level, n: Math.floor(n / 2 ** level) };
}

/** How many hashes a tree of n records stores. */
export function storedHashCount(n: number): number {
  return n === 0 ? 0 : storedHashIndex(0, n - 1) + 1 + trailingZeros(n);
}

/** The root of the tree of the first n records, from one call to `reader`. */
export async function treeHash(n: number, reader: HashReader): Promise<Hash> {
  if (n === 0) return EMPTY_ROOT;
  const hashes = await readHashes(reader, subtreeIndexes(0, n));
  return foldSubtrees(hashes);
}

/** Calls `reader` and holds it to its promise. */
export async function readHashes(reader: HashReader, indexes: readonly number[]): Promise<readonly Hash[]> {
  const hashes = await reader(indexes);
  if (hashes.length !== indexes.length) {
    throw new GokeepError('internal', 'a reader of hashes answered another number than it was asked for');
  }
  return hashes;
}

/** The stored hashes that together cover records lo to hi − 1, largest subtree first; lo must be aligned. */
export function subtreeIndexes(lo: number, hi: number): number[] {
  const indexes: number[] = [];
  for (let at = lo; at < hi; ) {
    const { size, level } = powerBelow(hi - at + 1);
    indexes.push(storedHashIndex(level, at / size));
    at += size;
  }
  return indexes;
}

/** The hash of the subtree whose parts, largest first, are given; at least one. */
export function foldSubtrees(hashes: readonly Hash[]): Hash {
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** The largest power of two that is smaller than n ≥ 2, and its logarithm. */
export function powerBelow(n: number): { size: number; level: number } {
  let size = 1;
  let level = 0;
  while (size * 2 < n) {
    size *= 2;
    level++;
  }
  return { size, level };
}

/** A whole number that JavaScript holds exactly. */
export function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function ones(n: number): number {
  let count = 0;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}

/** Of a positive number. */
function trailingZeros(n: number): number {
  let count = 0;
  for (let rest = n; rest % 2 === 0; rest /= 2) count++;
  return count;
}
