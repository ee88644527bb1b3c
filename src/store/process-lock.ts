import { existsSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { GokeepError } from '../errors.ts';

/**
 * One writer process for one data directory.
 *
 * The lock is SQLite's own, on an empty file: an fcntl lock of the kernel, held by an open exclusive transaction. It
 * is gone the moment the process is, whatever killed it, so there is no stale lock to clean up; and a stopped
 * (SIGSTOP) process keeps it, so nobody can take over behind its back.
 *
 * Throws bad_config when another process holds it.
 */
export function lockDataDirectory(data: string): Disposable {
  return lock(
    path.join(data, 'writer.lock'),
    `${data}: another gokeep process is using this data directory; stop it first`,
  );
}

/**
 * One process for one high-water mark. Two servers on copies of one data directory each hold the lock of their own; a
 * mark that they share is where they meet. A mark inside the data directory is covered by that directory's lock.
 *
 * Throws bad_config when another process holds it.
 */
export function lockMark(mark: string, data: string): Disposable {
  if (path.dirname(mark) === data) return { [Symbol.dispose]: () => undefined };
  return lock(`${mark}.lock`, `${mark}: another gokeep process is using this high-water mark; stop it first`);
}

function lock(file: string, taken: string): Disposable {
  const db = new Database(file, { timeout: 0 });
  try {
    db.pragma('journal_mode = DELETE');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') {
      throw new GokeepError('bad_config', taken, { cause: error });
    }
    throw error;
  }
  return { [Symbol.dispose]: () => db.close() };
}

/** Whether a process holds the lock of this data directory at this moment. */
export function isDataDirectoryLocked(data: string): boolean {
  const file = path.join(data, 'writer.lock');
  if (!existsSync(file)) return false;
  const db = new Database(file, { readonly: true, timeout: 0 });
  try {
    db.pragma('user_version');
    return false;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') return true;
    throw error;
  } finally {
    db.close();
  }
}
