import { type Database, storageError } from './database.ts';

/** A version that was published here. */
export interface HostedVersion {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
}

/** A version that lists leave out. */
export interface Yank {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly yankedAt: number;
  /** One line, as its publisher wrote it. */
  readonly reason: string;
}

/**
 * What was published here and what was yanked, as the log's database keeps it. Written by the log's thread alone, read
 * beside it. Each write is durable when it returns. Throws storage_full and storage_failed.
 *
 * A database that no server of this release has opened yet has none of it, which reads as empty.
 */
export class HostedTables {
  readonly #db: Database;
  readonly #there: boolean;

  constructor(db: Database) {
    this.#db = db;
    this.#there = Number(db.pragma('user_version', { simple: true })) >= 2;
  }

  /** What was published of a module, in no order. */
  hosted(path: string): HostedVersion[] {
    return this.#rows<HostedVersion>(
      'SELECT version, published_at AS publishedAt FROM hosted WHERE path = ?',
      path,
    );
  }

  /** What was yanked of a module, in no order. */
  yanks(path: string): Yank[] {
    return this.#rows<Yank>('SELECT version, yanked_at AS yankedAt, reason FROM yanks WHERE path = ?', path);
  }

  /** True when a module whose path begins with `path` and a slash was published. */
  hostsBelow(path: string): boolean {
    // In the order of bytes "0" is the character after the slash.
    const sql = 'SELECT 1 FROM hosted WHERE path > ? AND path < ? LIMIT 1';
    return this.#rows(sql, `${path}/`, `${path}0`).length > 0;
  }

  /** A version that stands here already keeps its time. */
  host(path: string, version: string, now: number): void {
    this.#write('INSERT OR IGNORE INTO hosted (path, version, published_at) VALUES (?, ?, ?)', [
      path,
      version,
      now,
    ]);
  }

  /** Of a version that is yanked already the reason changes. */
  yank(path: string, version: string, reason: string, now: number): void {
    this.#write(
      `INSERT INTO yanks (path, version, yanked_at, reason) VALUES (?, ?, ?, ?)
       ON CONFLICT (path, version) DO UPDATE SET reason = excluded.reason`,
      [path, version, now, reason],
    );
  }

  unyank(path: string, version: string): void {
    this.#write('DELETE FROM yanks WHERE path = ? AND version = ?', [path, version]);
  }

  #rows<T>(sql: string, ...values: string[]): T[] {
    if (!this.#there) return [];
    try {
      return this.#db.prepare<string[], T>(sql).all(...values);
    } catch (error) {
      throw storageError(error, 'log database: read');
    }
  }

  #write(sql: string, values: readonly (string | number)[]): void {
    try {
      this.#db.prepare(sql).run(...values);
    } catch (error) {
      throw storageError(error, 'log database: hosted versions');
    }
  }
}
