import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { EMPTY_ROOT, type Hash, recordHash } from '../../src/tlog/hash.ts';
import { RightEdge } from '../../src/tlog/right-edge.ts';
import { newTiles } from '../../src/tlog/tile.ts';
import { treeHash } from '../../src/tlog/tree.ts';
import { StoredLog } from './stored-log.ts';

const log = StoredLog.ofSize(66200);

function leaf(n: number): Hash {
  return log.at(0, n);
}

/** The edge of the first `size` records, restored from the tiles of the log. */
function edgeOf(size: number): RightEdge {
  return RightEdge.restore(size, (level, n, width) => log.tileData({ height: 8, level, n, width }));
}

/** What must be published when the log grows, with the data the plain log has for it. */
function published(from: number, to: number): unknown {
  return newTiles(8, from, to).map((tile) => ({ level: tile.level, n: tile.n, data: log.tileData(tile) }));
}

const SIZES = [
  0, 1, 2, 254, 255, 256, 257, 511, 512, 513, 65279, 65280, 65535, 65536, 65537, 65791, 65792, 65793,
];

test('the empty edge has the empty root and nothing to publish', () => {
  const edge = RightEdge.empty();
  expect(edge.size).toBe(0);
  expect(edge.root()).toEqual(EMPTY_ROOT);
  expect(edge.takeChangedTiles()).toEqual([]);
});

test('appending from nothing gives the roots and, taken at once, the tiles of the plain log', async () => {
  const edge = RightEdge.empty();
  while (edge.size < 66000) {
    if (SIZES.includes(edge.size)) expect(edge.root()).toEqual(await treeHash(edge.size, log.reader));
    edge.append(leaf(edge.size));
  }
  expect(edge.takeChangedTiles()).toEqual(published(0, 66000));
  expect(edge.takeChangedTiles()).toEqual([]);
});

test.each(SIZES)('an edge restored at size %d has its root and nothing to publish', async (size) => {
  const edge = edgeOf(size);
  expect(edge.size).toBe(size);
  expect(edge.root()).toEqual(await treeHash(size, log.reader));
  expect(edge.takeChangedTiles()).toEqual([]);
});

test('from any size, any batches publish what newTiles says and reach the right root', async () => {
  const start = fc.oneof(fc.constantFrom(...SIZES), fc.nat({ max: 65600 }));
  const batches = fc.array(fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 300 })), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(start, batches, async (size, counts) => {
      const edge = edgeOf(size);
      for (const count of counts) {
        const from = edge.size;
        const to = Math.min(from + count, log.size);
        while (edge.size < to) edge.append(leaf(edge.size));
        expect(edge.root()).toEqual(await treeHash(to, log.reader));
        expect(edge.takeChangedTiles()).toEqual(published(from, to));
      }
    }),
    { numRuns: 150 },
  );
});

test.each([0, 255, 65535])('a clone at size %d and its original know nothing of each other', async (size) => {
  const edge = edgeOf(size);
  const untaken = Math.min(size, 1);
  if (untaken === 1) edge.append(leaf(size));
  const copy = edge.clone();
  for (let i = 0; i < 600; i++) copy.append(recordHash(Buffer.of(i % 256)));
  copy.takeChangedTiles();
  expect(edge.size).toBe(size + untaken);
  while (edge.size < size + 300) edge.append(leaf(edge.size));
  expect(edge.root()).toEqual(await treeHash(size + 300, log.reader));
  expect(edge.takeChangedTiles()).toEqual(published(size, size + 300));
});

test('a clone still has what its original had not handed over', () => {
  const edge = edgeOf(200);
  while (edge.size < 300) edge.append(leaf(edge.size));
  expect(edge.clone().takeChangedTiles()).toEqual(published(200, 300));
});

test('tiles that were taken do not change any more', () => {
  const edge = edgeOf(250);
  edge.append(leaf(250));
  const taken = edge.takeChangedTiles();
  edge.append(leaf(251));
  expect(taken).toEqual(published(250, 251));
});

test('a buffer that its owner uses again does not change the tree', async () => {
  const edge = RightEdge.empty();
  const buffer = Buffer.from(leaf(0));
  edge.append(buffer);
  buffer.fill(0);
  expect(edge.root()).toEqual(await treeHash(1, log.reader));
});

test.each([0, 31, 33])('an append of %d bytes is refused', (length) => {
  const edge = RightEdge.empty();
  expect(() => edge.append(Buffer.alloc(length))).toThrow(expect.objectContaining({ code: 'internal' }));
  expect(edge.size).toBe(0);
});

test.each([-32, -1, 1, 32])('a stored tile that is %d bytes longer than it should be is refused', (more) => {
  expect(() => RightEdge.restore(300, (_level, _n, width) => Buffer.alloc(width * 32 + more))).toThrow(
    expect.objectContaining({ code: 'bad_tile' }),
  );
});

test.each([-1, 0.5, 2 ** 52 + 1, Number.NaN])('a stored size of %d is refused', (size) => {
  expect(() => RightEdge.restore(size, () => Buffer.alloc(0))).toThrow(
    expect.objectContaining({ code: 'bad_tile' }),
  );
});

test('an edge beyond 2^32 records asks for the right tiles and goes on', () => {
  const size = 2 ** 32 + 5;
  const asked: number[][] = [];
  const edge = RightEdge.restore(size, (level, n, width) => {
    asked.push([level, n, width]);
    return Buffer.alloc(width * 32, level);
  });
  expect(asked).toEqual([
    [0, 2 ** 24, 5],
    [4, 0, 1],
  ]);
  edge.append(leaf(0));
  expect(edge.takeChangedTiles().map(({ level, n, data }) => [level, n, data.length])).toEqual([
    [0, 2 ** 24, 192],
  ]);
});
