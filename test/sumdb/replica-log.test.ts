import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateKey } from '../../src/note/signer.ts';
import { DatabaseReader } from '../../src/sumdb/reader.ts';
import { ReplicaLog } from '../../src/sumdb/replica-log.ts';
import { recordHash } from '../../src/tlog/hash.ts';
import { checkRecord, checkTree, proveRecord, proveTree } from '../../src/tlog/proof.ts';
import { parseRecord } from '../../src/tlog/record.ts';
import { DATA_LEVEL, type Tile } from '../../src/tlog/tile.ts';
import { tileHashReader } from '../../src/tlog/tile-reader.ts';
import type { TreeHead } from '../../src/tlog/tree-note.ts';
import { FakeDatabase, sign } from '../upstream/fake-database.ts';
import { DataDirectory } from '../cli/data-directory.ts';
import { changeScratch, ORIGIN, partsOf, writeScratch } from './scratch.ts';

/** Four tiles, the last one partial. */
const SIZE = 1_000;

let directory: string;
let origin: FakeDatabase;
let scratches = 0;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-replica-'));
  origin = FakeDatabase.ofSize(SIZE);
});

afterEach(() => rmSync(directory, { recursive: true }));

function open(o: { database?: string; vkey?: string; onHead?: () => void } = {}): ReplicaLog {
  return new ReplicaLog({
    database: path.join(directory, 'gokeep.db'),
    vkey: FakeDatabase.vkey,
    onFatal: (error) => {
      throw error;
    },
    ...o,
  });
}

const scratch = (ids: readonly number[], since = 0): Promise<string> =>
  writeScratch(path.join(directory, `scratch-${scratches++}.db`), origin, ids, since);

function grow(by: number): void {
  const from = origin.shown;
  for (let n = from; n < from + by; n++) origin.add(`example.test/later${n}`, 'v1.0.0');
}

function served(replica: ReplicaLog): DatabaseReader {
  return new DatabaseReader(replica.reader, () => replica.requireHead(), { sparse: true });
}

/** Hashes as a client of the replica has them. */
function hashesOf(reader: DatabaseReader, head: TreeHead) {
  return tileHashReader(head, {
    height: 8,
    readTiles: (tiles: readonly Tile[]) => Promise.resolve(tiles.map((tile) => reader.tile(tile))),
    saveTiles: () => undefined,
  });
}

describe('before anything was imported', () => {
  it('there is no head, and who needs one is told why', async () => {
    await using replica = open();
    expect(replica.head).toBeUndefined();
    expect(() => served(replica).head).toThrow(/^nothing was imported into this replica of localhost/);
    expect(() => served(replica).head).toThrow(expect.objectContaining({ code: 'not_stored' }));
    expect(() => served(replica).tile({ height: 8, level: 0, n: 0, width: 1 })).toThrow(
      /nothing was imported/,
    );
  });

  it('the database can be written, and incidents are kept', async () => {
    await using replica = open();
    await replica.probe();
    const incident = {
      at: 1,
      kind: 'zip',
      path: 'a',
      version: 'v1.0.0',
      recorded: 'x',
      seen: 'y',
      source: 'z',
    };
    await replica.recordIncident(incident);
    expect(replica.reader.incidents(10)).toEqual([incident]);
  });
});

describe('after imports, with only some of the records and tiles', () => {
  it('a client can prove each record under the newest head, and that older heads were its beginnings', async () => {
    // The third level of tiles begins with the third head.
    origin = FakeDatabase.ofSize(65_000);
    const heads: TreeHead[] = [];
    let seen = 0;
    await using replica = open({ onHead: () => seen++ });
    const held = [3, 300, 64_767, 64_768, 64_999];
    for (const [at, more] of [0, 1, 700, 300].entries()) {
      grow(more);
      if (more > 0) held.push(origin.shown - 1);
      const since = heads.at(-1)?.size ?? 0;
      const { head } = await replica.take(await scratch(at === 0 ? held : held.slice(-1), since), 'x');
      expect(replica.head).toEqual(head);
      heads.push({ size: head.size, root: head.root });
    }
    expect(seen).toBe(heads.length);
    const reader = served(replica);
    const newest = heads.at(-1)!;
    const hashes = hashesOf(reader, newest);
    for (const id of held) {
      const proof = await proveRecord(newest.size, id, hashes);
      checkRecord(proof, newest.size, newest.root, id, recordHash(origin.text(id)));
    }
    for (const older of heads) {
      const proof = await proveTree(newest.size, older.size, hashes);
      checkTree(proof, newest.size, newest.root, older.size, older.root);
    }
  }, 60_000);

  it('a lookup carries the newest head, verbatim', async () => {
    await using replica = open();
    await replica.take(await scratch([3]), 'x');
    grow(10);
    await replica.take(await scratch([5], SIZE), 'x');
    const reader = served(replica);
    const { path: name, version } = partsOf(origin.text(3));
    const parsed = parseRecord(reader.lookupBody(reader.find(name, version)!));
    expect(parsed.id).toBe(3);
    expect(parsed.rest).toEqual(origin.note(SIZE + 10));
  });

  it('what is not held is not stored, and what the tree does not have is not found', async () => {
    await using replica = open();
    await replica.take(await scratch([3, 4]), 'x');
    const reader = served(replica);
    const tile = (level: number, n: number, width: number) => () =>
      reader.tile({ height: 8, level, n, width });
    expect(tile(0, 0, 256)()).toEqual(origin.answer('/tile/8/0/000'));
    expect(tile(0, 2, 256)).toThrow(expect.objectContaining({ code: 'not_stored' }));
    expect(tile(DATA_LEVEL, 0, 256)).toThrow(expect.objectContaining({ code: 'not_stored' }));
    expect(tile(0, 4, 1)).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  it('a data tile whose records are all held is served', async () => {
    origin = FakeDatabase.ofSize(3);
    await using replica = open();
    await replica.take(await scratch([0, 1, 2]), 'x');
    const tile = { height: 8, level: DATA_LEVEL, n: 0, width: 3 };
    expect(served(replica).tile(tile)).toEqual(origin.answer('/tile/8/data/000.p/3'));
  });

  it('the next process goes on from what was taken', async () => {
    {
      await using replica = open();
      await replica.take(await scratch([3]), 'x');
    }
    await using again = open();
    expect(again.head).toMatchObject({ size: SIZE, note: origin.note() });
  });

  it('another instance sees it after a refresh', async () => {
    await using server = open();
    await using importer = open();
    await importer.take(await scratch([3]), 'x');
    expect(server.head).toBeUndefined();
    server.refresh();
    expect(server.head?.size).toBe(SIZE);
  });
});

describe('is refused, before anything is written:', () => {
  it.each([
    ['a head that the origin did not sign', Buffer.from('go.sum database tree\n1\nx\n\n— a b\n'), 'bad_note'],
    [
      'a head that is signed for another tree',
      sign('go.sum database tree\n1000\n' + Buffer.alloc(32).toString('base64') + '\n'),
      'bad_note',
    ],
  ])('%s', async (_, note, code) => {
    await using replica = open();
    const file = changeScratch(await scratch([3]), 'UPDATE heads SET note = ?', note);
    await expect(replica.take(file, 'x')).rejects.toMatchObject({ code });
    expect(replica.head).toBeUndefined();
    expect(replica.reader.heldCount()).toBe(0);
  });

  it('the error of the thread comes with its code and sentence', async () => {
    await using replica = open();
    await replica.take(await scratch([3]), 'x');
    const older = FakeDatabase.ofSize(5);
    const file = await writeScratch(path.join(directory, 'older.db'), older, [1]);
    await expect(replica.take(file, 'x')).rejects.toMatchObject({
      code: 'bad_proof',
      message: expect.stringMatching(/older than what is here/) as string,
    });
  });
});

describe('a database that is not the replica of this key', () => {
  it('is refused when it holds a log of its own', async () => {
    using own = await DataDirectory.create();
    expect(() => open({ database: own.file('gokeep.db') })).toThrow(/holds a log of its own, not one of/);
  });

  it('is refused when it holds a replica of another', async () => {
    {
      await using replica = open();
      await replica.take(await scratch([3]), 'x');
    }
    const sameName = generateKey(ORIGIN, Buffer.alloc(32, 9)).vkey;
    const otherName = generateKey('other.test', Buffer.alloc(32, 9)).vkey;
    expect(() => open({ vkey: otherName })).toThrow(/holds a replica of localhost.*, not one of other.test/);
    expect(() => open({ vkey: sameName })).toThrow(/was not signed by the key that bundles.trust names/);
    expect(readdirSync(directory)).not.toContain('sumdb.key');
  });
});
