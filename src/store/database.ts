import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { GokeepError } from '../errors.ts';

export type { Database, Statement } from 'better-sqlite3';

/** 3.51.3 is the first release without the WAL-reset bug, which could lose a committed transaction. */
const OLDEST_SQLITE = [3, 51, 3] as const;

/** Bump when a change to the tables makes older programs misread them; written with each migration. */
const OLDEST_PROGRAM = '0.1.0';

const MIGRATIONS = path.join(import.meta.dirname, '..', '..', 'migrations');

/** Throws bad_config for a SQLite that must not keep a log: `version` is what `sqlite_version()` says. */
export function checkSqliteVersion(version: string): void {
  const parts = version.split('.').map(Number);
  for (const [at, least] of OLDEST_SQLITE.entries()) {
    const have = parts[at] ?? 0;
    if (have > least) return;
    if (!(have >= least)) {
      throw new GokeepError(
        'bad_config',
        `SQLite ${version} is too old; ${OLDEST_SQLITE.join('.')} is needed`,
      );
    }
  }
}

/** Any SQLite failure as one of ours: a full disk is told apart, since a person can mend it. */
export function storageError(error: unknown, what: string): GokeepError {
  if (error instanceof GokeepError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT') {
    return new GokeepError(
      'storage_full',
      'the disk of the gokeep server is full; its operator has to make room',
      {
        cause: error,
        detail: what,
      },
    );
  }
  const damaged = code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB';
  return new GokeepError(
    'storage_failed',
    damaged
      ? 'a database of the gokeep server is damaged; its operator has to run `gokeep fsck`'
      : 'the gokeep server could not write to its storage; see its log',
    { cause: error, detail: what },
  );
}

/** The same for what may have another reason: an error that is none of SQLite's or the system's stays as it is. */
export function asStorageError(error: unknown, what: string): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return 'code' in error ? storageError(error, what) : error;
}

function hasCode(error: unknown, matches: (code: string) => boolean): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && matches(String(error.code))) || hasCode(error.cause, matches);
}

/** True where the bytes of the file are not those of a database. */
export function isDamaged(error: unknown): boolean {
  return hasCode(error, (code) => code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB');
}

/** True for an error after which the file must not be written again by this process: the disk lied to fsync. */
export function isDiskFailure(error: unknown): boolean {
  return hasCode(error, (code) => code.startsWith('SQLITE_IOERR') || code === 'EIO');
}

/** The same for a file that is the truth, which is not written again when it is damaged either. */
export function isFatal(error: unknown): boolean {
  return isDiskFailure(error) || hasCode(error, (code) => code.startsWith('SQLITE_CORRUPT'));
}

function migrate(db: Database.Database, folder: string, file: string): void {
  const steps = readdirSync(path.join(MIGRATIONS, folder))
    .filter((name) => /^[0-9]{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort();
  const current = Number(db.pragma('user_version', { simple: true }));
  if (current > steps.length) {
    const oldest = db.prepare(`SELECT value FROM meta WHERE name = 'oldest_program'`).pluck().get();
    throw new GokeepError(
      'bad_config',
      `${file}: was written by a newer gokeep (schema ${current}, this program knows ${steps.length}); use gokeep ${String(oldest)} or newer`,
    );
  }
  for (const [at, name] of steps.entries()) {
    if (at < current) continue;
    const sql = readFileSync(path.join(MIGRATIONS, folder, name), 'utf8');
    db.transaction(() => {
      db.exec(sql);
      db.prepare(`INSERT OR REPLACE INTO meta (name, value) VALUES ('oldest_program', ?)`).run(
        OLDEST_PROGRAM,
      );
      db.pragma(`user_version = ${at + 1}`);
    }).immediate();
  }
}

/**
 * Opens a database for writing, creating or migrating it.
 *
 * Durability: WAL with `synchronous=FULL`, set and read back, since better-sqlite3's build drops to NORMAL when it
 * reopens a WAL database, and NORMAL loses acknowledged commits in a power cut. Callers use `BEGIN IMMEDIATE` only
 * (`transaction(...).immediate()`): upgrading a deferred transaction fails at once when another writer was first.
 *
 * Throws bad_config for a file of a newer gokeep, storage_full and storage_failed.
 */
export function openDatabase(
  file: string,
  migrations: 'log' | 'upstream' | 'access' | 'audit' | 'catalogue',
): Database.Database {
  let db: Database.Database | undefined;
  try {
    db = new Database(file, { timeout: 10_000 });
    checkSqliteVersion(String(db.prepare('SELECT sqlite_version()').pluck().get()));
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma('journal_size_limit = 67108864');
    if (
      db.pragma('journal_mode', { simple: true }) !== 'wal' ||
      db.pragma('synchronous', { simple: true }) !== 2
    ) {
      throw new GokeepError(
        'bad_config',
        `${file}: SQLite refused WAL with synchronous=FULL on this file system`,
      );
    }
    migrate(db, migrations, file);
    return db;
  } catch (error) {
    db?.close();
    throw asStorageError(error, `opening ${file}`);
  }
}

/** Opens an existing database for reading only; sees every transaction committed before each statement. */
export function openForReading(file: string): Database.Database {
  const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 10_000 });
  db.pragma('query_only = ON');
  return db;
}
