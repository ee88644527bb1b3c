import { rmSync } from 'node:fs';
import { hasCode } from '../errors.ts';
import { type Database, isDamaged, openDatabase, storageError } from './database.ts';

/** Bump when other facts are read out of zips, or they are stored in another form: what older programs wrote is made again. */
const CONTENT = '1';

/**
 * Opens the catalogue's database for writing, creating it where there is none. What is damaged, or was written by a program
 * that has another schema or reads other facts, is deleted: all of it can be read out of the store again.
 *
 * Throws storage_full and storage_failed.
 */
export function openCatalogueDatabase(file: string): Database {
  try {
    return checked(file);
  } catch (error) {
    if (!isDamaged(error) && !hasCode(error, 'bad_config')) throw error;
    deleteCatalogueDatabase(file);
    return checked(file);
  }
}

/** Nobody may have it open for writing. Whoever reads it goes on with what it held. */
export function deleteCatalogueDatabase(file: string): void {
  for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true });
}

function checked(file: string): Database {
  const db = openDatabase(file, 'catalogue');
  try {
    db.prepare(`INSERT OR IGNORE INTO meta (name, value) VALUES ('content', ?)`).run(CONTENT);
    const content = db.prepare(`SELECT value FROM meta WHERE name = 'content'`).pluck().get();
    if (content === CONTENT) return db;
  } catch (error) {
    db.close();
    throw storageError(error, `opening ${file}`);
  }
  db.close();
  deleteCatalogueDatabase(file);
  return checked(file);
}
