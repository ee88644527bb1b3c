import type {
  Catalogue,
  Dependent,
  FoundModule,
  FoundModules,
  HeldVersion,
  ModuleFileEntry,
  PackageReader,
  SearchOptions,
  VersionFacts,
  ZipFiles,
} from '../../src/catalogue/catalogue.ts';
import type { PackageDocs } from '../../src/godoc/package-docs.ts';
import { readPackage } from '../../src/godoc/read-package.ts';
import { readSourceFile } from '../../src/godoc/source-file.ts';
import { newest } from '../../src/module/newest.ts';
import { compare } from '../../src/module/semver.ts';

/** A version as a test tells of it. */
export interface MadeVersion {
  readonly path: string;
  readonly version: string;
  readonly time?: number;
  readonly size?: number;
  readonly synopsis?: string;
  readonly readme?: string;
  readonly licence?: string;
  readonly packages?: VersionFacts['packages'];
  readonly requires?: VersionFacts['requires'];
  /** By name; go.mod among them. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

/** A catalogue in memory, of what a test says is held. Cuts down by right before it counts, as the interface demands. */
export class MadeCatalogue implements Catalogue, ZipFiles, PackageReader {
  readonly #versions: readonly MadeVersion[];
  readonly #docs = new Map<string, PackageDocs>();

  constructor(versions: readonly MadeVersion[]) {
    this.#versions = versions;
  }

  search(query: string, o: SearchOptions): FoundModules {
    const word = query.toLowerCase();
    return this.#page(
      this.#all().filter(({ path, synopsis }) => `${path} ${synopsis}`.toLowerCase().includes(word)),
      o,
    );
  }

  list(o: SearchOptions): FoundModules {
    return this.#page(this.#all(), o);
  }

  versions(path: string): readonly HeldVersion[] {
    return this.#versions
      .filter((each) => each.path === path)
      .sort((a, b) => compare(b.version, a.version))
      .map(({ version, time, size = 1000 }) => ({ version, time, size }));
  }

  facts(path: string, version: string): VersionFacts | undefined {
    const made = this.#find(path, version);
    if (made === undefined) return undefined;
    const { synopsis = '', readme, licence, packages = [], requires = [] } = made;
    return { path, version, synopsis, readme, licence, packages, requires };
  }

  dependents(path: string, { mayRead, limit, after = '' }: SearchOptions): readonly Dependent[] {
    return this.#all()
      .filter((each) => mayRead(each.path) && each.path > after)
      .flatMap((each) => {
        const required = this.#find(each.path, each.version)?.requires?.find((one) => one.path === path);
        return required === undefined
          ? []
          : [{ path: each.path, version: each.version, requires: required.version }];
      })
      .slice(0, limit);
  }

  counts() {
    const bytes = this.#versions.reduce((sum, { size = 1000 }) => sum + size, 0);
    return { modules: this.#all().length, versions: this.#versions.length, bytes };
  }

  async files(path: string, version: string): Promise<readonly ModuleFileEntry[] | undefined> {
    const files = this.#find(path, version)?.files;
    return files && Object.entries(files).map(([name, text]) => ({ name, size: Buffer.from(text).length }));
  }

  async read(path: string, version: string, name: string, limit: number) {
    const files = this.#find(path, version)?.files ?? {};
    if (!Object.hasOwn(files, name)) return undefined;
    const bytes = Buffer.from(files[name] ?? '');
    return { bytes: bytes.subarray(0, limit), whole: bytes.length <= limit };
  }

  async docs(path: string, version: string, directory: string) {
    const key = `${path}@${version}/${directory}`;
    const docs = this.#docs.get(key) ?? this.#readDocs(path, version, directory);
    if (docs !== undefined) this.#docs.set(key, docs);
    return docs;
  }

  #readDocs(path: string, version: string, directory: string): PackageDocs | undefined {
    const files = Object.entries(this.#find(path, version)?.files ?? {}).flatMap(([name, text]) => {
      const slash = name.lastIndexOf('/');
      if (name.slice(0, Math.max(slash, 0)) !== directory || !name.endsWith('.go')) return [];
      return readSourceFile(name.slice(slash + 1), text.toString()) ?? [];
    });
    return files.length === 0 ? undefined : readPackage(files);
  }

  #find(path: string, version: string): MadeVersion | undefined {
    return this.#versions.find((each) => each.path === path && each.version === version);
  }

  #all(): FoundModule[] {
    const paths = [...new Set(this.#versions.map(({ path }) => path))].sort();
    return paths.map((path) => {
      const version = newest(this.versions(path).map((each) => each.version)) ?? '';
      const { synopsis = '', packages = [] } = this.#find(path, version) ?? {};
      return { path, version, synopsis, packages: packages.slice(0, 5).map(({ importPath }) => importPath) };
    });
  }

  #page(modules: readonly FoundModule[], { mayRead, limit, after = '' }: SearchOptions): FoundModules {
    const readable = modules.filter(({ path }) => mayRead(path));
    const rest = readable.filter(({ path }) => path > after);
    const shown = rest.slice(0, limit);
    return {
      modules: shown,
      total: readable.length,
      next: rest.length > limit ? shown.at(-1)?.path : undefined,
    };
  }
}
