import type { TreeHead } from '../tlog/tree-note.ts';
import { HostedTables } from './hosted-tables.ts';
import { LogDatabase } from './log-database.ts';
import { type Provenance, SOURCE_CODES } from './log-records.ts';

export interface NewRecord {
  readonly path: string;
  readonly version: string;
  /** Raw SHA-256 behind `h1:`, 32 bytes. */
  readonly zipH1: Buffer;
  readonly modH1: Buffer;
  readonly provenance: Provenance;
}

export interface StoredRecord {
  readonly id: number;
  readonly zipH1: Buffer;
  readonly modH1: Buffer;
}

export interface StoredTile {
  readonly level: number;
  readonly n: number;
  readonly data: Buffer;
}

export interface StoredHead extends TreeHead {
  /** The signed note; null while the head is integrated but not yet published. */
  readonly note: Buffer | null;
  /** Milliseconds since 1970; 0 while unsigned. */
  readonly signedAt: number;
}

/**
 * The writing half of the log's database. One instance, in the log's worker thread.
 *
 * Guarantees: `integrate` and `publish` are each one transaction, durable (survive kill -9 and power loss) when
 * they return; after either throws, nothing of it is there, or all of it (a commit whose answer was lost): reload
 * before going on. Trust: whoever can write this file can rewrite unpublished history only; published heads are held
 * against it by clients, by the high-water mark and by `fsck`.
 */
export class LogWriter extends LogDatabase {
  /** What was published here and what was yanked. */
  readonly hosted: HostedTables;
  readonly #findRecord;
  readonly #insertRecord;
  readonly #putTile;
  readonly #insertHead;
  readonly #publishHead;

  constructor(file: string) {
    super(file, 'log database');
    const { db } = this;
    this.hosted = new HostedTables(db);
    this.#findRecord = db.prepare<[string, string], { id: number; zip_h1: Buffer; mod_h1: Buffer }>(
      'SELECT id, zip_h1, mod_h1 FROM records WHERE path = ? AND version = ?',
    );
    this.#insertRecord = db.prepare(
      `INSERT INTO records (id, path, version, zip_h1, mod_h1, source, first_seen, evidence)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#putTile = db.prepare('INSERT OR REPLACE INTO tiles (level, n, data) VALUES (?, ?, ?)');
    this.#insertHead = db.prepare('INSERT INTO heads (size, root) VALUES (?, ?)');
    this.#publishHead = db.prepare(
      'UPDATE heads SET note = ?, signed_at = ? WHERE size = ? AND root = ? AND note IS NULL',
    );
  }

  findRecord(path: string, version: string): StoredRecord | undefined {
    const row = this.#findRecord.get(path, version);
    return row === undefined ? undefined : { id: row.id, zipH1: row.zip_h1, modH1: row.mod_h1 };
  }

  /** The newest head, integrated or published. */
  newestHead(): StoredHead | undefined {
    return this.db
      .prepare<[], StoredHead>(
        'SELECT size, root, note, coalesce(signed_at, 0) AS signedAt FROM heads ORDER BY size DESC LIMIT 1',
      )
      .get();
  }

  newestPublishedHead(): StoredHead | undefined {
    return this.db
      .prepare<[], StoredHead>(
        'SELECT size, root, note, coalesce(signed_at, 0) AS signedAt FROM heads WHERE note IS NOT NULL ORDER BY size DESC LIMIT 1',
      )
      .get();
  }

  recordCount(): number {
    return Number(this.db.prepare('SELECT coalesce(max(id) + 1, 0) FROM records').pluck().get());
  }

  tile(level: number, n: number): Buffer | undefined {
    return this.db
      .prepare<[number, number], Buffer>('SELECT data FROM tiles WHERE level = ? AND n = ?')
      .pluck()
      .get(level, n);
  }

  /** Step ①: records from index `from` on, the tiles they change, and the new head, unsigned; one transaction. */
  integrate(from: number, records: readonly NewRecord[], tiles: readonly StoredTile[], head: TreeHead): void {
    const run = this.db.transaction(() => {
      for (const [at, record] of records.entries()) {
        const { source, firstSeen, evidence } = record.provenance;
        this.#insertRecord.run(
          from + at,
          record.path,
          record.version,
          record.zipH1,
          record.modH1,
          SOURCE_CODES[source],
          firstSeen,
          evidence === undefined ? null : this.evidenceId(evidence),
        );
      }
      for (const tile of tiles) this.#putTile.run(tile.level, tile.n, tile.data);
      this.#insertHead.run(head.size, head.root);
    });
    this.write('integrate', () => run.immediate());
  }

  /** Step ④: the signed head becomes visible. Throws storage_failed when that head is not waiting for it. */
  publish(head: TreeHead, note: Buffer, signedAt: number): void {
    this.write('publish', () => {
      const { changes } = this.#publishHead.run(note, signedAt, head.size, head.root);
      if (changes !== 1) throw new Error(`head ${head.size} is not waiting to be published`);
    });
  }
}
