import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import type { ServedOn } from '../../src/store/served-table.ts';
import { UpstreamReader } from '../../src/store/upstream-reader.ts';
import { UpstreamStore } from '../../src/store/upstream-store.ts';
import { MOST_WISHES, WISH_KINDS, type Wish, WishTable } from '../../src/store/wish-table.ts';

const MIGRATIONS = path.join(import.meta.dirname, '..', '..', 'migrations', 'upstream');

let directory: string;
let file: string;
let store: UpstreamStore | undefined;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-demand-'));
  file = path.join(directory, 'upstream.db');
});

afterEach(async () => {
  await store?.close();
  store = undefined;
  rmSync(directory, { recursive: true, force: true });
});

function open(): UpstreamStore {
  const fail = (error: Error) => {
    throw error;
  };
  store = new UpstreamStore(file, fail, fail);
  return store;
}

const wish = (n: number, more: Partial<Wish> = {}): Wish => ({
  path: `a.test/m${n}`,
  query: 'v1.0.0',
  kinds: WISH_KINDS.info,
  asked: 1,
  lastAsked: 1_000 + n,
  ...more,
});

const wishes = (): Wish[] => {
  using reader = new UpstreamReader(file);
  return reader.wishes().toSorted((a, b) => a.lastAsked - b.lastAsked);
};

const servedSince = (day: number): string[] => {
  using reader = new UpstreamReader(file);
  return [...reader.servedSince(day)].map((one) => `${one.path}@${one.version}.${one.kind}`);
};

const served = (name: string, day: number): ServedOn => {
  const [modulePath = '', version = '', kind = 'zip'] = name.split(' ');
  return { path: modulePath, version, kind: kind as ServedOn['kind'], day };
};

/** An upstream.db as the release before this migration left it. */
function oldDatabase(): void {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  db.exec(readFileSync(path.join(MIGRATIONS, '0001_upstream.sql'), 'utf8'));
  db.exec(`INSERT INTO answers VALUES ('/a.test/m/@v/list', x'76', 'up', 5)`);
  db.pragma('user_version = 1');
  db.close();
}

describe('an upstream.db of an older gokeep', () => {
  it('is migrated by the server, and keeps what it has', async () => {
    oldDatabase();
    const opened = open();
    expect(opened.answer('/a.test/m/@v/list')).toMatchObject({ source: 'up' });
    await opened.keepWishes([wish(1)]);
    await opened.keepServed([served('a.test/m v1.0.0', 3)]);
    expect(wishes()).toEqual([wish(1)]);
    expect(servedSince(0)).toEqual(['a.test/m@v1.0.0.zip']);
  });

  it('reads as having neither wishes nor days before that, and is left as it is', () => {
    oldDatabase();
    expect(wishes()).toEqual([]);
    expect(servedSince(0)).toEqual([]);
    const db = new Database(file, { readonly: true });
    expect(db.pragma('user_version', { simple: true })).toBe(1);
    db.close();
  });
});

describe('wishes', () => {
  it('are there after a restart, and add up', async () => {
    const first = open();
    await first.keepWishes([wish(1), wish(2, { query: 'main' })]);
    await first.keepWishes([wish(1, { kinds: WISH_KINDS.zip, asked: 2, lastAsked: 900 })]);
    await first.close();
    store = undefined;
    expect(wishes()).toEqual([
      wish(1, { kinds: WISH_KINDS.info | WISH_KINDS.zip, asked: 3 }),
      wish(2, { query: 'main' }),
    ]);
  });

  it('beyond 10,000 are forgotten, those asked for longest ago first', async () => {
    const opened = open();
    const many = Array.from({ length: MOST_WISHES }, (_, n) => wish(n));
    await opened.keepWishes(many);
    expect(wishes()).toHaveLength(MOST_WISHES);
    await opened.keepWishes([wish(0, { lastAsked: 99_000 }), wish(20_000), wish(20_001)]);
    const kept = wishes();
    expect(kept).toHaveLength(MOST_WISHES);
    expect(kept[0]).toEqual(wish(3));
    expect(kept.map((one) => one.path)).toEqual(expect.arrayContaining(['a.test/m0', 'a.test/m20000']));
  });

  it('are forgotten beside a running server, but for what was asked for again since', async () => {
    const opened = open();
    await opened.keepWishes([wish(1), wish(2)]);
    const seen = wishes();
    await opened.keepWishes([wish(2, { lastAsked: 5_000 }), wish(3)]);
    const second = openDatabase(file, 'upstream');
    new WishTable(second).forget(seen);
    second.close();
    expect(wishes().map((one) => one.path)).toEqual(['a.test/m3', 'a.test/m2']);
    await opened.keepWishes([wish(1, { lastAsked: 6_000 })]);
    expect(wishes().map((one) => one.path)).toEqual(['a.test/m3', 'a.test/m2', 'a.test/m1']);
  });
});

describe('days on which files were served', () => {
  it('go forward only, for each kind of file by itself', async () => {
    const opened = open();
    await opened.keepServed([
      served('a.test/m v1.0.0 mod', 10),
      served('a.test/m v1.0.0 zip', 11),
      served('a.test/m v1.1.0 zip', 12),
    ]);
    await opened.keepServed([served('a.test/m v1.0.0 mod', 13), served('a.test/m v1.1.0 zip', 9)]);
    expect(servedSince(12)).toEqual(['a.test/m@v1.0.0.mod', 'a.test/m@v1.1.0.zip']);
    expect(servedSince(13)).toEqual(['a.test/m@v1.0.0.mod']);
    expect(servedSince(14)).toEqual([]);
  });

  it('are read page by page, all of them in order, while the server writes and cleans up', async () => {
    const opened = open();
    const name = (n: number) => `a.test/m${String(n).padStart(5, '0')}`;
    await opened.keepServed(Array.from({ length: 2_500 }, (_, n) => served(`${name(n)} v1.0.0`, n % 2)));
    using reader = new UpstreamReader(file);
    const seen: string[] = [];
    for (const { path: modulePath } of reader.servedSince(1)) {
      seen.push(modulePath);
      if (seen.length !== 500) continue;
      await opened.keepServed([served('zzz.test/late v1.0.0', 1)]);
      const db = new Database(file);
      // 0: no reader was in the way.
      expect(db.pragma('wal_checkpoint(TRUNCATE)')).toMatchObject([{ busy: 0 }]);
      db.close();
    }
    const odd = Array.from({ length: 1_250 }, (_, n) => name(2 * n + 1));
    expect(seen).toEqual([...odd, 'zzz.test/late']);
  });
});
