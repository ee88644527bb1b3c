import { GokeepError } from '../errors.ts';
import type { VulndbStore } from '../store/vulndb-store.ts';
import { readEntry, type Vulnerability } from '../vulndb/entry.ts';
import { DB_INDEX, entryName, MODULES_INDEX } from '../vulndb/rules.ts';

/** What the imported vulnerability database says of a module. */
export type ModuleVulnerabilities =
  | { readonly kind: 'none' }
  /** Imported, and not to be read. */
  | { readonly kind: 'unreadable' }
  | {
      readonly kind: 'known';
      /** When anything in the database was last changed, in milliseconds since 1970. */
      readonly modified: number | undefined;
      /** Those that were not withdrawn, newest id first. */
      readonly vulnerabilities: readonly Vulnerability[];
      /** False where there are more, or some could not be read. */
      readonly whole: boolean;
    };

/** Bytes of an index that is looked at: many times what the Go project's has. Entries of one module, and bytes of each. */
const LARGEST_INDEX = 16 * 1024 * 1024;
const MOST_ENTRIES = 100;
const LARGEST_ENTRY = 512 * 1024;
/** Of all entries of a module: each is held against each version. */
const MOST_EVENTS = 5_000;
/** Modules whose answers are kept. */
const MOST_KEPT = 300;

type Entries = Pick<Extract<ModuleVulnerabilities, { kind: 'known' }>, 'vulnerabilities' | 'whole'>;

interface Index {
  readonly snapshot: string;
  readonly modified: number | undefined;
  /** Ids by module path. */
  readonly modules: ReadonlyMap<string, readonly string[]>;
}

/** Looks modules up in the copy that is served, which another import may replace at any time. What it holds is attacker-controlled. */
export class KnownVulnerabilities {
  readonly #store: Pick<VulndbStore, 'current' | 'read'>;
  readonly #now: () => number;
  #index: Promise<Index> | undefined;
  #snapshot: string | undefined;
  readonly #kept = new Map<string, Entries>();

  constructor(store: Pick<VulndbStore, 'current' | 'read'>, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Never throws for a database that is damaged: whoever looks at a module is told so. */
  async of(path: string): Promise<ModuleVulnerabilities> {
    try {
      const snapshot = this.#store.current();
      if (snapshot === undefined) return { kind: 'none' };
      if (snapshot !== this.#snapshot || this.#index === undefined) {
        this.#snapshot = snapshot;
        this.#kept.clear();
        this.#index = this.#readIndex(snapshot);
      }
      const { modified, modules } = await this.#index;
      const entries = this.#kept.get(path) ?? (await this.#read(path, modules.get(path) ?? []));
      if (this.#snapshot === snapshot) this.#keep(path, entries);
      return { kind: 'known', modified, ...entries };
    } catch (error) {
      if (!(error instanceof GokeepError) && !(error instanceof SyntaxError)) throw error;
      this.#index = undefined;
      return { kind: 'unreadable' };
    }
  }

  async #readIndex(snapshot: string): Promise<Index> {
    const [db, index] = await Promise.all([this.#json(DB_INDEX), this.#json(MODULES_INDEX)]);
    const modules = new Map<string, readonly string[]>();
    for (const { path, vulns } of index as readonly { path: string; vulns: readonly { id: string }[] }[])
      modules.set(
        path,
        vulns.map(({ id }) => id),
      );
    const modified = Date.parse((db as { modified: string }).modified);
    return { snapshot, modified: Number.isNaN(modified) ? undefined : modified, modules };
  }

  async #read(path: string, ids: readonly string[]): Promise<Entries> {
    const newest = [...ids].sort((a, b) => (a < b ? 1 : -1)).slice(0, MOST_ENTRIES);
    const found: Vulnerability[] = [];
    let whole = newest.length === ids.length;
    let events = 0;
    for (const id of newest) {
      const body = await this.#store.read(entryName(id));
      const small = body !== undefined && body.length <= LARGEST_ENTRY;
      const entry = small ? readEntry(JSON.parse(body.toString()), path) : undefined;
      events += entry?.ranges.reduce((sum, range) => sum + range.events.length, 0) ?? 0;
      if (entry === undefined || events > MOST_EVENTS) whole = false;
      else if (!((entry.withdrawn ?? Infinity) < this.#now())) found.push(entry);
    }
    return { vulnerabilities: found, whole };
  }

  #keep(path: string, entries: Entries): void {
    this.#kept.delete(path);
    this.#kept.set(path, entries);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }

  /** Throws storage_failed for what is missing or too large. The import has checked the form of both. */
  async #json(name: string): Promise<unknown> {
    const body = await this.#store.read(name);
    if (body === undefined || body.length > LARGEST_INDEX)
      throw new GokeepError('storage_failed', `${name} of the vulnerability database cannot be read`);
    return JSON.parse(body.toString()) as unknown;
  }
}
