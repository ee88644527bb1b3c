import { type Database, openDatabase, storageError } from './database.ts';
import type { Incident } from './log-records.ts';
import { SignatureTable } from './signature-table.ts';

/**
 * The database of a log, opened for writing: what is written alike in a log of our own and in a replica of another's.
 *
 * Everything here is durable when it returns. Throws storage_full and storage_failed.
 */
export abstract class LogDatabase implements Disposable {
  readonly signatures: SignatureTable;
  protected readonly db: Database;
  readonly #what: string;
  readonly #findEvidence;
  readonly #insertEvidence;

  /**
   * Creates the database where there is none; throws bad_config too.
   *
   * @param what stands in the details of errors
   */
  constructor(file: string, what: string) {
    const db = openDatabase(file, 'log');
    this.db = db;
    this.signatures = new SignatureTable(db);
    this.#what = what;
    this.#findEvidence = db.prepare<[string], number>('SELECT id FROM evidence WHERE text = ?').pluck();
    this.#insertEvidence = db.prepare('INSERT INTO evidence (text) VALUES (?)');
  }

  recordIncident(incident: Incident): void {
    this.write('incident', () =>
      this.db
        .prepare(
          `INSERT INTO incidents (at, kind, path, version, recorded, seen, source)
           VALUES (@at, @kind, @path, @version, @recorded, @seen, @source)`,
        )
        .run(incident),
    );
  }

  /** Proves that the database can be written: a transaction that changes a row of ours, durably. */
  probe(now: number): void {
    this.write('probe', () =>
      this.db.prepare(`INSERT OR REPLACE INTO meta (name, value) VALUES ('probed_at', ?)`).run(String(now)),
    );
  }

  checkpoint(): void {
    this.db.pragma('wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Few distinct texts stand with many records: each is kept once. */
  protected evidenceId(text: string): number {
    const known = this.#findEvidence.get(text);
    return known ?? Number(this.#insertEvidence.run(text).lastInsertRowid);
  }

  protected write(what: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      throw storageError(error, `${this.#what}: ${what}`);
    }
  }
}
