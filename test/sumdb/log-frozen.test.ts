import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogReader } from '../../src/store/log-reader.ts';
import { candidates } from './candidates.ts';
import { InjectedFault, TestLog } from './test-log.ts';

let log: TestLog;

beforeEach(() => {
  log = new TestLog();
});

afterEach(() => log[Symbol.dispose]());

/** A log of three records and a mark that stands at three; `older` is its database when it had two. */
function preparedLog(): { older: string; markAtTwo: string } {
  const engine = log.open();
  engine.append(candidates(1, 2));
  log.close();
  const older = `${log.database}.older`;
  const markAtTwo = `${log.markFile}.older`;
  copyFileSync(log.database, older);
  copyFileSync(log.markFile, markAtTwo);
  log.open().append(candidates(3));
  log.close();
  return { older, markAtTwo };
}

function expectFrozen(what: RegExp): void {
  const heads = () => {
    const reader = new LogReader(log.database);
    const all = reader.heads(0, 10_000).map(({ size, note }) => [size, note?.toString()]);
    reader.close();
    return all;
  };
  const engine = log.open();
  const before = heads();
  const refused = expect.objectContaining({ code: 'log_frozen', message: expect.stringMatching(what) });
  expect(() => engine.recover()).toThrow(refused);
  // And again: a refusal is not forgotten by asking twice, or by appending instead.
  expect(() => engine.append(candidates(9))).toThrow(refused);
  expect(heads()).toEqual(before);
}

describe('the log refuses to sign', () => {
  it('when its database was put back from an older copy', () => {
    const { older } = preparedLog();
    copyFileSync(older, log.database);
    expectFrozen(/older than what was already signed/);
  });

  it('when its database is gone', () => {
    preparedLog();
    rmSync(log.database);
    log.open();
    expect(() => log.open().recover()).toThrow(expect.objectContaining({ code: 'log_frozen' }));
    expect(() => log.open().append(candidates(1))).toThrow(/lost or put back/);
  });

  it('when the mark is missing', () => {
    preparedLog();
    rmSync(log.markFile);
    expectFrozen(/mark .* is missing/);
  });

  it('when the mark was put back from an older copy', () => {
    const { markAtTwo } = preparedLog();
    copyFileSync(markAtTwo, log.markFile);
    expectFrozen(/mark is older/);
  });

  it('when the mark is of another history', () => {
    preparedLog();
    writeFileSync(log.markFile, `gokeep high-water mark\nlog.test\n3\n${'0'.repeat(64)}\n`);
    expectFrozen(/disagree/);
  });

  it('when the mark stands between the last published head and one that waits for it', () => {
    const engine = log.open();
    engine.append(candidates(1, 2));
    log.faults.failNext('before advance');
    expect(() => engine.append(candidates(3, 4))).toThrow(InjectedFault);
    writeFileSync(log.markFile, `gokeep high-water mark\nlog.test\n3\n${'0'.repeat(64)}\n`);
    expectFrozen(/mark is older/);
  });

  it('when another log has moved the mark meanwhile', () => {
    const engine = log.open();
    engine.append(candidates(1));
    writeFileSync(log.markFile, `gokeep high-water mark\nlog.test\n7\n${'1'.repeat(64)}\n`);
    const signed = () => {
      const reader = new LogReader(log.database);
      const size = reader.publishedHead()?.size;
      reader.close();
      return size;
    };
    expect(() => engine.append(candidates(2))).toThrow(/another process signs this log/);
    expect(() => engine.append(candidates(2))).toThrow(expect.objectContaining({ code: 'log_frozen' }));
    expect(signed()).toBe(1);
  });

  it.each([
    ['a tile of the right edge', `UPDATE tiles SET data = zeroblob(length(data)) WHERE n = 0`],
    ['a tile that is too short', `UPDATE tiles SET data = substr(data, 1, 32)`],
    ['a missing tile', 'DELETE FROM tiles'],
    ['a missing record', 'DELETE FROM records WHERE id = 2'],
    [
      'a record too many',
      `INSERT INTO records SELECT 3, 'x.test/x', version, zip_h1, mod_h1, source, first_seen, evidence FROM records WHERE id = 0`,
    ],
    ['the root of the newest head', `UPDATE heads SET root = zeroblob(32) WHERE size = 3`],
  ])('when the stored tree is damaged: %s', (_what, sql) => {
    preparedLog();
    const db = new Database(log.database);
    db.exec(sql);
    db.close();
    expectFrozen(/damaged/);
  });
});

describe('the write-ahead log, damaged while nobody had it open', () => {
  /** Database, write-ahead log and mark as a kill leaves them after three acknowledged records. */
  function killed(): Buffer {
    const engine = log.open();
    engine.append(candidates(1));
    engine.append(candidates(2));
    engine.append(candidates(3));
    for (const ending of ['', '-wal'])
      copyFileSync(`${log.database}${ending}`, `${log.database}${ending}.copy`);
    log.close();
    copyFileSync(`${log.database}.copy`, log.database);
    return readFileSync(`${log.database}-wal.copy`);
  }

  it('is taken up as it is', () => {
    writeFileSync(`${log.database}-wal`, killed());
    expect(log.open().recover().size).toBe(3);
  });

  it.each([
    ['removed', () => undefined],
    ['empty', () => Buffer.alloc(0)],
    ['cut in the middle', (wal: Buffer) => wal.subarray(0, wal.length / 2)],
    ['without its last frame', (wal: Buffer) => wal.subarray(0, wal.length - 4120)],
    ['with a flipped bit in its header', (wal: Buffer) => flipped(wal, 3)],
    ['with a flipped bit in its middle', (wal: Buffer) => flipped(wal, Math.floor(wal.length / 2))],
    ['with a flipped bit in its last frame', (wal: Buffer) => flipped(wal, wal.length - 10)],
  ])('%s: what was acknowledged is there, or the log refuses to sign', (_what, damage) => {
    const wal = damage(killed());
    if (wal !== undefined) writeFileSync(`${log.database}-wal`, wal);
    const engine = log.open();
    try {
      expect(engine.recover().size).toBe(3);
    } catch (error) {
      expect(error).toMatchObject({ code: 'log_frozen' });
      expect(() => engine.append(candidates(9))).toThrow(expect.objectContaining({ code: 'log_frozen' }));
    }
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1;
  return copy;
}
