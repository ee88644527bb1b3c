import { type Database, openForReading, storageError } from './database.ts';
import { HostedTables } from './hosted-tables.ts';
import { SignatureTable } from './signature-table.ts';
import { type Incident, type Provenance, REPLICA_OF, sourceName } from './log-records.ts';

interface RecordRow {
  readonly id: number;
  readonly path: string;
  readonly version: string;
  readonly zip_h1: Buffer;
  readonly mod_h1: Buffer;
}

export interface LoggedRecord {
  readonly id: number;
  readonly path: string;
  readonly version: string;
  /** `h1:` and base64. */
  readonly zip: string;
  readonly mod: string;
}

export interface PublishedHead {
  readonly size: number;
  readonly root: Buffer;
  readonly note: Buffer;
  /** Milliseconds since 1970. */
  readonly signedAt: number;
}

/** A head as it is stored. */
export interface IntegratedHead {
  readonly size: number;
  readonly root: Buffer;
  /** Null while it is integrated but not published. */
  readonly note: Buffer | null;
}

function loggedRecord(row: RecordRow): LoggedRecord {
  return {
    id: row.id,
    path: row.path,
    version: row.version,
    zip: `h1:${row.zip_h1.toString('base64')}`,
    mod: `h1:${row.mod_h1.toString('base64')}`,
  };
}

/**
 * The reading half of the log's database, usable from any thread and from commands beside a running server.
 *
 * Sees what is committed, which includes records of a head that is integrated but not published: callers compare
 * ids with the size of the published head before they let anything out.
 */
export class LogReader implements Disposable {
  /** What was published here and what was yanked. */
  readonly hosted: HostedTables;
  readonly signatures: SignatureTable;
  readonly #db: Database;
  readonly #byModule;
  readonly #byRange;
  readonly #headsByRange;
  readonly #tile;

  constructor(file: string) {
    const db = openForReading(file);
    this.#db = db;
    this.hosted = new HostedTables(db);
    this.signatures = new SignatureTable(db);
    this.#byModule = db.prepare<[string, string], RecordRow>(
      'SELECT id, path, version, zip_h1, mod_h1 FROM records WHERE path = ? AND version = ?',
    );
    this.#byRange = db.prepare<[number, number], RecordRow>(
      'SELECT id, path, version, zip_h1, mod_h1 FROM records WHERE id >= ? AND id < ? ORDER BY id',
    );
    this.#headsByRange = db.prepare<[number, number], IntegratedHead>(
      'SELECT size, root, note FROM heads WHERE size >= ? AND size < ? ORDER BY size',
    );
    this.#tile = db
      .prepare<[number, number], Buffer>('SELECT data FROM tiles WHERE level = ? AND n = ?')
      .pluck();
  }

  find(path: string, version: string): LoggedRecord | undefined {
    const row = this.#read(() => this.#byModule.get(path, version));
    return row === undefined ? undefined : loggedRecord(row);
  }

  /** Records with from ≤ id < to. */
  range(from: number, to: number): LoggedRecord[] {
    return this.#read(() => this.#byRange.all(from, to)).map(loggedRecord);
  }

  /** At most `limit` records from id `from` on, in the order of their ids: a replica has gaps between them. */
  recordsFrom(from: number, limit: number): LoggedRecord[] {
    return this.#read(() =>
      this.#db
        .prepare<[number, number], RecordRow>(
          'SELECT id, path, version, zip_h1, mod_h1 FROM records WHERE id >= ? ORDER BY id LIMIT ?',
        )
        .all(from, limit),
    ).map(loggedRecord);
  }

  /** Name of the log that this database is a replica of; undefined for a log of its own, or an empty replica. */
  replicaOf(): string | undefined {
    return this.#read(() =>
      this.#db.prepare<[string], string>('SELECT value FROM meta WHERE name = ?').pluck().get(REPLICA_OF),
    );
  }

  /** Versions on record of one module path, with their ids; unordered. */
  versions(path: string): { version: string; id: number }[] {
    return this.#read(() =>
      this.#db
        .prepare<[string], { version: string; id: number }>('SELECT version, id FROM records WHERE path = ?')
        .all(path),
    );
  }

  /** Those of a path whose ids are higher, in the order of these. */
  versionsAfter(path: string, id: number): { version: string; id: number }[] {
    return this.#read(() =>
      this.#db
        .prepare<[string, number], { version: string; id: number }>(
          'SELECT version, id FROM records WHERE path = ? AND id > ? ORDER BY id',
        )
        .all(path, id),
    );
  }

  provenance(id: number): Provenance | undefined {
    const row = this.#db
      .prepare<[number], { source: number; first_seen: number; text: string | null }>(
        `SELECT source, first_seen, text FROM records LEFT JOIN evidence ON evidence.id = records.evidence
         WHERE records.id = ?`,
      )
      .get(id);
    if (row === undefined) return undefined;
    return { source: sourceName(row.source), firstSeen: row.first_seen, evidence: row.text ?? undefined };
  }

  /** A hash tile as it is stored: `data.length / 32` hashes, which may be more than are published. */
  tile(level: number, n: number): Buffer | undefined {
    return this.#read(() => this.#tile.get(level, n));
  }

  publishedHead(): PublishedHead | undefined {
    return this.#db
      .prepare<[], PublishedHead>(
        `SELECT size, root, note, signed_at AS signedAt FROM heads WHERE note IS NOT NULL ORDER BY size DESC LIMIT 1`,
      )
      .get();
  }

  /** The newest head, integrated or published; its note is null while it waits to be published. */
  newestHead(): IntegratedHead | undefined {
    return this.#read(() =>
      this.#db
        .prepare<[], IntegratedHead>('SELECT size, root, note FROM heads ORDER BY size DESC LIMIT 1')
        .get(),
    );
  }

  headAt(size: number): IntegratedHead | undefined {
    return this.#read(() =>
      this.#db
        .prepare<[number], IntegratedHead>('SELECT size, root, note FROM heads WHERE size = ?')
        .get(size),
    );
  }

  /** Every head ever integrated with from ≤ size < to, oldest first. */
  heads(from: number, to: number): IntegratedHead[] {
    return this.#read(() => this.#headsByRange.all(from, to));
  }

  recordCount(): number {
    return Number(this.#db.prepare('SELECT coalesce(max(id) + 1, 0) FROM records').pluck().get());
  }

  /** How many records are held; in a replica fewer than the ids reach. */
  heldCount(): number {
    return Number(this.#read(() => this.#db.prepare('SELECT count(*) FROM records').pluck().get()));
  }

  /** When the first record from id `from` on was first seen, in seconds since 1970; undefined where there is none. */
  firstSeenFrom(from: number): number | undefined {
    return this.#read(() =>
      this.#db
        .prepare<[number], number>('SELECT first_seen FROM records WHERE id >= ? ORDER BY id LIMIT 1')
        .pluck()
        .get(from),
    );
  }

  incidentCount(): number {
    return Number(this.#read(() => this.#db.prepare('SELECT count(*) FROM incidents').pluck().get()));
  }

  /** The newest incidents, newest first. */
  incidents(limit: number): Incident[] {
    return this.#db
      .prepare<[number], Incident>(
        'SELECT at, kind, path, version, recorded, seen, source FROM incidents ORDER BY id DESC LIMIT ?',
      )
      .all(limit);
  }

  /** Incidents of one module path, or of one version of it and of the path as a whole; newest first. */
  incidentsOf(path: string, version: string | undefined, limit: number): Incident[] {
    return this.#read(() =>
      this.#db
        .prepare<[string, string | null, string | null, number], Incident>(
          `SELECT at, kind, path, version, recorded, seen, source FROM incidents
           WHERE path = ? AND (? IS NULL OR version = ? OR version = '') ORDER BY id DESC LIMIT ?`,
        )
        .all(path, version ?? null, version ?? null, limit),
    );
  }

  /** Hash tiles of one level from number n on, at most `limit`. */
  tilesFrom(level: number, n: number, limit: number): { level: number; n: number }[] {
    return this.#read(() =>
      this.#db
        .prepare<[number, number, number], { level: number; n: number }>(
          'SELECT level, n FROM tiles WHERE level = ? AND n >= ? ORDER BY n LIMIT ?',
        )
        .all(level, n, limit),
    );
  }

  /** Runs several reads that all see the same state. Keep it short: it holds back the writer's checkpoints. */
  snapshot<T>(run: () => T): T {
    return this.#db.transaction(run).deferred();
  }

  /** What SQLite itself finds wrong with the file; empty when nothing. */
  integrityProblems(): string[] {
    const rows = this.#db.pragma('integrity_check') as { integrity_check: string }[];
    return rows.map((row) => row.integrity_check).filter((line) => line !== 'ok');
  }

  close(): void {
    this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #read<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw storageError(error, 'log database: read');
    }
  }
}
