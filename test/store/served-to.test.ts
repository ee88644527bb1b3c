import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MOST_CLIENTS, type ServedNote } from '../../src/store/served-to-table.ts';
import { UpstreamReader } from '../../src/store/upstream-reader.ts';
import { UpstreamStore } from '../../src/store/upstream-store.ts';

const MIGRATIONS = path.join(import.meta.dirname, '..', '..', 'migrations', 'upstream');

let directory: string;
let file: string;
let store: UpstreamStore | undefined;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-served-to-'));
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

const zip = (name: string, day: number, id: string, clientName = id): ServedNote => ({
  path: `a.test/${name}`,
  version: 'v1.0.0',
  kind: 'zip',
  day,
  to: { id, name: clientName },
});

const servedTo = (name: string): string[] => {
  using reader = new UpstreamReader(file);
  return reader.servedTo(`a.test/${name}`, 'v1.0.0').map((one) => `${one.name} ${one.first}-${one.last}`);
};

/** An upstream.db as the release before this migration left it. */
function oldDatabase(): void {
  const db = new Database(file);
  db.pragma('journal_mode = WAL');
  for (const name of ['0001_upstream.sql', '0002_demand.sql'])
    db.exec(readFileSync(path.join(MIGRATIONS, name), 'utf8'));
  db.exec(`INSERT INTO served VALUES ('a.test/m', 'v1.0.0', 'zip', 7), ('a.test/m', 'v1.0.0', 'mod', 9)`);
  db.exec(`INSERT INTO served VALUES ('a.test/graph', 'v1.0.0', 'mod', 9)`);
  db.pragma('user_version = 2');
  db.close();
}

describe('an upstream.db of an older gokeep', () => {
  it('keeps what it knows: the last day, of somebody unknown', async () => {
    oldDatabase();
    await open().keepServed([zip('m', 12, 'token:ci')]);
    expect(servedTo('m')).toEqual(['token:ci 12-12', 'unknown 7-7']);
    expect(servedTo('graph')).toEqual([]);
    using reader = new UpstreamReader(file);
    expect([...reader.servedSince(0)].map((one) => `${one.path} ${one.kind} ${one.day}`)).toEqual([
      'a.test/graph mod 9',
      'a.test/m mod 9',
      'a.test/m zip 12',
    ]);
  });

  it('reads the same before a server has opened it, and has noted no use of tokens', () => {
    oldDatabase();
    expect(servedTo('m')).toEqual(['unknown 7-7']);
    expect(servedTo('graph')).toEqual([]);
    using reader = new UpstreamReader(file);
    expect(reader.clients().map(({ name }) => name)).toEqual(['unknown']);
    expect(reader.tokenUses()).toBeUndefined();
  });
});

describe('to whom a zip was served', () => {
  it('has a first and a last day for each client, in whatever order they are written', async () => {
    const opened = open();
    await opened.keepServed([zip('m', 12, 'aa', 'token:ci'), zip('m', 10, 'oidc:x')]);
    await opened.keepServed([zip('m', 11, 'aa', 'token:ci'), zip('m', 14, 'oidc:x')]);
    await opened.keepServed([zip('m', 9, 'bb', 'token:ci'), zip('n', 3, 'aa', 'token:ci')]);
    // Two tokens that bore one name are two.
    expect(servedTo('m')).toEqual(['oidc:x 10-14', 'token:ci 9-9', 'token:ci 11-12']);
    expect(servedTo('n')).toEqual(['token:ci 3-3']);
    expect(servedTo('none')).toEqual([]);
  });

  it('names so many and no more: who was not served for longest is one of others, with his days', async () => {
    const opened = open();
    const name = (n: number) => `oidc:${String(n).padStart(4, '0')}`;
    await opened.keepServed([zip('m', 3, name(0)), zip('m', 5, name(1)), zip('n', 5, name(1))]);
    const many = Array.from({ length: MOST_CLIENTS - 2 }, (_, n) => zip('n', 10 + n, name(n + 2)));
    await opened.keepServed(many);
    expect(servedTo('m')).toEqual(['oidc:0000 3-3', 'oidc:0001 5-5']);
    await opened.keepServed([zip('m', 9_000, name(9_000))]);
    expect(servedTo('m')).toEqual(['oidc:9000 9000-9000', 'others 3-5']);
    const n = servedTo('n');
    // Of the newest 1,900 the one above was served another zip.
    expect(n).toHaveLength(1_900);
    expect(n.at(-1)).toBe('others 5-108');
    // Who comes back has an entry again.
    await opened.keepServed([zip('m', 9_001, name(0))]);
    expect(servedTo('m')).toEqual(['oidc:0000 9001-9001', 'oidc:9000 9000-9000', 'others 3-5']);
  });
});

describe('the days on which tokens were used', () => {
  it('go forward only', async () => {
    const before = Date.now() - 1_000;
    const opened = open();
    await opened.keepTokenUses([
      { token: 'aa', day: 12 },
      { token: 'bb', day: 10 },
    ]);
    await opened.keepTokenUses([
      { token: 'aa', day: 11 },
      { token: 'bb', day: 13 },
    ]);
    using reader = new UpstreamReader(file);
    const { days, since } = reader.tokenUses()!;
    expect(days).toEqual(
      new Map([
        ['aa', 12],
        ['bb', 13],
      ]),
    );
    expect(since).toBeGreaterThanOrEqual(before);
    expect(since).toBeLessThanOrEqual(Date.now());
  });
});
