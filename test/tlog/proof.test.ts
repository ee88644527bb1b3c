import { expect, test } from 'vitest';
import { type Hash, recordHash } from '../../src/tlog/hash.ts';
import { checkRecord, checkTree, proveRecord, proveTree } from '../../src/tlog/proof.ts';
import { treeHash } from '../../src/tlog/tree.ts';
import { fromBase64, golden } from './golden.ts';
import { StoredLog } from './stored-log.ts';

interface Vector {
  t: number;
  n: number;
  proof: string[];
}
const { recordProofs, treeProofs } = golden('tree') as { recordProofs: Vector[]; treeProofs: Vector[] };
const log = StoredLog.ofSize(65793);
const badProof = expect.objectContaining({ code: 'bad_proof' });

/** The proof with one bit flipped, a hash taken away, and one added. */
function spoiled(proof: readonly Hash[]): Hash[][] {
  const flipped = proof.map((_, i) =>
    proof.map((hash, j) => {
      const copy = Buffer.from(hash);
      if (i === j) copy[31]! ^= 1;
      return copy;
    }),
  );
  const shorter = proof.length === 0 ? [] : [proof.slice(1), proof.slice(0, -1)];
  return [...flipped, ...shorter, [...proof, recordHash(Buffer.alloc(0))]];
}

test('record proofs are those of x/mod, prove, and prove nothing else', async () => {
  for (const { t, n, proof } of recordProofs) {
    const ours = await proveRecord(t, n, log.reader);
    expect(ours, `record ${n} of ${t}`).toEqual(proof.map(fromBase64));
    const root = await treeHash(t, log.reader);
    const leaf = log.at(0, n);
    expect(() => checkRecord(ours, t, root, n, leaf)).not.toThrow();
    for (const bad of spoiled(ours)) expect(() => checkRecord(bad, t, root, n, leaf)).toThrow(badProof);
    if (t > 1) expect(() => checkRecord(ours, t, root, (n + 1) % t, leaf)).toThrow(badProof);
  }
});

test('tree proofs are those of x/mod, prove, and prove nothing else', async () => {
  for (const { t, n, proof } of treeProofs) {
    const ours = await proveTree(t, n, log.reader);
    expect(ours, `tree ${n} in ${t}`).toEqual(proof.map(fromBase64));
    const root = await treeHash(t, log.reader);
    const oldRoot = await treeHash(n, log.reader);
    expect(() => checkTree(ours, t, root, n, oldRoot)).not.toThrow();
    for (const bad of spoiled(ours)) expect(() => checkTree(bad, t, root, n, oldRoot)).toThrow(badProof);
    const other = recordHash(Buffer.from('another root'));
    expect(() => checkTree(ours, t, other, n, oldRoot)).toThrow(badProof);
    expect(() => checkTree(ours, t, root, n, other)).toThrow(badProof);
  }
});

test.each([
  [0, 0],
  [5, 5],
  [5, -1],
  [5, 0.5],
  [-1, 0],
  [2 ** 53, 1],
])('a record proof for t = %d, n = %d is refused', async (t, n) => {
  await expect(proveRecord(t, n, log.reader)).rejects.toMatchObject({ code: 'bad_proof' });
  expect(() => checkRecord([], t, log.at(0, 0), n, log.at(0, 0))).toThrow(badProof);
});

test.each([
  [0, 0],
  [5, 0],
  [5, 6],
  [5, 1.5],
  [2 ** 53, 1],
])('a tree proof for t = %d, n = %d is refused', async (t, n) => {
  await expect(proveTree(t, n, log.reader)).rejects.toMatchObject({ code: 'bad_proof' });
  expect(() => checkTree([], t, log.at(0, 0), n, log.at(0, 0))).toThrow(badProof);
});
