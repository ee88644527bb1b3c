import type { Database } from './database.ts';

/** A token, by its id in `access.db`, and the UTC day since 1970 on which it was used. */
export interface TokenUse {
  readonly token: string;
  readonly day: number;
}

/** What is known of the uses of tokens. */
export interface TokenUses {
  /** The last day of each that was used. */
  readonly days: ReadonlyMap<string, number>;
  /** From when on uses were noted, in milliseconds since 1970: of earlier ones nothing is known. */
  readonly since: number;
}

/**
 * The last day on which each token was used, in `upstream.db` and not beside the tokens: a change of those has a server
 * read them all again. Durable when the transaction it was changed in is; a crash loses the last seconds before it.
 */
export class TokenUseTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Moves days forward, never back. Within the caller's transaction. */
  add(uses: readonly TokenUse[]): void {
    const put = this.#db.prepare(
      `INSERT INTO token_uses (token, day) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET day = excluded.day WHERE day < excluded.day`,
    );
    for (const { token, day } of uses) put.run(token, day);
  }

  all(): TokenUses {
    const rows = this.#db.prepare<[], TokenUse>('SELECT token, day FROM token_uses').all();
    const since = this.#db.prepare(`SELECT value FROM meta WHERE name = 'token_uses_since'`).pluck().get();
    return { days: new Map(rows.map(({ token, day }) => [token, day])), since: Number(since) };
  }
}
