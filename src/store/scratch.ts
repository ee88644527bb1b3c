import Database from 'better-sqlite3';

/**
 * A database for the duration of one job, so that memory does not grow with its size. Nothing in it is durable: whatever
 * interrupts the job makes the next one begin a new file. It is in one transaction from here on, since to end one for each
 * small write would cost more than the writes; who lets others read the file commits first.
 */
export function openScratch(file: string, tables: string): Database.Database {
  const db = new Database(file);
  db.pragma('journal_mode = OFF');
  db.pragma('synchronous = OFF');
  db.pragma('cache_size = -16384');
  db.exec(tables);
  db.exec('BEGIN');
  return db;
}
