/** What goes into an air-gap bundle, and who answers while that is found out. */

/** One module version that goes into a bundle. */
export interface Wanted {
  readonly path: string;
  /** Canonical, and fitting the path. */
  readonly version: string;
  /** False: only its go.mod (and .info). */
  readonly zip: boolean;
  /** What a go.sum among the inputs says; compared with the record later. `h1:…` */
  readonly expected?: { readonly zip?: string; readonly mod?: string };
}

/** Where go.mod files and versions come from while the graph is walked: gokeep itself, which admits what it lacks. */
export interface ModuleAnswers {
  /** Throws GokeepError: not_found, gone, upstream_*, refused and so on. */
  mod(path: string, version: string): Promise<Buffer>;
  /** From `latest`, `v1`, `v1.2`, a branch or a commit to a canonical version. Throws as `mod` does. */
  resolve(path: string, query: string): Promise<string>;
}

/** Something among the inputs that is not in the bundle, or not as far as it might be. */
export interface Skipped {
  readonly what: string;
  /** To be read after a colon. */
  readonly why: string;
}

export interface WantedSet {
  /** Sorted by path, then version; one entry a version; `zip` when any input asked for it. */
  readonly wanted: readonly Wanted[];
  /** Queries that a client sends to its proxy as they are: neither canonical, nor `latest`, nor a prefix such as `v1`. */
  readonly queries: readonly { readonly path: string; readonly query: string; readonly version: string }[];
  /**
   * The Go toolchains that the inputs' go and toolchain lines ask for, such as `go1.26.9`: from go1.21 on, and only
   * whole versions, since no toolchain is called after a language version. In order of version.
   */
  readonly goVersions: readonly string[];
  readonly skipped: readonly Skipped[];
}
