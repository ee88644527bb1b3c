import Database from 'better-sqlite3';

/**
 * A database for the duration of one job, so that memory does not grow with its size. Nothing in it is durable: whatever
 * interrupts the job makes the next one begin a new file.
 */
export function openScratch(file: string, tables: string): Database.Database {
  const db = new Database(file);
  db.pragma('journal_mode = OFF');
  db.pragma('synchronous = OFF');
  db.pragma('cache_size = -16384');
  db.exec(tables);
  return db;
}
