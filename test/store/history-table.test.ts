import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { History, zeros } from '../../src/proxy/history.ts';
import { openDatabase } from '../../src/store/database.ts';
import { type HistorySample, HistoryTable } from '../../src/store/history-table.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const AT = Date.UTC(2026, 0, 10, 5, 30);
const ALL = [Number.MIN_SAFE_INTEGER / 1e3, 1e15] as const;

let directory: string;
let db: ReturnType<typeof openDatabase>;
let table: HistoryTable;
const sample = (at: number, o: Partial<HistorySample> = {}): HistorySample => ({
  at,
  records: 1,
  versions: undefined,
  bytes: undefined,
  ...zeros(),
  ...o,
});

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-history-'));
  db = openDatabase(path.join(directory, 'upstream.db'), 'upstream');
  table = new HistoryTable(db);
});

afterEach(() => {
  db.close();
  rmSync(directory, { recursive: true });
});

describe('the history', () => {
  it('adds the requests of an hour and of a day up, and has the amounts that were seen last', () => {
    table.add(sample(AT, { records: 5, versions: 3, bytes: 30, memory: 2, failed: 1 }));
    table.add(sample(AT + 60_000, { records: 6, memory: 3 }));
    table.add(sample(AT + HOUR, { records: 7, versions: 4, bytes: 40, memory: 10 }));
    expect(table.rows('hour', ...ALL)).toMatchObject([
      { at: Date.UTC(2026, 0, 10, 5), records: 6, versions: 3, bytes: 30, memory: 5, failed: 1 },
      { at: Date.UTC(2026, 0, 10, 6), records: 7, versions: 4, memory: 10, failed: 0 },
    ]);
    expect(table.rows('day', ...ALL)).toMatchObject([
      { at: Date.UTC(2026, 0, 10), records: 7, memory: 15, failed: 1 },
    ]);
  });

  it('keeps so many hours and every day', () => {
    db.transaction(() => {
      for (let n = 0; n < 2300; n++) table.add(sample(AT + n * HOUR));
    }).immediate();
    const hours = table.rows('hour', ...ALL);
    expect(hours).toHaveLength(2160);
    expect(hours.at(-1)?.at).toBe(Date.UTC(2026, 0, 10, 5) + 2299 * HOUR);
    expect(table.rows('day', ...ALL)).toHaveLength(97);
  });

  it('loses nothing to a clock that runs ahead and is set back', () => {
    table.add(sample(AT, { memory: 1 }));
    table.add(sample(AT + 9000 * DAY, { memory: 1 }));
    table.add(sample(AT - DAY, { memory: 1 }));
    table.add(sample(AT, { memory: 1 }));
    expect(table.rows('hour', AT - 2 * DAY, AT + DAY).map(({ memory }) => memory)).toEqual([1, 2]);
  });
});

describe('sampling', () => {
  const seen = { ...zeros() } as Record<keyof ReturnType<typeof zeros>, number>;
  const written: HistorySample[] = [];
  const errors: unknown[] = [];
  let works = true;
  const open = () =>
    new History({
      outcomes: () => seen,
      amounts: () => ({ records: 1, versions: 1, bytes: 1 }),
      write: async (each) => {
        if (!works) throw new Error('full');
        written.push(each);
      },
      now: () => AT,
      onHiddenError: (error) => errors.push(error),
    });

  it('writes what was asked since the sample before, with what could not be written then, and the rest at the end', async () => {
    const history = open();
    seen.memory = 5;
    await history.sample();
    works = false;
    seen.memory = 7;
    await history.sample();
    expect([errors.length, history.unwritten().memory]).toEqual([1, 2]);
    works = true;
    seen.memory = 8;
    await history.sample();
    seen.failed = 1;
    await history.close();
    expect(written.map(({ memory, failed }) => [memory, failed])).toEqual([
      [5, 0],
      [3, 0],
      [0, 1],
    ]);
  });
});
