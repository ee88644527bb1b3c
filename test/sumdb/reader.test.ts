import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import Database from 'better-sqlite3';
import { parseDataTile } from '../../src/tlog/data-tile.ts';
import { formatGoSumRecord } from '../../src/tlog/go-sum-record.ts';
import { type Hash, recordHash } from '../../src/tlog/hash.ts';
import { checkRecord, checkTree, proveRecord, proveTree } from '../../src/tlog/proof.ts';
import { parseRecord } from '../../src/tlog/record.ts';
import { tileHashReader } from '../../src/tlog/tile-reader.ts';
import { DATA_LEVEL, type Tile } from '../../src/tlog/tile.ts';
import { parseTree } from '../../src/tlog/tree-note.ts';
import { openNote } from '../../src/note/note.ts';
import { LogReader } from '../../src/store/log-reader.ts';
import type { LogEngine, SignedHead } from '../../src/sumdb/log-engine.ts';
import { DatabaseReader } from '../../src/sumdb/reader.ts';
import { candidate, TEST_VERIFIER } from './candidates.ts';
import { TestLog } from './test-log.ts';

/** Sizes around those at which a tile fills up, a level is added, or both. */
const SIZES = [1, 2, 255, 256, 257, 511, 512, 513, 65_279, 65_280, 65_535, 65_536, 65_537, 65_793];

let log: TestLog;
let stored: LogReader;
let shown: SignedHead;
let database: DatabaseReader;
const heads: SignedHead[] = [];

function appendUpTo(engine: LogEngine, from: number, to: number): SignedHead {
  let head: SignedHead | undefined;
  for (let at = from; at < to; at += 5_000) {
    const batch = Array.from({ length: Math.min(5_000, to - at) }, (_, i) => candidate(at + i));
    head = engine.append(batch).head;
  }
  return head!;
}

beforeAll(() => {
  log = new TestLog();
  const engine = log.open();
  for (const [at, size] of SIZES.entries()) heads.push(appendUpTo(engine, SIZES[at - 1] ?? 0, size));
  stored = new LogReader(log.database);
  database = new DatabaseReader(stored, () => shown);
});

afterAll(() => {
  stored.close();
  log[Symbol.dispose]();
});

const textOf = (n: number): Buffer => {
  const { path, version, zip, mod } = candidate(n);
  return formatGoSumRecord(path, version, zip, mod);
};

/** Hashes as a client has them: out of the tiles that are served at this head, each proven to belong to its tree. */
function hashesAt(head: SignedHead) {
  shown = head;
  return tileHashReader(head, {
    height: 8,
    readTiles: (tiles: readonly Tile[]) => Promise.resolve(tiles.map((tile) => database.tile(tile))),
    saveTiles: () => undefined,
  });
}

describe('the tiles served under every signed head', () => {
  it.each(SIZES.map((size, at) => [size, at] as const))('give its tree, at size %i', async (size, at) => {
    const head = heads[at]!;
    expect(parseTree(openNote(head.note, [TEST_VERIFIER]).text)).toEqual({ size, root: head.root });
    const reader = hashesAt(head);
    const ids = [0, 1, 254, 255, 256, 511, 512, 65_279, 65_535, 65_536, size - 2, size - 1];
    for (const id of ids.filter((n) => n >= 0 && n < size)) {
      const proof: Hash[] = await proveRecord(size, id, reader);
      checkRecord(proof, size, head.root, id, recordHash(textOf(id)));
      expect(() => checkRecord(proof, size, head.root, id, recordHash(textOf(id + 1)))).toThrow();
    }
    for (const older of heads.slice(0, at + 1)) {
      checkTree(await proveTree(size, older.size, reader), size, head.root, older.size, older.root);
    }
  });

  it.each(SIZES.map((size, at) => [size, at] as const))('end where it ends, at size %i', (size, at) => {
    shown = heads[at]!;
    for (let level = 0; 256 ** level <= size; level++) {
      const entries = Math.floor(size / 256 ** level);
      const n = Math.floor((entries - 1) / 256);
      const width = entries - n * 256;
      expect(database.tile({ height: 8, level, n, width })).toHaveLength(width * 32);
      const beyond = { height: 8, level, n: width < 256 ? n : n + 1, width: width < 256 ? width + 1 : 1 };
      expect(() => database.tile(beyond)).toThrow(expect.objectContaining({ code: 'not_found' }));
    }
    expect(() => database.tile({ height: 8, level: 3, n: 0, width: 1 })).toThrow(/no tile\/8\/3/);
    expect(() => database.tile({ height: 7, level: 0, n: 0, width: 1 })).toThrow(/no tile\/7/);
  });

  it('have data tiles that hold the records whose hashes the level above has', () => {
    shown = heads.at(-1)!;
    for (const [n, width] of [
      [0, 256],
      [0, 3],
      [256, 256],
      [257, 1],
    ] as const) {
      const texts = parseDataTile(database.tile({ height: 8, level: DATA_LEVEL, n, width }), width);
      const hashes = Buffer.concat(texts.map(recordHash));
      expect(hashes).toEqual(database.tile({ height: 8, level: 0, n, width }));
      expect(texts[0]).toEqual(textOf(n * 256));
    }
    const beyond = { height: 8, level: DATA_LEVEL, n: 257, width: 2 };
    expect(() => database.tile(beyond)).toThrow(expect.objectContaining({ code: 'not_found' }));
  });
});

describe('a lookup', () => {
  it('is the record and a head that covers it', () => {
    shown = heads[2]!;
    const { path, version } = candidate(254);
    const record = database.find(path, version)!;
    const parsed = parseRecord(database.lookupBody(record));
    expect(parsed.id).toBe(254);
    expect(parsed.text).toEqual(textOf(254));
    expect(parseTree(openNote(parsed.rest, [TEST_VERIFIER]).text).size).toBe(255);
  });

  it('finds nothing that the published head does not cover', () => {
    shown = heads[2]!;
    const { path, version } = candidate(255);
    expect(database.find(path, version)).toBeUndefined();
    shown = heads[3]!;
    expect(database.find(path, version)?.id).toBe(255);
  });

  it('reads the head last, so that it covers the record even while the log grows', () => {
    shown = heads[2]!;
    const { path, version } = candidate(0);
    const record = database.find(path, version)!;
    shown = heads[5]!;
    expect(database.lookupBody(record).toString()).toContain('\n511\n');
  });
});

describe('after a bit of the stored log has flipped', () => {
  /** Runs with one change made to the database file, and takes it back. */
  async function withChange<T>(sql: string, undo: string, run: () => Promise<T> | T): Promise<T> {
    const db = new Database(log.database);
    try {
      expect(db.prepare(sql).run().changes).toBe(1);
      return await run();
    } finally {
      db.exec(undo);
      db.close();
    }
  }

  const flip = (level: number, n: number, column: string) =>
    `UPDATE tiles SET data = ${column} WHERE level = ${level} AND n = ${n}`;

  it.each([
    [0, 3, 800],
    [1, 0, 65_000],
  ])('a client sees it in the tile of level %i, number %i', async (level, n, id) => {
    const right = stored.tile(level, n)!;
    const wrong = Buffer.from(right);
    wrong[40]! ^= 1;
    const hex = (data: Buffer) => `x'${data.toString('hex')}'`;
    await withChange(flip(level, n, hex(wrong)), flip(level, n, hex(right)), async () => {
      const head = heads.at(-1)!;
      await expect(proveRecord(head.size, id, hashesAt(head))).rejects.toMatchObject({ code: 'bad_tile' });
    });
    const head = heads.at(-1)!;
    await expect(proveRecord(head.size, id, hashesAt(head))).resolves.toBeDefined();
  });

  it('a tile that is too short is a failure of ours, not an absence', async () => {
    shown = heads.at(-1)!;
    const right = stored.tile(0, 5)!;
    await withChange(flip(0, 5, 'substr(data, 1, 64)'), flip(0, 5, `x'${right.toString('hex')}'`), () => {
      expect(() => database.tile({ height: 8, level: 0, n: 5, width: 256 })).toThrow(
        expect.objectContaining({ code: 'storage_failed' }),
      );
    });
  });

  it('a data tile with a record missing is a failure of ours, and is not served short', async () => {
    shown = heads.at(-1)!;
    await withChange(
      'UPDATE records SET id = 99999999 WHERE id = 300',
      'UPDATE records SET id = 300 WHERE id = 99999999',
      () => {
        expect(() => database.tile({ height: 8, level: DATA_LEVEL, n: 1, width: 256 })).toThrow(
          expect.objectContaining({ code: 'storage_failed' }),
        );
      },
    );
  });
});
