import { GokeepError } from '../errors.ts';
import { type Hash, nodeHash } from './hash.ts';
import {
  foldSubtrees,
  type HashReader,
  isCount,
  MAX_TREE_SIZE,
  powerBelow,
  readHashes,
  subtreeIndexes,
} from './tree.ts';

/**
 * Proofs of RFC 6962 sections 2.1.1 and 2.1.2, in the order of x/mod tlog: the hash nearest the leaf first.
 */

/** One step of a proof: the stored hashes to fold into it. */
type Step = readonly number[];

/** The proof that the tree of size t holds record n. Throws `bad_proof` where there is no such record. */
export async function proveRecord(t: number, n: number, reader: HashReader): Promise<Hash[]> {
  if (!inRange(t) || !isCount(n) || n >= t) throw outOfRange();
  return readSteps(recordSteps(0, t, n), reader);
}

/** The proof that the first n records of the tree of size t are the tree of size n; 1 ≤ n ≤ t. */
export async function proveTree(t: number, n: number, reader: HashReader): Promise<Hash[]> {
  if (!inRange(t) || !isCount(n) || n < 1 || n > t) throw outOfRange();
  return readSteps(treeSteps(0, t, n), reader);
}

/** Throws `bad_proof` unless record n of the tree (t, root) has the hash `leafHash`. */
export function checkRecord(proof: readonly Hash[], t: number, root: Hash, n: number, leafHash: Hash): void {
  if (!inRange(t) || !isCount(n) || n >= t) throw outOfRange();
  if (!runRecordProof(proof, 0, t, n, leafHash).equals(root)) throw notProven();
}

/** Throws `bad_proof` unless the tree (n, oldRoot) is how the tree (t, root) began; 1 ≤ n ≤ t. */
export function checkTree(proof: readonly Hash[], t: number, root: Hash, n: number, oldRoot: Hash): void {
  if (!inRange(t) || !isCount(n) || n < 1 || n > t) throw outOfRange();
  const implied = runTreeProof(proof, 0, t, n, oldRoot);
  if (!implied.old.equals(oldRoot) || !implied.root.equals(root)) throw notProven();
}

function recordSteps(lo: number, hi: number, n: number): Step[] {
  if (lo + 1 === hi) return [];
  const middle = lo + powerBelow(hi - lo).size;
  return n < middle
    ? [...recordSteps(lo, middle, n), subtreeIndexes(middle, hi)]
    : [...recordSteps(middle, hi, n), subtreeIndexes(lo, middle)];
}

function treeSteps(lo: number, hi: number, n: number): Step[] {
  // Common ground. At lo = 0 it is the old tree itself, whose root the verifier knows.
  if (n === hi) return lo === 0 ? [] : [subtreeIndexes(lo, hi)];
  const middle = lo + powerBelow(hi - lo).size;
  return n <= middle
    ? [...treeSteps(lo, middle, n), subtreeIndexes(middle, hi)]
    : [...treeSteps(middle, hi, n), subtreeIndexes(lo, middle)];
}

/** Fetches all steps at once, so that a reader over tiles can fetch them in parallel. */
async function readSteps(steps: readonly Step[], reader: HashReader): Promise<Hash[]> {
  const indexes = steps.flat();
  if (indexes.length === 0) return [];
  const hashes = await readHashes(reader, indexes);
  let at = 0;
  return steps.map((step) => foldSubtrees(hashes.slice(at, (at += step.length))));
}

/** The root that the proof implies for the subtree of records lo to hi − 1. */
function runRecordProof(proof: readonly Hash[], lo: number, hi: number, n: number, leafHash: Hash): Hash {
  if (lo + 1 === hi) {
    if (proof.length > 0) throw notProven();
    return leafHash;
  }
  const last = proof.at(-1);
  if (last === undefined) throw notProven();
  const rest = proof.slice(0, -1);
  const middle = lo + powerBelow(hi - lo).size;
  return n < middle
    ? nodeHash(runRecordProof(rest, lo, middle, n, leafHash), last)
    : nodeHash(last, runRecordProof(rest, middle, hi, n, leafHash));
}

/** The roots that the proof implies for the subtree of records lo to hi − 1, in the old tree and in the new. */
function runTreeProof(
  proof: readonly Hash[],
  lo: number,
  hi: number,
  n: number,
  oldRoot: Hash,
): { old: Hash; root: Hash } {
  if (n === hi && lo === 0) {
    if (proof.length > 0) throw notProven();
    return { old: oldRoot, root: oldRoot };
  }
  const last = proof.at(-1);
  if (last === undefined) throw notProven();
  if (n === hi) {
    if (proof.length !== 1) throw notProven();
    return { old: last, root: last };
  }
  const rest = proof.slice(0, -1);
  const middle = lo + powerBelow(hi - lo).size;
  if (n <= middle) {
    const { old, root } = runTreeProof(rest, lo, middle, n, oldRoot);
    return { old, root: nodeHash(root, last) };
  }
  const { old, root } = runTreeProof(rest, middle, hi, n, oldRoot);
  return { old: nodeHash(last, old), root: nodeHash(last, root) };
}

function inRange(size: number): boolean {
  return isCount(size) && size <= MAX_TREE_SIZE;
}

function outOfRange(): GokeepError {
  return new GokeepError(
    'bad_proof',
    'a proof was asked for, or given, about a record or size that is not in the tree',
  );
}

function notProven(): GokeepError {
  return new GokeepError('bad_proof', 'a transparency log proof does not prove what it should');
}
