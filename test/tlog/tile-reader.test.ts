import { expect, test } from 'vitest';
import type { Hash } from '../../src/tlog/hash.ts';
import { type Tile, tileForIndex, tilePath } from '../../src/tlog/tile.ts';
import { type TileReader, tileHashReader } from '../../src/tlog/tile-reader.ts';
import { splitStoredHashIndex, storedHashCount, treeHash } from '../../src/tlog/tree.ts';
import { StoredLog } from './stored-log.ts';

/** Serves the tiles of a log, remembers what it was asked for and told to save. */
class LogTiles implements TileReader {
  readonly asked: string[] = [];
  readonly saved: string[] = [];
  readonly log: StoredLog;
  readonly height: number;
  constructor(log: StoredLog, height: number) {
    this.log = log;
    this.height = height;
  }
  async readTiles(tiles: readonly Tile[]): Promise<Buffer[]> {
    this.asked.push(...tiles.map(tilePath));
    return tiles.map((tile) => this.log.tileData(tile));
  }
  saveTiles(tiles: readonly Tile[], data: readonly Buffer[]): void {
    tiles.forEach((tile, i) => {
      expect(data[i]).toEqual(this.log.tileData(tile));
      this.saved.push(tilePath(tile));
    });
  }
}

/** The same tiles, but with the stored hash `index`, or those it is made of, replaced by zeroes. */
class ZeroedTiles extends LogTiles {
  zeroed = 0;
  override async readTiles(tiles: readonly Tile[]): Promise<Buffer[]> {
    const data = await super.readTiles(tiles);
    const { level, n } = splitStoredHashIndex(this.zeroed);
    const holder = tileForIndex(this.height, this.zeroed);
    const entries = 2 ** (level % this.height);
    const start = (n * entries) % 2 ** this.height;
    tiles.forEach((tile, i) => {
      if (tile.level !== holder.level || tile.n !== holder.n || tile.width < holder.width) return;
      data[i] = Buffer.from(data[i]!);
      data[i].fill(0, start * 32, (start + entries) * 32);
    });
    return data;
  }
}

async function headOf(log: StoredLog): Promise<{ size: number; root: Hash }> {
  return { size: log.size, root: await treeHash(log.size, log.reader) };
}

test('every hash of a tree can be read, alone and together', async () => {
  for (let size = 1; size <= 100; size++) {
    const log = StoredLog.ofSize(size);
    const read = tileHashReader(await headOf(log), new LogTiles(log, 2));
    const all = log.hashes.map((_, index) => index);
    expect(await read(all)).toEqual(log.hashes);
    for (const index of all) expect(await read([index])).toEqual([log.hashes[index]]);
  }
});

test('one zeroed hash at any stored index is refused and nothing is saved (CVE-2026-56865)', async () => {
  for (let size = 1; size <= 100; size++) {
    const log = StoredLog.ofSize(size);
    const tiles = new ZeroedTiles(log, 2);
    const read = tileHashReader(await headOf(log), tiles);
    for (let index = 0; index < storedHashCount(size); index++) {
      tiles.zeroed = index;
      await expect(read([index]), `${index} of ${size}`).rejects.toMatchObject({ code: 'bad_tile' });
    }
    expect(tiles.saved).toEqual([]);
  }
});

test('the tiles asked for are those the go command asks for', async () => {
  const log = StoredLog.ofSize(70000);
  const tiles = new LogTiles(log, 8);
  const read = tileHashReader(await headOf(log), tiles);
  await read([0]);
  expect(tiles.asked.toSorted()).toEqual(
    [
      'tile/8/0/000',
      'tile/8/0/273.p/112',
      'tile/8/1/000',
      'tile/8/1/001.p/17',
      'tile/8/2/000.p/1',
    ].toSorted(),
  );
  expect(tiles.saved).toEqual(tiles.asked);
});

test('tiles that do not give the root are refused', async () => {
  const log = StoredLog.ofSize(5);
  const read = tileHashReader({ size: 5, root: Buffer.alloc(32) }, new LogTiles(log, 8));
  await expect(read([0])).rejects.toMatchObject({ code: 'bad_tile' });
});

test('a hash that is not in the tree is refused before any tile is read', async () => {
  const log = StoredLog.ofSize(6);
  const tiles = new LogTiles(log, 2);
  const read = tileHashReader(await headOf(log), tiles);
  for (const index of [storedHashCount(6), -1, 0.5, 2 ** 53]) {
    await expect(read([index])).rejects.toMatchObject({ code: 'bad_proof' });
  }
  const empty = tileHashReader(await headOf(new StoredLog()), tiles);
  await expect(empty([0])).rejects.toMatchObject({ code: 'bad_proof' });
  expect(tiles.asked).toEqual([]);
});

test.each([-32, -1, 1, 32])(
  'tile data that is %d bytes longer than it should be is refused',
  async (more) => {
    const log = StoredLog.ofSize(9);
    const tiles: TileReader = {
      height: 2,
      readTiles: async (list) =>
        list.map((t) => Buffer.concat([log.tileData(t), Buffer.alloc(32)]).subarray(0, t.width * 32 + more)),
      saveTiles: () => expect.unreachable(),
    };
    const read = tileHashReader(await headOf(log), tiles);
    await expect(read([0])).rejects.toMatchObject({ code: 'bad_tile' });
  },
);

test('the abort signal reaches the reader of tiles', async () => {
  const log = StoredLog.ofSize(9);
  const { signal } = new AbortController();
  let seen: AbortSignal | undefined;
  const tiles = new LogTiles(log, 2);
  const watching: TileReader = {
    height: 2,
    readTiles: (list, s) => {
      seen = s;
      return tiles.readTiles(list);
    },
    saveTiles: () => {},
  };
  await tileHashReader(await headOf(log), watching, signal)([3]);
  expect(seen).toBe(signal);
});
