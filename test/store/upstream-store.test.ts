import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { UpstreamStore } from '../../src/store/upstream-store.ts';

let directory: string;
let file: string;
let store: UpstreamStore | undefined;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-upstream-'));
  file = path.join(directory, 'upstream.db');
});

afterEach(async () => {
  await store?.close();
  store = undefined;
  rmSync(directory, { recursive: true, force: true });
});

function open(onUnreadable?: (error: Error) => void): UpstreamStore {
  const fail = (error: Error) => {
    throw error;
  };
  store = new UpstreamStore(file, fail, onUnreadable ?? fail);
  return store;
}

async function reopen(): Promise<UpstreamStore> {
  await store?.close();
  return open();
}

const note = (text: string) => Buffer.from(text);

describe('what is remembered of upstream', () => {
  it('is there after a restart once its promise has resolved', async () => {
    const first = open();
    const memory = first.databaseMemory('sum.test');
    await first.keepAnswer('/a.test/a/@v/list', { body: note('v1.0.0\n'), source: 'up', fetchedAt: 5 });
    await memory.keepLookup('a.test/a', 'v1.0.0', note('lookup'));
    await memory.keepTile({ height: 8, level: -1, n: 2, width: 3 }, note('tile'));
    expect(await memory.advance(undefined, note('head'))).toBe(true);
    const second = await reopen();
    const again = second.databaseMemory('sum.test');
    expect(second.answer('/a.test/a/@v/list')).toEqual({
      body: note('v1.0.0\n'),
      source: 'up',
      fetchedAt: 5,
    });
    expect(await again.lookup('a.test/a', 'v1.0.0')).toEqual(note('lookup'));
    expect(await again.tile({ height: 8, level: -1, n: 2, width: 3 })).toEqual(note('tile'));
    expect(await again.latest()).toEqual(note('head'));
  });

  it('is kept apart for each database and each tile', async () => {
    const here = open().databaseMemory('sum.test');
    await here.keepTile({ height: 8, level: 0, n: 2, width: 3 }, note('tile'));
    await here.keepLookup('a.test/a', 'v1.0.0', note('lookup'));
    await here.advance(undefined, note('head'));
    const elsewhere = store!.databaseMemory('other.test');
    expect(await elsewhere.latest()).toBeUndefined();
    expect(await elsewhere.lookup('a.test/a', 'v1.0.0')).toBeUndefined();
    expect(await elsewhere.tile({ height: 8, level: 0, n: 2, width: 3 })).toBeUndefined();
    expect(await here.tile({ height: 8, level: 0, n: 2, width: 4 })).toBeUndefined();
    expect(await here.lookup('a.test/a', 'v1.0.1')).toBeUndefined();
  });

  it('has a head move from exactly the one that was there', async () => {
    const memory = open().databaseMemory('sum.test');
    expect(await memory.advance(note('never there'), note('one'))).toBe(false);
    expect(await memory.latest()).toBeUndefined();
    const racing = await Promise.all([
      memory.advance(undefined, note('one')),
      memory.advance(undefined, note('two')),
    ]);
    expect(racing).toEqual([true, false]);
    expect(await memory.advance(undefined, note('three'))).toBe(false);
    expect(await memory.advance(note('two'), note('three'))).toBe(false);
    expect(await memory.advance(note('one'), note('three'))).toBe(true);
    expect(await memory.latest()).toEqual(note('three'));
  });

  it('says that a newer gokeep wrote it', () => {
    const db = openDatabase(file, 'upstream');
    db.pragma('user_version = 1000');
    db.close();
    expect(open).toThrow(
      expect.objectContaining({ code: 'bad_config', message: expect.stringMatching(/newer gokeep/) }),
    );
  });

  it('is written with BEGIN IMMEDIATE: it waits for another writer and does not fail on it', async () => {
    const memory = open().databaseMemory('sum.test');
    await memory.advance(undefined, note('one'));
    const other = new Database(file);
    other.exec('BEGIN IMMEDIATE');
    other.exec(`UPDATE heads SET note = CAST('other' AS BLOB)`);
    const moved = memory.advance(note('one'), note('two'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    other.exec('COMMIT');
    other.close();
    expect(await moved).toBe(false);
    expect(await memory.latest()).toEqual(note('other'));
  });

  it('counts as not remembered where the file is damaged, but for the newest head of a database', async () => {
    const before = open();
    const memory = before.databaseMemory('sum.test');
    const tile = { height: 8, level: 0, n: 2, width: 3 };
    const body = Buffer.alloc(20_000, 'a');
    await before.keepAnswer('/a.test/a/@v/list', { body, source: 'up', fetchedAt: 5 });
    await memory.keepLookup('a.test/a', 'v1.0.0', body);
    await memory.keepTile(tile, body);
    await memory.advance(undefined, body);
    await before.close();
    damageTables();
    const errors: Error[] = [];
    const after = open((error) => errors.push(error));
    const again = after.databaseMemory('sum.test');
    expect(after.answer('/a.test/a/@v/list')).toBeUndefined();
    expect(await again.lookup('a.test/a', 'v1.0.0')).toBeUndefined();
    expect(await again.tile(tile)).toBeUndefined();
    const damaged = { code: 'storage_failed', message: expect.stringMatching(/damaged/) };
    expect(errors).toMatchObject([damaged, damaged, damaged]);
    await expect(again.latest()).rejects.toMatchObject(damaged);
  });
});

/** Overwrites the head of each page but the schema's. */
function damageTables(): void {
  const bytes = readFileSync(file);
  const db = new Database(file, { readonly: true });
  const roots = db.prepare<[], number>('SELECT rootpage FROM sqlite_schema WHERE rootpage > 1').pluck().all();
  const pageSize = Number(db.pragma('page_size', { simple: true }));
  db.close();
  for (const root of roots) bytes.fill(0xff, (root - 1) * pageSize, (root - 1) * pageSize + 100);
  writeFileSync(file, bytes);
}
