import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogReader } from '../../src/store/log-reader.ts';
import { LogWriter } from '../../src/store/log-writer.ts';
import type { SignedHead } from '../../src/sumdb/log-engine.ts';
import { Sequencer } from '../../src/sumdb/sequencer.ts';
import { candidate, h1, TEST_KEY } from './candidates.ts';

let directory: string;
let log: Sequencer | undefined;
let heads: SignedHead[];
let fatal: Error[];

function open(): Sequencer {
  log = new Sequencer(
    { database: path.join(directory, 'log.db'), mark: path.join(directory, 'mark'), skey: TEST_KEY.skey },
    { onHead: (head) => heads.push(head), onFatal: (error) => fatal.push(error) },
  );
  return log;
}

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-sequencer-'));
  heads = [];
  fatal = [];
});

afterEach(async () => {
  await log?.close();
  log = undefined;
  rmSync(directory, { recursive: true, force: true });
});

describe('a sequencer', () => {
  it('makes one record of ten thousand duplicates at once', async () => {
    const sequencer = open();
    await sequencer.start();
    const outcomes = await Promise.all(Array.from({ length: 10_000 }, () => sequencer.add(candidate(1))));
    expect(outcomes.filter((outcome) => outcome.kind !== 'logged' || outcome.id !== 0)).toEqual([]);
    expect(outcomes.filter((outcome) => outcome.kind === 'logged' && outcome.added)).toHaveLength(1);
    expect(sequencer.head?.size).toBe(1);
  });

  it('answers only once a published head covers the record, and heads only grow', async () => {
    const sequencer = open();
    await sequencer.start();
    await Promise.all(
      Array.from({ length: 2_500 }, async (_, n) => {
        const outcome = await sequencer.add(candidate(n));
        expect(outcome).toMatchObject({ kind: 'logged', added: true });
        expect(sequencer.head!.size).toBeGreaterThan(outcome.kind === 'logged' ? outcome.id : Infinity);
      }),
    );
    const sizes = heads.map(({ size }) => size);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect(sizes.at(-1)).toBe(2_500);
    // A lone first, then batches: signatures are shared.
    expect(sizes.length).toBeLessThan(10);
  });

  it('has two racing contradictions end with one record, and the other told so', async () => {
    const sequencer = open();
    await sequencer.start();
    const other = { ...candidate(1), zip: h1('other bytes') };
    const outcomes = await Promise.all([sequencer.add(candidate(1)), sequencer.add(other)]);
    expect(outcomes).toEqual([
      { kind: 'logged', id: 0, added: true },
      { kind: 'conflict', zip: candidate(1).zip, mod: candidate(1).mod },
    ]);
  });

  it('turns away what cannot be a record without failing those beside it', async () => {
    const sequencer = open();
    await sequencer.start();
    const bad = [
      { ...candidate(1), zip: 'h1:short' },
      { ...candidate(2), mod: candidate(2).mod.replace('h1:', 'h2:') },
      { ...candidate(3), path: 'example.test/a\nb' },
    ];
    const settled = await Promise.allSettled(
      [candidate(0), ...bad, candidate(4)].map((c) => sequencer.add(c)),
    );
    expect(settled.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    for (const result of settled) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'bad_record' });
    }
    expect(sequencer.head?.size).toBe(2);
  });

  it('says why it refuses to start, and ends nothing', async () => {
    const first = open();
    await first.start();
    await first.add(candidate(1));
    await first.close();
    rmSync(path.join(directory, 'mark'));
    const again = open();
    await expect(again.start()).rejects.toMatchObject({
      code: 'log_frozen',
      message: expect.stringMatching(/mark .* missing/),
    });
    await expect(again.add(candidate(2))).rejects.toMatchObject({ code: 'log_frozen' });
    expect(fatal).toEqual([]);
  });

  it('says that its database was written by a newer gokeep', async () => {
    const file = path.join(directory, 'log.db');
    new LogWriter(file).close();
    const db = new Database(file);
    db.pragma('user_version = 1000');
    db.exec(`UPDATE meta SET value = '9.9.9' WHERE name = 'oldest_program'`);
    db.close();
    await expect(open().start()).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringContaining('use gokeep 9.9.9 or newer'),
    });
    expect(fatal).toEqual([]);
  });

  it('goes on after a failure that was not the disk', async () => {
    const sequencer = open();
    await sequencer.start();
    await sequencer.add(candidate(1));
    const away = path.join(directory, 'mark.tmp');
    // A directory where the mark's temporary file has to go: step ② fails, with ① done.
    mkdirSync(path.join(away, 'in-the-way'), { recursive: true });
    await expect(sequencer.add(candidate(2))).rejects.toMatchObject({ code: 'storage_failed' });
    await expect(sequencer.add(candidate(3))).rejects.toMatchObject({ code: 'storage_failed' });
    expect(sequencer.head?.size).toBe(1);
    rmSync(away, { recursive: true });
    await expect(sequencer.add(candidate(2))).resolves.toEqual({ kind: 'logged', id: 1, added: false });
    await expect(sequencer.add(candidate(3))).resolves.toMatchObject({ kind: 'logged', id: 2 });
    expect(fatal).toEqual([]);
  });

  it('writes with BEGIN IMMEDIATE: it waits for another writer and does not fail on it', async () => {
    const sequencer = open();
    await sequencer.start();
    const other = new Database(path.join(directory, 'log.db'));
    other.exec('BEGIN IMMEDIATE');
    const added = sequencer.add(candidate(1));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(sequencer.head?.size).toBe(0);
    other.exec('COMMIT');
    other.close();
    await expect(added).resolves.toMatchObject({ kind: 'logged', id: 0 });
  });

  it('keeps its write-ahead log bounded while somebody reads, and gives it back after a long read', async () => {
    const file = path.join(directory, 'log.db');
    const sequencer = open();
    await sequencer.start();
    const reader = new LogReader(file);
    const append = async (from: number, count: number) => {
      for (let at = from; at < from + count; at += 500) {
        await Promise.all(Array.from({ length: 500 }, (_, i) => sequencer.add(candidate(at + i))));
        reader.range(0, 50);
      }
    };
    await append(0, 20_000);
    // 1,000 pages and what one batch adds: each reset starts over at its beginning.
    expect(walSize(file)).toBeLessThan(16 * 2 ** 20);
    const long = new Database(file, { readonly: true });
    const rows = long.prepare('SELECT id FROM records').iterate();
    rows.next();
    await append(20_000, 5_000);
    const held = walSize(file);
    rows.return?.();
    long.close();
    await append(25_000, 5_000);
    expect(walSize(file)).toBeLessThanOrEqual(Math.max(held, 16 * 2 ** 20));
    reader.close();
    await sequencer.close();
    log = undefined;
    expect(walSize(file)).toBe(0);
  });

  it('rejects, and does not hang, when it is asked after it was closed', async () => {
    const sequencer = open();
    await sequencer.start();
    await sequencer.close();
    await expect(sequencer.add(candidate(1))).rejects.toMatchObject({ code: 'storage_failed' });
    await expect(sequencer.probe()).rejects.toMatchObject({ code: 'storage_failed' });
    log = undefined;
  });
});

function walSize(file: string): number {
  try {
    return statSync(`${file}-wal`).size;
  } catch {
    return 0;
  }
}
