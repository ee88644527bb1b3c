import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { recordHash } from '../../src/tlog/hash.ts';
import {
  DATA_LEVEL,
  hashFromTile,
  newTiles,
  parseTilePath,
  tileForIndex,
  tilePath,
} from '../../src/tlog/tile.ts';
import { type Coordinates, fromBase64, golden, tileOf } from './golden.ts';
import { StoredLog } from './stored-log.ts';

interface Golden {
  paths: { path: string; tile?: Coordinates }[];
  forIndex: [number, number, Coordinates][];
  newTiles: [number, number, number, Coordinates[]][];
  tileData: { tile: Coordinates; sha256: string }[];
  hashFromTile: { tile: Coordinates; index: number; hash?: string }[];
}
const vectors = golden('tile') as Golden;
const badTile = expect.objectContaining({ code: 'bad_tile' });

test.each(vectors.paths)('tile path $path is judged as by x/mod', ({ path, tile }) => {
  if (tile === undefined) {
    expect(() => parseTilePath(path)).toThrow(badTile);
  } else {
    expect(parseTilePath(path)).toEqual(tileOf(tile));
    expect(tilePath(tileOf(tile))).toBe(path);
  }
});

test.each(['tile/8/64/000', 'tile/8/99/000', 'tile/8/0/x999/x999/x999/x999/x999/999'])(
  'tile path %s, which x/mod lets pass, names no tile that can be',
  (path) => {
    expect(() => parseTilePath(path)).toThrow(badTile);
  },
);

test('every tile has one path', () => {
  const tiles = fc.integer({ min: 1, max: 30 }).chain((height) =>
    fc.record({
      height: fc.constant(height),
      level: fc.integer({ min: DATA_LEVEL, max: 63 }),
      n: fc.maxSafeNat(),
      width: fc.integer({ min: 1, max: 2 ** height }),
    }),
  );
  fc.assert(
    fc.property(tiles, (tile) => {
      expect(parseTilePath(tilePath(tile))).toEqual(tile);
    }),
  );
});

test('a stored hash lies in the tile that x/mod names', () => {
  for (const [height, index, tile] of vectors.forIndex) {
    expect(tileForIndex(height, index), `height ${height}, index ${index}`).toEqual(tileOf(tile));
  }
});

test.each(vectors.newTiles)(
  'with height %d, growing from %d to %d publishes the tiles of x/mod',
  (h, from, to, tiles) => {
    expect(newTiles(h, from, to)).toEqual(tiles.map(tileOf));
  },
);

test('a tile lists the hashes that x/mod puts into it', () => {
  const log = StoredLog.ofSize(65793);
  for (const { tile, sha256 } of vectors.tileData) {
    const data = log.tileData(tileOf(tile));
    expect(createHash('sha256').update(data).digest('hex'), tile.join('/')).toBe(sha256);
  }
});

test.each(vectors.hashFromTile)(
  'hash $index out of tile $tile is judged as by x/mod',
  ({ tile, index, hash }) => {
    const width = tile[3];
    const data = Buffer.concat(Array.from({ length: width }, (_, i) => recordHash(Buffer.of(i))));
    if (hash === undefined) {
      expect(() => hashFromTile(tileOf(tile), data, index)).toThrow(badTile);
    } else {
      expect(hashFromTile(tileOf(tile), data, index)).toEqual(fromBase64(hash));
      expect(() => hashFromTile(tileOf(tile), data.subarray(1), index)).toThrow(badTile);
    }
  },
);

test.each([0, 31, 1.5, -1])('a tile of height %d is refused', (height) => {
  expect(() => tileForIndex(height, 0)).toThrow(badTile);
  expect(() => newTiles(height, 0, 1)).toThrow(badTile);
});
