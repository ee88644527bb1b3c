import type { Database } from './database.ts';

/** A zip that was served, by its number, and clients by theirs. */
export interface ServedZip {
  readonly n: number;
  readonly path: string;
  readonly version: string;
}

export interface NumberedClient {
  readonly n: number;
  readonly name: string;
}

/**
 * Reads in small steps to whom zips were served: all of it at once would take seconds where many clients are served many
 * zips. Each call sees all that was committed before it.
 */
export class ServedUsage {
  readonly #zips;
  readonly #to;
  readonly #clients;

  constructor(db: Database) {
    this.#zips = db.prepare<[string, string, number], ServedZip>(
      'SELECT n, path, version FROM zips WHERE (path, version) > (?, ?) ORDER BY path, version LIMIT ?',
    );
    this.#to = db.prepare<[number, number], { client: number; last: number }>(
      'SELECT client, last_day AS last FROM served_to WHERE zip = ? AND last_day >= ?',
    );
    this.#clients = db.prepare<[], NumberedClient>('SELECT n, name FROM clients');
  }

  /** Zips behind a path and version, in their order. */
  zipsAfter(path: string, version: string, limit: number): ServedZip[] {
    return this.#zips.all(path, version, limit);
  }

  /** Numbers of those to whom a zip was served on a day (UTC, since 1970) or later, and on which day last. */
  to(zip: number, day: number): { client: number; last: number }[] {
    return this.#to.all(zip, day);
  }

  clients(): NumberedClient[] {
    return this.#clients.all();
  }
}
