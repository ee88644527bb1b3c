import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EMPTY_TRAIL, entryHash, type TrailEvent } from '../../src/store/trail-entry.ts';
import { TrailReader, TrailWriter } from '../../src/store/trail-table.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-trail-'));
  file = path.join(directory, 'audit.db');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const event = (reason: string): TrailEvent => ({
  kind: 'yank',
  who: 'token:ci',
  from: '192.0.2.1',
  path: 'corp.test/a',
  version: 'v1.0.0',
  facts: { reason },
});

function append(events: readonly TrailEvent[], now = 0) {
  using writer = new TrailWriter(file);
  return writer.append(events, now);
}

function stored() {
  using reader = new TrailReader(file);
  return [...reader.entries()];
}

describe('the audit trail', () => {
  it('numbers entries from 1 and chains each to the one before it by SHA-256', () => {
    append([event('one')], Date.UTC(2026, 0, 1));
    const head = append([event('two'), event('three')], Date.UTC(2026, 0, 2));
    const entries = stored();
    expect(entries.map(({ n }) => n)).toEqual([1, 2, 3]);
    expect(entries[0]?.text).toBe(
      '{"n":1,"at":"2026-01-01T00:00:00.000Z","kind":"yank","who":"token:ci","from":"192.0.2.1","path":"corp.test/a","version":"v1.0.0","facts":{"reason":"one"}}',
    );
    let before = EMPTY_TRAIL.hash;
    for (const { text, hash } of entries) {
      before = entryHash(before, text);
      expect(hash).toEqual(before);
    }
    expect(head).toEqual({ n: 3, hash: before });
  });

  it('is one chain whoever writes: two writers that are both open take turns', () => {
    using one = new TrailWriter(file);
    using two = new TrailWriter(file);
    for (const writer of [one, two, two, one]) writer.append([event('x')], 0);
    expect(stored().map(({ n }) => n)).toEqual([1, 2, 3, 4]);
    expect(new Set(stored().map(({ hash }) => hash.toString('hex'))).size).toBe(4);
  });

  it('takes all events of one call or none', () => {
    const unfit = { ...event('two'), facts: { number: 1n } };
    expect(() => append([event('one'), unfit])).toThrow();
    expect(stored()).toEqual([]);
  });

  it('cannot be changed or shortened by a statement', () => {
    append([event('one')]);
    const db = new Database(file);
    expect(() => db.exec(`UPDATE entries SET entry = '{}'`)).toThrow('append-only');
    expect(() => db.exec('DELETE FROM entries')).toThrow('append-only');
    db.close();
  });

  it('is readable for its owner alone, and so is what SQLite keeps beside it', () => {
    using writer = new TrailWriter(file);
    writer.append([event('one')], 0);
    for (const end of ['', '-wal', '-shm']) expect(statSync(file + end).mode & 0o777, end).toBe(0o600);
  });

  it('goes on behind a recorded head that it lacks, and says what is lost', () => {
    append([event('one')]);
    const hash = Buffer.alloc(32, 7);
    using writer = new TrailWriter(file);
    const head = writer.bridge({ n: 5, hash }, 0);
    const [, gap] = stored();
    expect(gap?.n).toBe(6);
    expect(JSON.parse(gap?.text ?? '')).toMatchObject({
      kind: 'gap',
      facts: { after: 1, lost: 4, hash: hash.toString('base64') },
    });
    expect(head.hash).toEqual(entryHash(hash, gap?.text ?? ''));
    expect(writer.append([event('two')], 0).n).toBe(7);
  });

  it('does nothing for a recorded head that it has', () => {
    const head = append([event('one'), event('two')]);
    using writer = new TrailWriter(file);
    expect(writer.bridge({ n: 2, hash: Buffer.alloc(32) }, 0)).toEqual(head);
  });

  it('finds the newest entry of a kind, and hashes by their numbers', () => {
    append([event('one'), { kind: 'rights', who: 'gokeep', facts: { a: 1 } }, event('two')]);
    using reader = new TrailReader(file);
    expect(reader.newestOf('rights')).toMatchObject({ n: 2, facts: { a: 1 } });
    expect(reader.newestOf('import')).toBeUndefined();
    expect(reader.hashAt(3)).toEqual(reader.head().hash);
    expect(reader.hashAt(4)).toBeUndefined();
  });

  it('finds the newest entry of a kind behind one that is damaged', () => {
    append([{ kind: 'rights', who: 'gokeep', facts: { a: 1 } }, event('one')]);
    const db = new Database(file);
    db.exec(`DROP TRIGGER entries_are_not_changed; UPDATE entries SET entry = 'no JSON' WHERE n = 2`);
    db.close();
    using reader = new TrailReader(file);
    expect(reader.newestOf('rights')).toMatchObject({ n: 1 });
  });

  it('reads more entries than a page has', () => {
    append(Array.from({ length: 2_001 }, (_, at) => event(String(at))));
    expect(stored().map(({ n }) => n)).toEqual(Array.from({ length: 2_001 }, (_, at) => at + 1));
  });
});
