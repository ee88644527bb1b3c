import Database from 'better-sqlite3';
import { formatGoSumRecord, parseGoSumRecord } from '../../src/tlog/go-sum-record.ts';
import { proveRecord, proveTree } from '../../src/tlog/proof.ts';
import { DATA_LEVEL, type Tile, tilePath } from '../../src/tlog/tile.ts';
import { tileHashReader } from '../../src/tlog/tile-reader.ts';
import { parseTree } from '../../src/tlog/tree-note.ts';
import { FakeDatabase } from '../upstream/fake-database.ts';

/** Name of the origin's log in these tests. */
export const ORIGIN = FakeDatabase.verifier.name;

/** The empty tables in which an importer leaves what it has proven. */
export function createScratch(file: string): Database.Database {
  const db = new Database(file);
  db.exec(`
    CREATE TABLE records (database TEXT, id INTEGER, path TEXT, version TEXT, zip TEXT, mod TEXT,
      PRIMARY KEY (database, path, version));
    CREATE TABLE tiles (database TEXT, level INTEGER, n INTEGER, width INTEGER, data BLOB,
      PRIMARY KEY (database, level, n, width));
    CREATE TABLE heads (database TEXT PRIMARY KEY, size INTEGER, root BLOB, note BLOB);
  `);
  return db;
}

/** What the text of a record says. */
export function partsOf(text: Buffer): { path: string; version: string; zip: string; mod: string } {
  const [path = '', version = ''] = text.toString().split(' ');
  return { path, version, ...parseGoSumRecord(text, path, version) };
}

/**
 * A scratch file with some of the origin's records, under the head that it shows, and only those tiles that prove them and
 * that the tree of size `since` is how this one began.
 */
export async function writeScratch(
  file: string,
  origin: FakeDatabase,
  ids: readonly number[],
  since = 0,
): Promise<string> {
  const head = parseTree(origin.note().toString().split('\n\n')[0]! + '\n');
  const tiles = new Map<string, Tile>();
  const hashes = tileHashReader(head, {
    height: 8,
    readTiles: (wanted) => {
      for (const tile of wanted) tiles.set(tilePath(tile), tile);
      return Promise.resolve(wanted.map((tile) => origin.answer(`/${tilePath(tile)}`)));
    },
    saveTiles: () => undefined,
  });
  for (const id of ids) await proveRecord(head.size, id, hashes);
  if (since > 0) await proveTree(head.size, since, hashes);
  const db = createScratch(file);
  const putRecord = db.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)');
  for (const id of ids) {
    const { path, version, zip, mod } = partsOf(origin.text(id));
    putRecord.run(ORIGIN, id, path, version, zip, mod);
  }
  const putTile = db.prepare('INSERT INTO tiles VALUES (?, ?, ?, ?, ?)');
  for (const tile of tiles.values()) {
    if (tile.level === DATA_LEVEL) continue;
    putTile.run(ORIGIN, tile.level, tile.n, tile.width, origin.answer(`/${tilePath(tile)}`));
  }
  db.prepare('INSERT INTO heads VALUES (?, ?, ?, ?)').run(ORIGIN, head.size, head.root, origin.note());
  db.close();
  return file;
}

/** Makes one change to a scratch file. */
export function changeScratch(file: string, sql: string, ...values: readonly unknown[]): string {
  const db = new Database(file);
  try {
    if (db.prepare(sql).run(...values).changes === 0) throw new Error(`nothing changed: ${sql}`);
  } finally {
    db.close();
  }
  return file;
}

/** Adds a record that says exactly this. */
export function addRecord(
  origin: FakeDatabase,
  made: { path: string; version: string; h1: { zip: string; mod: string } },
): number {
  const { path, version, h1 } = made;
  return origin.add(path, version, formatGoSumRecord(path, version, h1.zip, h1.mod));
}
