import { openScratch } from '../store/scratch.ts';
import type { Database } from '../store/database.ts';

const TABLES = `
  CREATE TABLE judged (n INTEGER PRIMARY KEY, path TEXT, version TEXT, id TEXT, verdict TEXT);
  CREATE TABLE wanted (path TEXT, version TEXT, PRIMARY KEY (path, version)) WITHOUT ROWID;
`;

/** A signature in a bundle, and what it was found to be. */
export interface Judged {
  readonly path: string;
  readonly version: string;
  readonly id: string;
  /** As the table of signatures has it. */
  readonly verdict: string;
}

/** What was found out of a bundle's signatures, and which versions still want one. On disk, for one job. */
export class JudgedSignatures implements Disposable {
  readonly #db: Database;
  readonly #put;
  readonly #want;
  readonly #content;

  /** @param file a path where nothing lies yet */
  constructor(file: string) {
    this.#db = openScratch(file, TABLES);
    this.#put = this.#db.prepare('INSERT INTO judged (path, version, id, verdict) VALUES (?, ?, ?, ?)');
    this.#want = this.#db.prepare('INSERT OR IGNORE INTO wanted VALUES (?, ?)');
    this.#content = this.#db.prepare('DELETE FROM wanted WHERE path = ? AND version = ?');
  }

  add({ path, version, id, verdict }: Judged): void {
    this.#put.run(path, version, id, verdict);
  }

  /** This version has to have a signature that is trusted. */
  want(path: string, version: string): void {
    this.#want.run(path, version);
  }

  /** It has one. */
  hasOne(path: string, version: string): void {
    this.#content.run(path, version);
  }

  /** Versions that have none, at most `limit`. */
  lacking(limit: number): { path: string; version: string }[] {
    return this.#db
      .prepare<[number], { path: string; version: string }>('SELECT path, version FROM wanted LIMIT ?')
      .all(limit);
  }

  /** At most `limit` behind the n-th, in their order. */
  after(n: number, limit: number): (Judged & { readonly n: number })[] {
    return this.#db
      .prepare<[number, number], Judged & { n: number }>(
        'SELECT * FROM judged WHERE n > ? ORDER BY n LIMIT ?',
      )
      .all(n, limit);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
