import { type Database, openForReading, storageError } from './database.ts';
import { type ServedOn, ServedTable } from './served-table.ts';
import { type Client, type ServedTo, ServedToTable, UNKNOWN } from './served-to-table.ts';
import { type TokenUses, TokenUseTable } from './token-use-table.ts';
import type { Tile } from '../tlog/tile.ts';
import { type Wish, WishTable } from './wish-table.ts';

/**
 * What commands read of `upstream.db`, beside a running server or without one. Writes nothing; sees what is committed.
 *
 * A file that no server of this release has opened yet has none of it, which reads as empty.
 */
export class UpstreamReader implements Disposable {
  readonly #db: Database;
  readonly #version: number;
  readonly #head;
  readonly #lookup;
  readonly #tile;

  /** Throws what SQLite throws for a file that is missing or no database. */
  constructor(file: string) {
    this.#db = openForReading(file);
    this.#version = Number(this.#db.pragma('user_version', { simple: true }));
    this.#head = this.#db.prepare<[string], Buffer>('SELECT note FROM heads WHERE database = ?').pluck();
    this.#lookup = this.#db
      .prepare<[string, string, string], Buffer>(
        'SELECT body FROM lookups WHERE database = ? AND path = ? AND version = ?',
      )
      .pluck();
    this.#tile = this.#db
      .prepare<[string, number, number, number, number], Buffer>(
        'SELECT data FROM tiles WHERE database = ? AND height = ? AND level = ? AND n = ? AND width = ?',
      )
      .pluck();
  }

  /** What was asked for and was not held then, in no order. Throws storage_failed. */
  wishes(): Wish[] {
    if (this.#version < 2) return [];
    return this.#read(() => new WishTable(this.#db).all());
  }

  /**
   * Files that were served on that day (UTC days since 1970) or later, and when last, by path, version and kind. Read as they are asked
   * for, without holding back the server's writer. Throws storage_failed.
   */
  *servedSince(day: number): Generator<ServedOn> {
    if (this.#version < 2) return;
    try {
      yield* new ServedTable(this.#db).since(day);
    } catch (error) {
      throw storageError(error, 'upstream database: read');
    }
  }

  /** To whom a zip was served, by name; {@link UNKNOWN} for what was served before that was noted. Throws storage_failed. */
  servedTo(path: string, version: string): readonly ServedTo[] {
    if (this.#version >= 3) return this.#read(() => new ServedToTable(this.#db).of(path, version));
    const days = this.#version < 2 ? [] : this.#read(() => new ServedTable(this.#db).zipDays(path, version));
    return days.map((day) => ({ ...UNKNOWN, first: day, last: day }));
  }

  /** Whoever is named as served, in no order. Throws storage_failed. */
  clients(): readonly Client[] {
    return this.#version < 3 ? [UNKNOWN] : this.#read(() => new ServedToTable(this.#db).clients());
  }

  /** When tokens were last used; undefined where that was never noted. Throws storage_failed. */
  tokenUses(): TokenUses | undefined {
    return this.#version < 3 ? undefined : this.#read(() => new TokenUseTable(this.#db).all());
  }

  /** True when an answer to this request path is remembered. Throws storage_failed. */
  remembers(key: string): boolean {
    const find = () => this.#db.prepare('SELECT 1 FROM answers WHERE key = ?').get(key);
    return this.#read(find) !== undefined;
  }

  /** The newest signed head that was seen of a foreign database. Throws storage_failed. */
  head(database: string): Buffer | undefined {
    return this.#read(() => this.#head.get(database));
  }

  /** A lookup as it was kept, which was proven then. Throws storage_failed. */
  lookup(database: string, path: string, version: string): Buffer | undefined {
    return this.#read(() => this.#lookup.get(database, path, version));
  }

  /** A tile of exactly this width, as it was kept. Throws storage_failed. */
  tile(database: string, { height, level, n, width }: Tile): Buffer | undefined {
    return this.#read(() => this.#tile.get(database, height, level, n, width));
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #read<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw storageError(error, 'upstream database: read');
    }
  }
}
