import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  checkSqliteVersion,
  isDiskFailure,
  isFatal,
  openDatabase,
  openForReading,
  storageError,
} from '../../src/store/database.ts';
import { LogWriter } from '../../src/store/log-writer.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-database-'));
  file = path.join(directory, 'log.db');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('SQLite itself', () => {
  it.each(['3.51.2', '3.50.7', '3.9.12', '3', '2.99.99', 'new', ''])(
    '%j is refused: it may lose a commit',
    (old) => {
      expect(() => checkSqliteVersion(old)).toThrow(
        expect.objectContaining({
          code: 'bad_config',
          message: expect.stringMatching(/^SQLite .* is too old; 3\.51\.3 is needed$/),
        }),
      );
    },
  );

  it.each(['3.51.3', '3.51.10', '3.100.0', '4.0.0'])('%s is new enough', (version) => {
    checkSqliteVersion(version);
  });
});

describe.each(['log', 'upstream'] as const)('the %s database', (kind) => {
  it('is in WAL mode with synchronous=FULL and foreign keys, every time it is opened', () => {
    for (let time = 0; time < 3; time++) {
      const db = openDatabase(file, kind);
      expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
      expect(db.pragma('synchronous', { simple: true })).toBe(2);
      expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
      db.prepare(`INSERT OR REPLACE INTO meta (name, value) VALUES ('written', ?)`).run(String(time));
      db.close();
    }
  });

  it('carries its schema version and the oldest program that can still use it', () => {
    const db = openDatabase(file, kind);
    expect(db.pragma('user_version', { simple: true })).toBeGreaterThan(0);
    expect(db.prepare(`SELECT value FROM meta WHERE name = 'oldest_program'`).pluck().get()).toMatch(
      /^[0-9]+\.[0-9]+\.[0-9]+$/,
    );
    db.close();
  });

  it('is refused, and left as it is, when a newer gokeep wrote it', () => {
    const db = openDatabase(file, kind);
    const known = Number(db.pragma('user_version', { simple: true }));
    db.pragma(`user_version = ${known + 1}`);
    db.exec(`UPDATE meta SET value = '7.8.9' WHERE name = 'oldest_program'`);
    db.close();
    const before = readFileSync(file);
    expect(() => openDatabase(file, kind)).toThrow(
      expect.objectContaining({
        code: 'bad_config',
        message: expect.stringContaining(
          `newer gokeep (schema ${known + 1}, this program knows ${known}); use gokeep 7.8.9`,
        ),
      }),
    );
    expect(readFileSync(file)).toEqual(before);
  });

  it('rolls a migration back that fails half-way, and takes it up once nothing is in its way', () => {
    // The last table that the migration makes is there already, so that it fails after making the others.
    const tables = (db: Database.Database) =>
      db.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`).pluck().all();
    const obstacle = kind === 'log' ? 'incidents' : 'answers';
    const foreign = new Database(file);
    foreign.exec(`CREATE TABLE ${obstacle} (x)`);
    foreign.close();
    expect(() => openDatabase(file, kind)).toThrow(
      expect.objectContaining({
        code: 'storage_failed',
        cause: expect.objectContaining({ message: expect.stringMatching(/already exists/) }),
      }),
    );
    const after = new Database(file);
    expect(tables(after)).toEqual([obstacle]);
    expect(after.pragma('user_version', { simple: true })).toBe(0);
    after.exec(`DROP TABLE ${obstacle}`);
    after.close();
    openDatabase(file, kind).close();
  });
});

describe('openDatabase', () => {
  it('runs on a SQLite without the WAL-reset bug', () => {
    const db = openDatabase(file, 'log');
    const version = String(db.prepare('SELECT sqlite_version()').pluck().get()).split('.').map(Number);
    const number = version[0]! * 1_000_000 + version[1]! * 1_000 + version[2]!;
    expect(number).toBeGreaterThanOrEqual(3_051_003);
    db.close();
  });

  it('refuses a file that is no database', () => {
    writeFileSync(file, 'x'.repeat(8192));
    expect(() => openDatabase(file, 'log')).toThrow(
      expect.objectContaining({
        code: 'storage_failed',
        message: expect.stringMatching(/damaged.*gokeep fsck/),
      }),
    );
    expect(readFileSync(file, 'utf8')).toBe('x'.repeat(8192));
  });
});

describe('openForReading', () => {
  it('makes nothing', () => {
    expect(() => openForReading(file)).toThrow();
    openDatabase(file, 'log').close();
    const db = openForReading(file);
    expect(() => db.exec(`INSERT INTO meta (name, value) VALUES ('a', 'b')`)).toThrow(/readonly/);
    db.close();
  });

  it('sees what is committed, while the writer is at work', () => {
    const writer = new LogWriter(file);
    const db = openForReading(file);
    writer.probe(1);
    const probed = db.prepare(`SELECT value FROM meta WHERE name = 'probed_at'`).pluck();
    expect(probed.get()).toBe('1');
    writer.probe(2);
    expect(probed.get()).toBe('2');
    db.close();
    writer.close();
  });
});

describe('storageError', () => {
  it.each([
    ['SQLITE_FULL', 'storage_full'],
    ['ENOSPC', 'storage_full'],
    ['EDQUOT', 'storage_full'],
    ['SQLITE_IOERR_FSYNC', 'storage_failed'],
    ['EIO', 'storage_failed'],
    ['EROFS', 'storage_failed'],
  ])('%s is %s', (code, ours) => {
    const error = Object.assign(new Error('/data/gokeep.db: low'), { code });
    expect(storageError(error, 'what')).toMatchObject({ code: ours, detail: 'what', cause: error });
    expect(storageError(error, 'what').message).not.toContain('/data');
  });
});

describe('an error after which a file is not written again', () => {
  it.each([
    ['SQLITE_IOERR_FSYNC', true, true],
    ['SQLITE_IOERR_WRITE', true, true],
    ['EIO', true, true],
    ['SQLITE_CORRUPT', true, false],
    ['SQLITE_CORRUPT_INDEX', true, false],
    ['SQLITE_FULL', false, false],
    ['ENOSPC', false, false],
    ['SQLITE_BUSY', false, false],
  ])('%s: %s where it is the truth, else %s, however deep it lies', (code, fatal, diskFailure) => {
    const low = Object.assign(new Error('low'), { code });
    for (const error of [low, new Error('high', { cause: new Error('middle', { cause: low }) })]) {
      expect(isFatal(error)).toBe(fatal);
      expect(isDiskFailure(error)).toBe(diskFailure);
    }
  });
});
