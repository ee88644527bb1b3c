import { type Database, openForReading } from './database.ts';
import { type KnownVersion, RANK, type StoredFacts, unpackFacts } from './catalogue-table.ts';

/** A module as it is listed and ranked. */
export interface ListedModule {
  readonly id: number;
  readonly path: string;
  readonly folded: string;
  readonly last: string;
  readonly newest: string;
  readonly synopsis: string;
  readonly dependents: number;
}

export interface Totals {
  readonly modules: number;
  readonly versions: number;
  readonly bytes: number;
}

const COLUMNS = 'm.id, m.path, m.folded, m.last, m.newest, m.synopsis, m.dependents';

/**
 * Reads the catalogue beside its writer. Each call sees all that was committed before it. Iterators are to be ended before
 * anything else happens on the event loop. Throws what SQLite throws.
 */
export class CatalogueReader implements Disposable {
  readonly #db: Database;
  readonly #statements;

  constructor(file: string) {
    this.#db = openForReading(file);
    const db = this.#db;
    this.#statements = {
      module: db.prepare<[string], ListedModule>(`SELECT ${COLUMNS} FROM modules m WHERE m.path = ?`),
      folded: db.prepare<[string], ListedModule>(`SELECT ${COLUMNS} FROM modules m WHERE m.folded = ?`),
      pathOf: db.prepare<[number], string>('SELECT path FROM modules WHERE id = ?').pluck(),
      after: db.prepare<[string], ListedModule>(
        `SELECT ${COLUMNS} FROM modules m WHERE m.path > ? ORDER BY m.path`,
      ),
      paths: db.prepare<[], string>('SELECT path FROM modules ORDER BY path').pluck(),
      prefixed: db.prepare<[string, string], ListedModule>(
        `SELECT ${COLUMNS} FROM modules m WHERE m.folded >= ? AND m.folded < ? ORDER BY m.folded`,
      ),
      called: db.prepare<[string], ListedModule>(
        `SELECT ${COLUMNS} FROM modules m WHERE m.last = ? ORDER BY m.dependents DESC`,
      ),
      matching: db.prepare<[string], ListedModule>(
        `SELECT ${COLUMNS} FROM search CROSS JOIN modules m ON m.id = search.rowid % ${RANK} WHERE search MATCH ?`,
      ),
      packages: db.prepare<[number], string>('SELECT packages FROM modules WHERE id = ?').pluck(),
      versions: db.prepare<[string], Pick<KnownVersion, 'version' | 'size' | 'time'>>(
        `SELECT v.version, v.size, v.time FROM versions v JOIN modules m ON m.id = v.module WHERE m.path = ?`,
      ),
      facts: db
        .prepare<[string, string], Buffer | null>(
          `SELECT v.facts FROM versions v JOIN modules m ON m.id = v.module WHERE m.path = ? AND v.version = ?`,
        )
        .pluck(),
      dependents: db.prepare<[string, string], { path: string; version: string; requires: string }>(
        `SELECT r.dependent AS path, m.newest AS version, r.version AS requires
         FROM requires r CROSS JOIN modules m ON m.path = r.dependent
         WHERE r.path = ? AND r.dependent > ? ORDER BY r.dependent`,
      ),
      totals: db.prepare<[], Totals>('SELECT modules, versions, bytes FROM totals'),
    };
  }

  module(path: string): ListedModule | undefined {
    return this.#statements.module.get(path);
  }

  /** The modules whose path is this one in lower case. */
  folded(path: string): ListedModule[] {
    return this.#statements.folded.all(path);
  }

  pathOf(id: number): string | undefined {
    return this.#statements.pathOf.get(id);
  }

  /** Modules behind a path, in order. */
  after(path: string): IterableIterator<ListedModule> {
    return this.#statements.after.iterate(path);
  }

  /** Paths of all modules, in order. */
  paths(): IterableIterator<string> {
    return this.#statements.paths.iterate();
  }

  /** Modules whose path in lower case begins so. */
  prefixed(prefix: string): IterableIterator<ListedModule> {
    // No character of a path comes behind this one.
    return this.#statements.prefixed.iterate(prefix, `${prefix}\u{10ffff}`);
  }

  /** Modules whose last element this is, those first that most depend on. */
  called(last: string): IterableIterator<ListedModule> {
    return this.#statements.called.iterate(last);
  }

  /** Modules in whose documents all of these groups of three characters stand, those first that most depend on. */
  matching(trigrams: readonly string[]): IterableIterator<ListedModule> {
    const query = trigrams.map((each) => `"${each.replaceAll('"', '""')}"`).join(' ');
    return this.#statements.matching.iterate(query);
  }

  /** What is searched of a module's packages: a line each, import path, tab, synopsis. */
  packages(id: number): string {
    return this.#statements.packages.get(id) ?? '';
  }

  versions(path: string): Pick<KnownVersion, 'version' | 'size' | 'time'>[] {
    return this.#statements.versions.all(path);
  }

  facts(path: string, version: string): StoredFacts | undefined {
    const bytes = this.#statements.facts.get(path, version);
    return bytes instanceof Buffer ? unpackFacts(bytes) : undefined;
  }

  /** Modules behind a path whose newest version requires `required`, in order. */
  dependents(
    required: string,
    after: string,
  ): IterableIterator<{ path: string; version: string; requires: string }> {
    return this.#statements.dependents.iterate(required, after);
  }

  totals(): Totals {
    return this.#statements.totals.get() ?? { modules: 0, versions: 0, bytes: 0 };
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
