import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { newest } from '../module/newest.ts';
import { splitPathVersion } from '../module/path.ts';
import type { Database, Statement } from './database.ts';

/** What is kept of a version's zip. The texts are attacker-controlled. */
export interface StoredFacts {
  readonly synopsis: string;
  readonly readme: string | undefined;
  readonly licence: string | undefined;
  readonly packages: readonly {
    readonly importPath: string;
    readonly name: string;
    readonly synopsis: string;
  }[];
  readonly requires: readonly {
    readonly path: string;
    readonly version: string;
    readonly indirect: boolean;
  }[];
}

/** A version of which the zip is held. */
export interface NotedVersion {
  readonly version: string;
  /** Of the zip, in bytes. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly time: number | undefined;
}

/** What is noted of a version already. */
export interface KnownVersion {
  readonly version: string;
  readonly size: number;
  readonly time: number | null;
  readonly attempts: number;
  /** Its zip was read. */
  readonly read: 0 | 1;
}

interface ModuleRow {
  readonly id: number;
  readonly path: string;
  readonly newest: string;
  readonly synopsis: string;
  readonly packages: string;
  readonly dependents: number;
}

/** Ids of modules are below it; the ids of their documents are theirs and a rank above. */
export const RANK = 2 ** 40;

/** As a number of attempts: its zip was read, and cannot be. */
export const LEFT_ALONE = 1000;

/** What is searched of a module's packages, in UTF-16 units. */
const MOST_SEARCHED = 64 * 1024;

/**
 * Where a module's document stands in the index, which is read in this order: what more modules depend on, by powers of two,
 * comes first. So the first of many matches are the best of them.
 */
export function documentId(id: number, dependents: number): number {
  return (32 - Math.min(31, Math.floor(Math.log2(dependents + 1)))) * RANK + id;
}

export function packFacts({ synopsis, readme, licence, packages, requires }: StoredFacts): Buffer {
  return deflateRawSync(JSON.stringify({ synopsis, readme, licence, packages, requires }));
}

export function unpackFacts(bytes: Buffer): StoredFacts {
  return JSON.parse(inflateRawSync(bytes).toString()) as StoredFacts;
}

/** The last element without the major version: `zap` of `go.uber.org/zap/v2`, `yaml` of `gopkg.in/yaml.v3`. */
export function lastElement(path: string): string {
  const prefix = splitPathVersion(path)?.prefix ?? path;
  return prefix.slice(prefix.lastIndexOf('/') + 1).toLowerCase();
}

/**
 * Writes the catalogue. Each method is part of the caller's transaction. Losing any of it costs that the store is read again.
 */
export class CatalogueTable {
  readonly #db: Database;
  readonly #prepared = new Map<string, Statement>();

  constructor(db: Database) {
    this.#db = db;
  }

  /** Prepared once: there are a dozen for each version. */
  #sql<P extends unknown[] = unknown[], R = unknown>(sql: string): Statement<P, R> {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) this.#prepared.set(sql, (statement = this.#db.prepare(sql)));
    return statement as Statement<P, R>;
  }

  /** Runs all that `work` writes in one durable transaction. */
  inOne<T>(work: () => T): T {
    return this.#db.transaction(work).immediate();
  }

  known(path: string): KnownVersion[] {
    return this.#sql<[string], KnownVersion>(
      `SELECT version, size, time, attempts, facts IS NOT NULL AS read FROM versions
         WHERE module = (SELECT id FROM modules WHERE path = ?)`,
    ).all(path);
  }

  /** Paths of modules behind this one, in order. */
  pathsAfter(path: string, limit: number): string[] {
    return this.#sql<[string, number], string>(
      'SELECT path FROM modules WHERE path > ? ORDER BY path LIMIT ?',
    )
      .pluck()
      .all(path, limit);
  }

  /** Notes that a version is held; one of another size than before is to be read anew. */
  note(path: string, { version, size, time }: NotedVersion): void {
    const id = this.#module(path)?.id ?? this.#addModule(path, version);
    this.#sql(
      `INSERT INTO versions (module, version, size, time, attempts) VALUES (?, ?, ?, ?, 0)
         ON CONFLICT DO UPDATE SET
           time = coalesce(excluded.time, time),
           facts = iif(size = excluded.size, facts, NULL), attempts = iif(size = excluded.size, attempts, 0),
           size = excluded.size`,
    ).run(id, version, size, time ?? null);
    this.#chooseNewest(id);
  }

  /**
   * Counts that its zip is about to be read, so that one which ends whoever reads it is found out.
   *
   * @param change -1 takes it back; {@link LEFT_ALONE} has it never read again
   */
  begin(path: string, version: string, change = 1): void {
    this.#sql(
      `UPDATE versions SET attempts = attempts + ?
         WHERE version = ? AND module = (SELECT id FROM modules WHERE path = ?)`,
    ).run(change, version, path);
  }

  /** What a version's zip holds. Does nothing for one that is not noted any more. */
  setFacts(path: string, version: string, facts: StoredFacts): void {
    const module = this.#module(path);
    if (module === undefined) return;
    this.#sql('UPDATE versions SET facts = ? WHERE module = ? AND version = ?').run(
      packFacts(facts),
      module.id,
      version,
    );
    if (module.newest === version) this.#show(module, facts);
  }

  /** Forgets a version that is not held any more, and its module with the last one. */
  remove(path: string, version: string): void {
    const module = this.#module(path);
    if (module === undefined) return;
    this.#sql('DELETE FROM versions WHERE module = ? AND version = ?').run(module.id, version);
    if (this.#versions(module.id).length > 0) {
      this.#chooseNewest(module.id);
      return;
    }
    this.#require(module.path, []);
    this.#unindex(module);
    this.#sql('DELETE FROM modules WHERE id = ?').run(module.id);
  }

  #module(path: string): ModuleRow | undefined {
    return this.#sql<[string], ModuleRow>(
      'SELECT id, path, newest, synopsis, packages, dependents FROM modules WHERE path = ?',
    ).get(path);
  }

  #versions(id: number): string[] {
    return this.#sql<[number], string>('SELECT version FROM versions WHERE module = ?').pluck().all(id);
  }

  #addModule(path: string, version: string): number {
    const dependents = Number(this.#sql('SELECT count(*) FROM requires WHERE path = ?').pluck().get(path));
    const row = { path, newest: version, synopsis: '', packages: '', dependents };
    const { lastInsertRowid } = this.#sql(
      `INSERT INTO modules (path, folded, last, newest, synopsis, packages, dependents)
         VALUES (?, ?, ?, ?, '', '', ?)`,
    ).run(path, path.toLowerCase(), lastElement(path), version, dependents);
    const id = Number(lastInsertRowid);
    this.#index({ ...row, id });
    return id;
  }

  /** What is shown and searched is the newest version, as soon as its zip was read. */
  #chooseNewest(id: number): void {
    const module = this.#sql<[number], ModuleRow>(
      'SELECT id, path, newest, synopsis, packages, dependents FROM modules WHERE id = ?',
    ).get(id);
    const version = newest(this.#versions(id));
    if (module === undefined || version === undefined || version === module.newest) return;
    this.#sql('UPDATE modules SET newest = ? WHERE id = ?').run(version, id);
    const facts = this.#sql<[number, string], Buffer | null>(
      'SELECT facts FROM versions WHERE module = ? AND version = ?',
    )
      .pluck()
      .get(id, version);
    if (facts instanceof Buffer) this.#show({ ...module, newest: version }, unpackFacts(facts));
  }

  #show(module: ModuleRow, facts: StoredFacts): void {
    this.#unindex(module);
    const shown = { ...module, synopsis: facts.synopsis, packages: searched(facts) };
    this.#sql('UPDATE modules SET synopsis = ?, packages = ? WHERE id = ?').run(
      shown.synopsis,
      shown.packages,
      module.id,
    );
    this.#index(shown);
    this.#require(module.path, facts.requires);
  }

  #require(dependent: string, requires: StoredFacts['requires']): void {
    const before = this.#sql<[string], string>('SELECT path FROM requires WHERE dependent = ?')
      .pluck()
      .all(dependent);
    const now = new Map(requires.map((each) => [each.path, each.version]));
    const put = this.#sql(
      'INSERT INTO requires (path, dependent, version) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version',
    );
    const drop = this.#sql('DELETE FROM requires WHERE path = ? AND dependent = ?');
    for (const path of before) if (!now.has(path)) drop.run(path, dependent);
    for (const [path, version] of now) put.run(path, dependent, version);
    const had = new Set(before);
    for (const path of before) if (!now.has(path)) this.#depend(path, -1);
    for (const path of now.keys()) if (!had.has(path)) this.#depend(path, 1);
  }

  #depend(path: string, change: 1 | -1): void {
    const module = this.#module(path);
    if (module === undefined) return;
    const dependents = module.dependents + change;
    this.#sql('UPDATE modules SET dependents = ? WHERE id = ?').run(dependents, module.id);
    if (documentId(module.id, dependents) === documentId(module.id, module.dependents)) return;
    this.#unindex(module);
    this.#index({ ...module, dependents });
  }

  #index({ id, path, synopsis, packages, dependents }: ModuleRow): void {
    this.#sql('INSERT INTO search (rowid, document) VALUES (?, ?)').run(
      documentId(id, dependents),
      `${path}\n${synopsis}\n${packages}`.toLowerCase(),
    );
  }

  #unindex({ id, dependents }: ModuleRow): void {
    this.#sql('DELETE FROM search WHERE rowid = ?').run(documentId(id, dependents));
  }
}

/** A line a package: import path, tab, synopsis. Those that nobody else can import are left out. */
function searched({ packages }: StoredFacts): string {
  const lines: string[] = [];
  let size = 0;
  for (const { importPath, synopsis } of packages) {
    if (/(?:^|\/)internal(?:\/|$)/.test(importPath)) continue;
    const line = `${importPath}\t${synopsis}`;
    size += line.length + 1;
    if (size > MOST_SEARCHED) break;
    lines.push(line);
  }
  return lines.join('\n');
}
