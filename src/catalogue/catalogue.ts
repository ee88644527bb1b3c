/**
 * What is known of the modules that are held: a view for people, made of the store and the log. It proves nothing and can be
 * made again at any time; texts in it come out of zips and are attacker-controlled.
 */

import type { PackageDocs } from '../godoc/package-docs.ts';

/** A module as a list of found ones shows it. */
export interface FoundModule {
  readonly path: string;
  /** The newest version that is held, as `@latest` would choose among them. */
  readonly version: string;
  /** First sentence of the package comment of its root, or of the package that was found. Empty where there is none. */
  readonly synopsis: string;
  /** Import paths of its packages that fit what was searched for, best first; at most five. */
  readonly packages: readonly string[];
}

export interface FoundModules {
  readonly modules: readonly FoundModule[];
  /** How many there are in all, up to a bound. */
  readonly total: number;
  /** Give it back for the next page, which may be shorter than asked for; undefined at the end. */
  readonly next: string | undefined;
}

/** One version of a module that is held. */
export interface HeldVersion {
  readonly version: string;
  /** Milliseconds since 1970, as `.info` says; undefined where it says nothing. */
  readonly time: number | undefined;
  /** Bytes of the zip. */
  readonly size: number;
}

export interface Package {
  readonly importPath: string;
  /** As the package clause says. */
  readonly name: string;
  readonly synopsis: string;
}

export interface ModuleFileEntry {
  /** Within the module, with slashes. */
  readonly name: string;
  /** Bytes, unpacked. */
  readonly size: number;
}

/** What one version is, read out of its zip once. */
export interface VersionFacts {
  readonly path: string;
  readonly version: string;
  readonly synopsis: string;
  /** Name of the file in the root that tells of the module, such as `README.md`. */
  readonly readme: string | undefined;
  /** SPDX id, where it is known. */
  readonly licence: string | undefined;
  readonly packages: readonly Package[];
  readonly requires: readonly {
    readonly path: string;
    readonly version: string;
    readonly indirect: boolean;
  }[];
}

export interface Dependent {
  readonly path: string;
  /** The newest version held that requires it, and which version of it. */
  readonly version: string;
  readonly requires: string;
}

/**
 * Asks what is held. Every answer is cut down to what `mayRead` lets through before it is counted or paged, so nobody learns of
 * what he may not read.
 */
export interface Catalogue {
  search(query: string, o: SearchOptions): FoundModules;
  /** All modules, by path; the same shape as a search for everything. */
  list(o: SearchOptions): FoundModules;
  /** Newest first; empty for a module that is not held. */
  versions(path: string): readonly HeldVersion[];
  facts(path: string, version: string): VersionFacts | undefined;
  /** Modules held here whose newest held version requires this one. */
  dependents(path: string, o: SearchOptions): readonly Dependent[];
  /** Of everything, whoever asks: to be shown only to those who may read everything. */
  counts(): { readonly modules: number; readonly versions: number; readonly bytes: number };
}

export interface SearchOptions {
  readonly mayRead: (modulePath: string) => boolean;
  readonly limit: number;
  /** For a search or a list what `next` said; for dependents the path of the last one that was given. */
  readonly after?: string | undefined;
}

/** What is documented of the packages in stored zips. */
export interface PackageReader {
  /**
   * @param directory within the module; empty for its root
   * @returns undefined where no package is
   */
  docs(path: string, version: string, directory: string): Promise<PackageDocs | undefined>;
}

/** Reads files out of stored zips, one at a time; undefined where there is none of that name. */
export interface ZipFiles {
  files(path: string, version: string): Promise<readonly ModuleFileEntry[] | undefined>;
  /** @param limit bytes; what is larger is cut, and `whole` says so */
  read(
    path: string,
    version: string,
    name: string,
    limit: number,
  ): Promise<{ readonly bytes: Buffer; readonly whole: boolean } | undefined>;
}
