import type { Database } from './database.ts';
import type { ModuleFile } from './module-store.ts';

/** One file of a module version that was served. */
export interface ServedFile {
  readonly path: string;
  readonly version: string;
  readonly kind: ModuleFile;
}

/** And when, last: UTC days since 1970. */
export interface ServedOn extends ServedFile {
  readonly day: number;
}

/** Rows read at once: between two reads the writer's checkpoints can go on. */
const PAGE = 1_000;

/**
 * The last day on which each file was served, in `upstream.db`. Durable when the transaction it was changed in is; what a
 * crash loses are the last seconds before it. There are no more rows than files were ever held.
 */
export class ServedTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Moves days forward, never back. Within the caller's transaction. */
  add(files: readonly ServedOn[]): void {
    const put = this.#db.prepare(
      `INSERT INTO served (path, version, kind, day) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET day = excluded.day WHERE day < excluded.day`,
    );
    for (const { path, version, kind, day } of files) put.run(path, version, kind, day);
  }

  /** The last day on which a zip was served, if it ever was. */
  zipDays(path: string, version: string): number[] {
    return this.#db
      .prepare<[string, string], number>(
        `SELECT day FROM served WHERE path = ? AND version = ? AND kind = 'zip'`,
      )
      .pluck()
      .all(path, version);
  }

  /** What was served on that day or later, and when last, by path, version and kind; read page by page. */
  *since(day: number): Generator<ServedOn> {
    const next = this.#db.prepare<[string, string, string, number, number], ServedOn>(
      `SELECT path, version, kind, day FROM served WHERE (path, version, kind) > (?, ?, ?) AND day >= ?
       ORDER BY path, version, kind LIMIT ?`,
    );
    let last = { path: '', version: '', kind: '' };
    for (;;) {
      const rows = next.all(last.path, last.version, last.kind, day, PAGE);
      yield* rows;
      const end = rows.at(-1);
      if (end === undefined || rows.length < PAGE) return;
      last = end;
    }
  }
}
