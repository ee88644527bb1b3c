import type { Database } from './database.ts';
import type { ServedOn } from './served-table.ts';

/** Somebody who was served. */
export interface Client {
  /** Of a token its id, since names are used again; of anybody else the name. */
  readonly id: string;
  /** `token:ci`, `oidc:<subject>`, `certificate:<subject>`, `anonymous`. Holds what an issuer wrote: escape it where it is shown. */
  readonly name: string;
}

/** A file that was served on a day, and to whom where that is known. */
export interface ServedNote extends ServedOn {
  readonly to?: Client;
}

/** Who was served a zip, and the first and the last day on which that was noted: UTC days since 1970. */
export interface ServedTo extends Client {
  readonly first: number;
  readonly last: number;
}

/** Whoever was served before it was noted to whom: of that the last day is known. */
export const UNKNOWN: Client = { id: 'unknown', name: 'unknown' };

/** Those who have no entry of their own any more. */
export const OTHERS: Client = { id: 'others', name: 'others' };

/** How many have an entry of their own. A CI system has a subject for each repository, branch and job. */
export const MOST_CLIENTS = 2_000;

/** So many more are folded at once, so that it is not done for each who is new. */
const FOLDED_AT_ONCE = 100;

/** The numbers of the two that the migration has made. */
const OTHERS_NUMBER = 2;

/**
 * To whom each zip was served, in `upstream.db`; zips alone, since whoever reads an `.info` or a `.mod` gets no code. Durable
 * when the transaction it was changed in is; what a crash loses are the last seconds before it.
 *
 * Beyond {@link MOST_CLIENTS}, those who were not served for the longest time become {@link OTHERS}, with their days.
 */
export class ServedToTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Moves first days back and last days forward. Within the caller's transaction. */
  add(files: readonly ServedNote[]): void {
    const putClient = this.#db
      .prepare<[string, string, number], number>(
        `INSERT INTO clients (id, name, last_day) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET last_day = max(last_day, excluded.last_day) RETURNING n`,
      )
      .pluck();
    const findZip = this.#db
      .prepare<[string, string], number>('SELECT n FROM zips WHERE path = ? AND version = ?')
      .pluck();
    const putZip = this.#db
      .prepare<[string, string], number>('INSERT INTO zips (path, version) VALUES (?, ?) RETURNING n')
      .pluck();
    const put = this.#db.prepare(
      `INSERT INTO served_to (zip, client, first_day, last_day) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET first_day = min(first_day, excluded.first_day),
         last_day = max(last_day, excluded.last_day)`,
    );
    for (const { path, version, kind, day, to } of files) {
      if (kind !== 'zip' || to === undefined) continue;
      const zip = findZip.get(path, version) ?? putZip.get(path, version);
      put.run(zip, putClient.get(to.id, to.name, day), day, day);
    }
    this.#fold();
  }

  /** By name. */
  of(path: string, version: string): ServedTo[] {
    return this.#db
      .prepare<[string, string], ServedTo>(
        `SELECT clients.id, clients.name, served_to.first_day AS first, served_to.last_day AS last
         FROM zips JOIN served_to ON served_to.zip = zips.n JOIN clients ON clients.n = served_to.client
         WHERE zips.path = ? AND zips.version = ? ORDER BY clients.name, first, last, clients.id`,
      )
      .all(path, version);
  }

  /** All who have an entry; in no order. */
  clients(): Client[] {
    return this.#db.prepare<[], Client>('SELECT id, name FROM clients').all();
  }

  #fold(): void {
    const count = Number(
      this.#db.prepare('SELECT count(*) FROM clients WHERE n > ?').pluck().get(OTHERS_NUMBER),
    );
    if (count <= MOST_CLIENTS) return;
    const oldest = this.#db
      .prepare<[number, number], number>('SELECT n FROM clients WHERE n > ? ORDER BY last_day, n LIMIT ?')
      .pluck()
      .all(OTHERS_NUMBER, count - MOST_CLIENTS + FOLDED_AT_ONCE);
    const unite = this.#db.prepare(
      `INSERT INTO served_to (zip, client, first_day, last_day)
       SELECT zip, ?, first_day, last_day FROM served_to WHERE client = ?
       ON CONFLICT DO UPDATE SET first_day = min(first_day, excluded.first_day),
         last_day = max(last_day, excluded.last_day)`,
    );
    const dropRows = this.#db.prepare('DELETE FROM served_to WHERE client = ?');
    const dropClient = this.#db.prepare('DELETE FROM clients WHERE n = ?');
    for (const client of oldest) {
      unite.run(OTHERS_NUMBER, client);
      dropRows.run(client);
      dropClient.run(client);
    }
  }
}
