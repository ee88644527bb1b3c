import { GokeepError } from '../errors.ts';
import { openScratch } from '../store/scratch.ts';
import type { Database } from '../store/database.ts';
import type { GoSumHashes } from '../tlog/go-sum-record.ts';
import { HASH_SIZE } from '../tlog/hash.ts';
import type { TileReader } from '../tlog/tile-reader.ts';
import { type Tile, tilePath } from '../tlog/tile.ts';
import type { TreeHead } from '../tlog/tree-note.ts';

const TABLES = `
  CREATE TABLE lookups (database TEXT, id INTEGER, path TEXT, version TEXT, text BLOB, PRIMARY KEY (database, id)) WITHOUT ROWID;
  CREATE TABLE records (database TEXT, id INTEGER, path TEXT, version TEXT, zip TEXT, mod TEXT, PRIMARY KEY (path, version, database)) WITHOUT ROWID;
  CREATE TABLE tiles (database TEXT, level INTEGER, n INTEGER, width INTEGER, data BLOB, PRIMARY KEY (database, level, n, width));
  CREATE TABLE heads (database TEXT PRIMARY KEY, size INTEGER, root BLOB, note BLOB);
`;

/** A record as a lookup in a bundle says it, before it is proven. */
export interface ClaimedRecord {
  readonly id: number;
  readonly path: string;
  readonly version: string;
  readonly text: Buffer;
}

/** Module versions that one database alone has proven. */
export interface ProvenAlone {
  readonly database: string;
  readonly versions: number;
  /** One of them, `path@version`. */
  readonly example: string;
}

export interface ProvenHashes extends GoSumHashes {
  readonly database: string;
}

/** What a bundle says of its checksum databases: first as claimed, then, in `records`, as proven. On disk, for one job. */
export class ProvenRecords implements Disposable {
  readonly file: string;
  readonly #db: Database;
  readonly #also: ProvenRecords | undefined;
  readonly #putLookup;
  readonly #putRecord;
  readonly #putTile;
  readonly #hashes;
  readonly #tile;

  /**
   * @param file a path where nothing lies yet
   * @param also what another bundle of the chain has proven, which counts here too
   */
  constructor(file: string, also?: ProvenRecords) {
    this.file = file;
    this.#also = also;
    const db = openScratch(file, TABLES);
    this.#db = db;
    this.#putLookup = db.prepare('INSERT INTO lookups VALUES (?, ?, ?, ?, ?)');
    this.#putRecord = db.prepare('INSERT INTO records VALUES (?, ?, ?, ?, ?, ?)');
    this.#putTile = db.prepare('INSERT OR IGNORE INTO tiles VALUES (?, ?, ?, ?, ?)');
    this.#hashes = db.prepare<[string, string], ProvenHashes>(
      'SELECT database, zip, mod FROM records WHERE path = ? AND version = ? ORDER BY database',
    );
    this.#tile = db
      .prepare<[string, number, number, number], Buffer>(
        'SELECT data FROM tiles WHERE database = ? AND level = ? AND n = ? AND width = ?',
      )
      .pluck();
  }

  claim(database: string, { id, path, version, text }: ClaimedRecord): void {
    try {
      this.#putLookup.run(database, id, path, version, text);
    } catch (error) {
      if (!isTaken(error)) throw error;
      throw new GokeepError(
        'bad_bundle',
        `${path}@${version}: the bundle has another lookup in ${database} with its number`,
      );
    }
  }

  prove(database: string, { id, path, version }: ClaimedRecord, { zip, mod }: GoSumHashes): void {
    this.#putRecord.run(database, id, path, version, zip, mod);
  }

  addTile(database: string, { level, n, width }: Tile, data: Buffer): void {
    this.#putTile.run(database, level, n, width, data);
  }

  setHead(database: string, { size, root }: TreeHead, note: Buffer): void {
    this.#db.prepare('INSERT OR REPLACE INTO heads VALUES (?, ?, ?, ?)').run(database, size, root, note);
  }

  headNote(database: string): Buffer | undefined {
    return this.#db
      .prepare<[string], Buffer>('SELECT note FROM heads WHERE database = ?')
      .pluck()
      .get(database);
  }

  /** Claimed records with id ≥ from, by id, at most `limit`. */
  claims(database: string, from: number, limit: number): ClaimedRecord[] {
    return this.#db
      .prepare<[string, number, number], ClaimedRecord>(
        'SELECT id, path, version, text FROM lookups WHERE database = ? AND id >= ? ORDER BY id LIMIT ?',
      )
      .all(database, from, limit);
  }

  /** Tiles behind (level, n), in that order, at most `limit`; without their data. */
  tilesAfter(database: string, level: number, n: number, limit: number): Tile[] {
    return this.#db
      .prepare<[string, number, number, number], Tile>(
        `SELECT 8 AS height, level, n, width FROM tiles WHERE database = ? AND (level, n) > (?, ?)
         ORDER BY level, n, width LIMIT ?`,
      )
      .all(database, level, n, limit);
  }

  tile(database: string, { level, n, width }: Tile): Buffer | undefined {
    return this.#tile.get(database, level, n, width);
  }

  /** What each database has proven of a module version. */
  hashes(path: string, version: string): ProvenHashes[] {
    const own = this.#hashes.all(path, version);
    return this.#also === undefined ? own : [...own, ...this.#also.hashes(path, version)];
  }

  /** Module versions that any database has proven, behind (path, version), at most `limit`, with one database's hashes. */
  versionsAfter(path: string, version: string, limit: number) {
    return this.#db
      .prepare<
        [string, string, number],
        { path: string; version: string; zip: string; mod: string; databases: string }
      >(
        `SELECT path, version, min(zip) AS zip, min(mod) AS mod, json_group_array(database) AS databases FROM records
         WHERE (path, version) > (?, ?) GROUP BY path, version ORDER BY path, version LIMIT ?`,
      )
      .all(path, version, limit)
      .map(({ databases, ...record }) => ({ ...record, databases: JSON.parse(databases) as string[] }));
  }

  /** What one database alone has proven, by the database's name. */
  provenAlone(): ProvenAlone[] {
    return this.#db
      .prepare<[], ProvenAlone>(
        `SELECT database, count(*) AS versions, min(example) AS example FROM (
           SELECT min(database) AS database, path || '@' || version AS example FROM records
           GROUP BY path, version HAVING count(*) = 1)
         GROUP BY database ORDER BY database`,
      )
      .all();
  }

  /** Module versions of which two databases have proven different hashes, at most `limit`. */
  contradictions(limit: number) {
    return this.#db
      .prepare<[number], { path: string; version: string; databases: string }>(
        `SELECT path, version, group_concat(database, ', ') AS databases FROM records GROUP BY path, version
         HAVING count(DISTINCT zip) > 1 OR count(DISTINCT mod) > 1 ORDER BY path, version LIMIT ?`,
      )
      .all(limit);
  }

  /** Reads the tiles that a bundle brought, and no others. */
  tileReader(database: string): TileReader {
    return {
      height: 8,
      readTiles: async (tiles) =>
        tiles.map((tile) => {
          const data = this.tile(database, tile);
          if (data?.length === tile.width * HASH_SIZE) return data;
          throw new GokeepError(
            'bad_tile',
            `the bundle lacks sumdb/${database}/${tilePath(tile)}, without which nothing is proven`,
          );
        }),
      saveTiles: () => undefined,
    };
  }

  /** Writes everything to {@link file}, for somebody else to read. */
  settle(): void {
    if (this.#db.inTransaction) this.#db.exec('COMMIT');
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_CONSTRAINT');
}
