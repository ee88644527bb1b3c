import { expect, test } from 'vitest';
import { EMPTY_ROOT, recordHash } from '../../src/tlog/hash.ts';
import {
  MAX_TREE_SIZE,
  splitStoredHashIndex,
  storedHashCount,
  storedHashIndex,
  treeHash,
} from '../../src/tlog/tree.ts';
import { fromBase64, golden } from './golden.ts';
import { StoredLog } from './stored-log.ts';

interface Golden {
  recordHashes: { data: string; hash: string }[];
  roots: [number, string][];
  indexes: [number, number, number][];
  counts: [number, number][];
}
const { recordHashes, roots, indexes, counts } = golden('tree') as Golden;
const log = StoredLog.ofSize(65793);

test.each(recordHashes)('the leaf hash of a record is that of x/mod', ({ data, hash }) => {
  expect(recordHash(Buffer.from(data))).toEqual(fromBase64(hash));
});

test('the empty tree has the hash of nothing as its root', async () => {
  expect(await treeHash(0, log.reader)).toEqual(EMPTY_ROOT);
  expect(EMPTY_ROOT.toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('the roots of trees of many sizes are those of x/mod', async () => {
  for (const [size, root] of roots) {
    expect(await treeHash(size, log.reader), `size ${size}`).toEqual(fromBase64(root));
  }
});

test('stored hashes are numbered as in x/mod, beyond 2^32 too', () => {
  for (const [level, n, index] of indexes) {
    expect(storedHashIndex(level, n), `(${level}, ${n})`).toBe(index);
    expect(splitStoredHashIndex(index), `index ${index}`).toEqual({ level, n });
  }
});

test.each(counts)('a tree of %d records stores %d hashes', (n, count) => {
  expect(storedHashCount(n)).toBe(count);
});

test.each([
  [0, MAX_TREE_SIZE],
  [52, 1],
  [0, -1],
  [-1, 0],
  [0, 0.5],
  [0, 2 ** 53],
])('coordinates (%d, %d) that numbers cannot hold exactly are refused', (level, n) => {
  expect(() => storedHashIndex(level, n)).toThrow(expect.objectContaining({ code: 'bad_proof' }));
});

test.each([-1, 0.5, 2 ** 53 - 1, 2 ** 53])('index %d that no tree has is refused', (index) => {
  expect(() => splitStoredHashIndex(index)).toThrow(expect.objectContaining({ code: 'bad_proof' }));
});

test('a reader that leaves hashes out is caught', async () => {
  await expect(treeHash(3, async () => [EMPTY_ROOT])).rejects.toMatchObject({ code: 'internal' });
});
