/** From what a person named to the module versions and files that go into a bundle. */

import { hasCode } from '../../errors.ts';
import type { ModFile } from '../../modfile/mod-file.ts';
import { quote } from '../../module/quote.ts';
import { isCanonicalVersion } from '../../module/version.ts';
import { forEachAtOnce } from '../../store/at-once.ts';
import { GoToolchains } from './go-toolchains.ts';
import type { Input, MainModule, QueryInput, SbomInput, WorkspaceInput } from './input.ts';
import { isResolvedFromList } from './module-query.ts';
import { Replacements } from './replacements.ts';
import { naming, RequirementGraph } from './requirement-graph.ts';
import { type ModuleVersion, Requirements, type Requires } from './requirements.ts';
import type { ModuleAnswers, Skipped, WantedSet } from './wanted.ts';
import { compareText, WantedVersions } from './wanted-versions.ts';

export interface CollectOptions {
  /** Also the zips that only tests of dependencies need: everything that go selects. */
  readonly tests: boolean;
  /** Questions to `answers` at the same time. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Called with the number of questions answered so far. */
  readonly progress: (done: number) => void;
}

/**
 * Walks the module graphs of all inputs as go does and names what a bundle for them must hold.
 *
 * @throws mismatch when go.sum files disagree; otherwise what `answers` throws, bad_mod_file, bad_path or
 *   bad_version, with the input and the module in the sentence; or the signal's reason
 */
export async function collectWanted(
  inputs: readonly Input[],
  answers: ModuleAnswers,
  o: CollectOptions,
): Promise<WantedSet> {
  // After a failure, what is under way for other inputs asks nothing more.
  const stop = new AbortController();
  const signal = AbortSignal.any([o.signal, stop.signal]);
  const requirements = new Requirements({ ...o, answers, signal });
  const collection = new Collection(requirements, o);
  try {
    await forEachAtOnce(inputs, o.concurrency, async (input, index) => {
      signal.throwIfAborted();
      collection.skipped[index] = await collection.add(input);
    });
  } catch (error) {
    stop.abort(error);
    throw error;
  }
  return {
    wanted: collection.wanted.sorted(),
    queries: [...collection.queries.values()].sort(
      (a, b) => compareText(a.path, b.path) || compareText(a.query, b.query),
    ),
    goVersions: collection.toolchains.names(),
    skipped: collection.skipped.flat(),
  };
}

class Collection {
  readonly wanted = new WantedVersions();
  readonly queries = new Map<string, { path: string; query: string; version: string }>();
  readonly toolchains = new GoToolchains();
  /** By input, so that the order does not depend on who answers first. */
  readonly skipped: Skipped[][] = [];
  readonly #requirements: Requirements;
  readonly #o: CollectOptions;

  constructor(requirements: Requirements, options: CollectOptions) {
    this.#requirements = requirements;
    this.#o = options;
  }

  /** Gives what had to be left out. */
  async add(input: Input): Promise<Skipped[]> {
    switch (input.kind) {
      case 'main': {
        this.toolchains.add(input.file);
        const what = `${input.name} outside its workspace`;
        return this.#unlessUnknown(input.inWorkspace, what, () => this.#addMain(input));
      }
      case 'workspace':
        this.toolchains.add(input.file);
        return this.#addWorkspace(input);
      case 'sum':
        for (const { path, version, goMod, h1 } of input.lines) {
          this.wanted.add(path, version, !goMod);
          this.wanted.expect(path, version, goMod ? 'mod' : 'zip', h1, input.name);
        }
        return [];
      case 'query':
        return this.#unlessUnknown(input.isWish, `${input.path}@${input.query}`, () => this.#addQuery(input));
      case 'sbom':
        return this.#addSbom(input);
    }
  }

  /** Turns an authoritative no into something skipped, where that is allowed. */
  async #unlessUnknown(isAllowed: boolean, what: string, work: () => Promise<Skipped[]>): Promise<Skipped[]> {
    try {
      return await work();
    } catch (error) {
      if (!isAllowed || !hasCode(error, 'not_found', 'gone', 'refused')) throw error;
      return [{ what, why: error.message }];
    }
  }

  async #addMain(main: MainModule): Promise<Skipped[]> {
    const replacements = new Replacements([{ replace: main.file.replace, local: main.local }]);
    const graph = this.#graph(main.name, [main], replacements);
    const requires = this.#requirements.of(main.file);
    const isConsistent = await graph.loadMain(requires);
    this.#addGraph(graph, requires, isConsistent);
    return missingDirectories(main.name, graph);
  }

  async #addWorkspace({ name, file, local, modules }: WorkspaceInput): Promise<Skipped[]> {
    const replacements = new Replacements([
      { replace: file.replace, local },
      ...modules.map((main) => ({ replace: main.file.replace, local: main.local })),
    ]);
    const graph = this.#graph(name, modules, replacements);
    await graph.loadWorkspace(modules.map((main) => this.#requirements.of(main.file)));
    this.#addGraph(graph, undefined, true);
    return missingDirectories(name, graph);
  }

  /** The version itself and, since `go install` and `go get` need it, the graph below it. */
  async #addQuery(input: QueryInput): Promise<Skipped[]> {
    const { name, path } = input;
    const version = await this.#resolve(input);
    const module = this.#requirements.version(path, version);
    const requires = await naming(name, module, () => this.#requirements.read(module));
    // Its replace and exclude lines do not count: go install refuses a module with any, go get passes them over.
    const graph = this.#graph(name, [{ file: { module: path, exclude: [] } }], new Replacements([]));
    const isConsistent = await graph.loadMain(requires);
    // Only now that nothing is unknown: a wish comes whole, or not at all.
    this.toolchains.add(requires);
    this.wanted.add(path, version, true);
    this.#addGraph(graph, requires, isConsistent);
    return [];
  }

  async #addSbom({ name, components, skipped }: SbomInput): Promise<Skipped[]> {
    for (const { path, version } of components) {
      this.wanted.add(path, await this.#resolve({ name, path, query: version }), true);
    }
    return [...skipped];
  }

  async #resolve({ name, path, query }: { name: string; path: string; query: string }): Promise<string> {
    if (isCanonicalVersion(path, query)) return query;
    const version = await naming(name, { path, version: query }, () =>
      this.#requirements.resolve(path, query),
    );
    if (!isResolvedFromList(query)) this.queries.set(`${path}@${query}`, { path, query, version });
    return version;
  }

  /**
   * Names the files of a loaded graph: every go.mod that was read or is selected, and the zips that `go mod download`
   * fetches, which are those of a pruned main module's own requirements and, for any other main, all that are selected.
   * A pruned go.mod that has to be updated names too little, so it is treated as one of the others.
   */
  #addGraph(graph: RequirementGraph, main: Requires | undefined, isConsistent: boolean): void {
    const add = (module: ModuleVersion, zip: boolean): void => {
      const taken = graph.taken(module);
      if (taken !== undefined) this.wanted.add(taken.path, taken.version, zip);
    };
    const isWhole = this.#o.tests || main?.isPruned !== true || !isConsistent;
    for (const module of graph.visited) add(module, false);
    for (const module of graph.selected.values()) add(module, isWhole);
    for (const { path } of main?.require ?? []) {
      const selected = graph.selected.get(path);
      if (selected !== undefined) add(selected, true);
    }
  }

  #graph(
    name: string,
    mains: readonly { readonly file: Pick<ModFile, 'module' | 'exclude'> }[],
    replacements: Replacements,
  ): RequirementGraph {
    const excluded = mains.flatMap(({ file }) =>
      file.exclude.map(({ path, version }) => this.#requirements.version(path, version)),
    );
    return new RequirementGraph({
      name,
      requirements: this.#requirements,
      replacements,
      excluded: new Set(excluded),
      mainPaths: new Set(mains.map(({ file }) => file.module ?? '')),
      concurrency: this.#o.concurrency,
    });
  }
}

function missingDirectories(name: string, graph: RequirementGraph): Skipped[] {
  return [...graph.missing].map(([directory, why]) => ({
    what: `what ${quote(directory)} requires, which replaces a module in ${name}`,
    why,
  }));
}
