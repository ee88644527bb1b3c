import { newestFirst } from '../module/semver.ts';
import { CatalogueReader, type ListedModule } from '../store/catalogue-reader.ts';
import type {
  Catalogue,
  Dependent,
  FoundModule,
  FoundModules,
  HeldVersion,
  SearchOptions,
  VersionFacts,
} from './catalogue.ts';
import { fittingPackages, rankByPath, rankByText } from './ranking.ts';
import { parseQuery, type SearchQuery } from './search-query.ts';

/** How many are counted and ranked; whoever finds so many searches for more. */
export const MOST_FOUND = 1000;
/** How many are looked at for one answer, most of which a reader may not be allowed to know of. */
export const MOST_SEEN = 5_000;
const MOST_PACKAGES = 5;

const NOTHING: FoundModules = { modules: [], total: 0, next: undefined };

/**
 * The catalogue out of its index, read on the thread that asks: each answer takes a few milliseconds. Before the index is
 * there, or where it cannot be read, nothing is held, as far as this knows.
 */
export class IndexCatalogue implements Catalogue, Disposable {
  readonly #file: string;
  readonly #onUnreadable: (error: unknown) => void;
  #reader: CatalogueReader | undefined;

  /** @param onUnreadable told of each failed read; nothing is read any more until {@link reopen} */
  constructor(file: string, onUnreadable: (error: unknown) => void) {
    this.#file = file;
    this.#onUnreadable = onUnreadable;
  }

  /** Reads the file that is there now. */
  reopen(): void {
    this.#close();
    try {
      this.#reader = new CatalogueReader(this.#file);
    } catch (error) {
      this.#onUnreadable(error);
    }
  }

  search(typed: string, o: SearchOptions): FoundModules {
    const query = parseQuery(typed);
    if (query === undefined) return this.list(o);
    return this.#read(NOTHING, (reader) => {
      const ranked = rankAll(reader, query, o.mayRead);
      const from = Math.max(0, Number.parseInt(o.after ?? '0', 10) || 0);
      const page = ranked.slice(from, from + o.limit);
      return {
        modules: page.map((module) => shown(module, query, reader)),
        total: ranked.length,
        next: from + page.length < ranked.length && page.length > 0 ? String(from + page.length) : undefined,
      };
    });
  }

  list({ mayRead, limit, after }: SearchOptions): FoundModules {
    return this.#read(NOTHING, (reader) => {
      // By id, since the path of the last that was seen may be one that the reader may not know of.
      const begin = after === undefined ? '' : reader.pathOf(Number.parseInt(after, 10));
      if (begin === undefined) return NOTHING;
      const modules: FoundModule[] = [];
      let next: string | undefined;
      let seen = 0;
      let last = 0;
      for (const module of reader.after(begin)) {
        const isReadable = mayRead(module.path);
        if ((isReadable && modules.length >= limit) || seen++ >= MOST_SEEN) {
          next = String(last);
          break;
        }
        last = module.id;
        if (isReadable) modules.push(shown(module, undefined, reader));
      }
      return { modules, total: countReadable(reader, mayRead), next };
    });
  }

  versions(path: string): readonly HeldVersion[] {
    return this.#read([], (reader) =>
      newestFirst(
        reader.versions(path).map(({ version, size, time }) => ({ version, size, time: time ?? undefined })),
        ({ version }) => version,
      ),
    );
  }

  facts(path: string, version: string): VersionFacts | undefined {
    return this.#read(undefined, (reader) => {
      const facts = reader.facts(path, version);
      return facts === undefined
        ? undefined
        : { ...facts, readme: facts.readme, licence: facts.licence, path, version };
    });
  }

  dependents(path: string, { mayRead, limit, after = '' }: SearchOptions): readonly Dependent[] {
    return this.#read([], (reader) => {
      const found: Dependent[] = [];
      let seen = 0;
      for (const dependent of reader.dependents(path, after)) {
        if (mayRead(dependent.path)) found.push(dependent);
        if (found.length >= limit || ++seen >= MOST_SEEN) break;
      }
      return found;
    });
  }

  counts(): { readonly modules: number; readonly versions: number; readonly bytes: number } {
    return this.#read({ modules: 0, versions: 0, bytes: 0 }, (reader) => reader.totals());
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #read<T>(otherwise: T, read: (reader: CatalogueReader) => T): T {
    if (this.#reader === undefined) return otherwise;
    try {
      return read(this.#reader);
    } catch (error) {
      this.#close();
      this.#onUnreadable(error);
      return otherwise;
    }
  }

  #close(): void {
    this.#reader?.[Symbol.dispose]();
    this.#reader = undefined;
  }
}

function countReadable(reader: CatalogueReader, mayRead: SearchOptions['mayRead']): number {
  let total = 0;
  let seen = 0;
  for (const path of reader.paths()) {
    if (mayRead(path)) total++;
    if (total >= MOST_FOUND || ++seen >= MOST_SEEN) break;
  }
  return total;
}

/** All that fit and may be read, best first, up to {@link MOST_FOUND}. */
function rankAll(
  reader: CatalogueReader,
  query: SearchQuery,
  mayRead: SearchOptions['mayRead'],
): ListedModule[] {
  const found = new Map<number, { readonly module: ListedModule; readonly rank: number }>();
  const looked = new Set<number>();
  let seen = 0;
  const look = (modules: Iterable<ListedModule>, most: number) => {
    for (const module of modules) {
      if (++seen > MOST_SEEN || found.size >= most) break;
      if (looked.has(module.id) || !mayRead(module.path)) continue;
      looked.add(module.id);
      const rank = rankOf(module, query, reader);
      if (rank !== undefined) found.set(module.id, { module, rank });
    }
  };
  look(reader.folded(query.text), MOST_FOUND);
  // Whatever else there is: these are never pushed out by it.
  look(reader.called(query.words.at(-1) ?? ''), MOST_FOUND / 4);
  look(reader.prefixed(query.text), MOST_FOUND / 2);
  for (const parent of parentsOf(query.text)) look(reader.folded(parent), MOST_FOUND);
  if (query.trigrams.length > 0) look(reader.matching(query.trigrams), MOST_FOUND);
  return [...found.values()]
    .sort(
      (a, b) =>
        a.rank - b.rank ||
        b.module.dependents - a.module.dependents ||
        (a.module.path < b.module.path ? -1 : 1),
    )
    .map(({ module }) => module);
}

function rankOf(module: ListedModule, query: SearchQuery, reader: CatalogueReader): number | undefined {
  const ranked = { path: module.folded, last: module.last, synopsis: module.synopsis.toLowerCase() };
  return rankByPath(query, ranked) ?? rankByText(query, ranked, reader.packages(module.id).toLowerCase());
}

/** Paths of the modules that a package of this import path can be in, the longest first. */
function parentsOf(importPath: string): string[] {
  const parents: string[] = [];
  for (let at = importPath.lastIndexOf('/'); at > 0; at = importPath.lastIndexOf('/', at - 1))
    parents.push(importPath.slice(0, at));
  return parents;
}

function shown(module: ListedModule, query: SearchQuery | undefined, reader: CatalogueReader): FoundModule {
  const { path, newest: version, synopsis } = module;
  const packages =
    query === undefined ? [] : fittingPackages(query, path, reader.packages(module.id), MOST_PACKAGES);
  return {
    path,
    version,
    synopsis: synopsis === '' ? (packages[0]?.synopsis ?? '') : synopsis,
    packages: packages.map(({ importPath }) => importPath),
  };
}
