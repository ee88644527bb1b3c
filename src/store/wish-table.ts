import type { Database } from './database.ts';

/** What was asked of a module version (or of a query, or of a module), as bits: a wish is asked for in several ways. */
export const WISH_KINDS = {
  info: 1,
  mod: 2,
  zip: 4,
  /** A checksum database's record. */
  lookup: 8,
  list: 16,
  latest: 32,
} as const;

export type WishKind = keyof typeof WISH_KINDS;

/** The query of a wish for whatever the newest version is; no client can ask for a version of that name. */
export const NEWEST = 'latest';

/** What was asked for and is, or was, not held. */
export interface Wish {
  readonly path: string;
  /** A canonical version, a query such as a branch, or {@link NEWEST}. */
  readonly query: string;
  /** Bits of {@link WISH_KINDS}. */
  readonly kinds: number;
  readonly asked: number;
  /** Milliseconds since 1970. */
  readonly lastAsked: number;
}

/** Clients can ask for anything: beyond this many, those asked for longest ago are forgotten. */
export const MOST_WISHES = 10_000;

/**
 * The wishes in `upstream.db`. Durable when the transaction they were changed in is; losing them costs that clients have
 * to ask once more. All of it is the clients' word.
 */
export class WishTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Adds to what is there: kinds are united, counts summed. Within the caller's transaction. */
  add(wishes: readonly Wish[]): void {
    const put = this.#db.prepare(
      `INSERT INTO wishes (path, query, kinds, asked, last_asked) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET kinds = kinds | excluded.kinds, asked = asked + excluded.asked,
         last_asked = max(last_asked, excluded.last_asked)`,
    );
    for (const { path, query, kinds, asked, lastAsked } of wishes)
      put.run(path, query, kinds, asked, lastAsked);
    const excess = Number(this.#db.prepare('SELECT count(*) FROM wishes').pluck().get()) - MOST_WISHES;
    // A negative LIMIT is none.
    if (excess <= 0) return;
    this.#db
      .prepare(
        `DELETE FROM wishes WHERE (path, query) IN
           (SELECT path, query FROM wishes ORDER BY last_asked, path, query LIMIT ?)`,
      )
      .run(excess);
  }

  /** All of them, at most {@link MOST_WISHES}; in no order. */
  all(): Wish[] {
    return this.#db
      .prepare<[], Wish>('SELECT path, query, kinds, asked, last_asked AS lastAsked FROM wishes')
      .all();
  }

  /** Forgets those that were not asked for again since they were read. In a transaction of its own. */
  forget(seen: readonly Wish[]): void {
    const remove = this.#db.prepare('DELETE FROM wishes WHERE path = ? AND query = ? AND last_asked <= ?');
    this.#db
      .transaction(() => {
        for (const { path, query, lastAsked } of seen) remove.run(path, query, lastAsked);
      })
      .immediate();
  }
}
