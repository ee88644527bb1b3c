/**
 * The graph of requirements below one main module or one workspace, loaded as far as go loads it, and the versions
 * that minimal version selection takes from it (cmd/go/internal/modload: readModGraph; https://go.dev/ref/mod#graph-pruning).
 */

import { GokeepError } from '../../errors.ts';
import { checkModuleVersion } from '../../module/version.ts';
import { quote } from '../../module/quote.ts';
import { compare } from '../../module/semver.ts';
import { forEachAtOnce } from '../../store/at-once.ts';
import type { LocalModule } from './input.ts';
import type { Replacements } from './replacements.ts';
import type { ModuleVersion, Requirements, Requires } from './requirements.ts';

/**
 * How far to go below a module version: `own` counts what it requires and reads no further unless its go.mod is an
 * unpruned one, `each` also reads what it requires as `own`, and `all` reads everything below.
 */
type Depth = 'own' | 'each' | 'all';

export interface GraphOptions {
  /** What needs all of this, for sentences. */
  readonly name: string;
  readonly requirements: Requirements;
  readonly replacements: Replacements;
  /** Versions that are passed over wherever they are required. */
  readonly excluded: ReadonlySet<ModuleVersion>;
  /** The paths of the main modules, whose own versions are never selected. */
  readonly mainPaths: ReadonlySet<string>;
  readonly concurrency: number;
}

export class RequirementGraph {
  readonly #o: GraphOptions;
  readonly #selected = new Map<string, ModuleVersion>();
  /** How deep each version was visited. */
  readonly #depths = new Map<ModuleVersion, Depth>();
  readonly #local = new Map<LocalModule, Requires>();
  readonly #missing = new Map<string, string>();

  constructor(options: GraphOptions) {
    this.#o = options;
  }

  /** The build list without the main modules: of each path that is required anywhere, the highest version. */
  get selected(): ReadonlyMap<string, ModuleVersion> {
    return this.#selected;
  }

  /** All versions whose go.mod was read, selected or not. */
  get visited(): Iterable<ModuleVersion> {
    return this.#depths.keys();
  }

  /** The directories in place of modules that could not be read, and why. */
  get missing(): ReadonlyMap<string, string> {
    return this.#missing;
  }

  /**
   * The version that stands for this one in a build. Undefined for a directory, and for a path that no module can
   * have, which go reads over as long as nothing is wanted of it.
   */
  taken(module: ModuleVersion): ModuleVersion | undefined {
    const source = this.#o.replacements.source(module);
    return 'directory' in source || !isModuleVersion(source) ? undefined : source;
  }

  /**
   * Loads a main module whose roots are these, and again with the roots upgraded to what was selected until they
   * agree, as go does before it uses or writes such a go.mod. Resolves with whether they agreed before.
   *
   * @throws what `Requirements.read` throws, with the input's name and the module's in its sentence
   */
  async loadMain(main: Requires): Promise<boolean> {
    await this.#visit(this.#follow(main, 'each'));
    const upgraded = (): ModuleVersion[] =>
      main.require
        .map((root) => (this.#o.excluded.has(root) ? root : (this.#selected.get(root.path) ?? root)))
        .filter((selected, index) => selected !== main.require[index]);
    const agreed = upgraded().length === 0;
    // An unpruned main module has had all that is below it read.
    while (main.isPruned) {
      const next = upgraded().filter((root) => this.#mark(root, 'own'));
      if (next.length === 0) break;
      await this.#visit(next);
    }
    return agreed;
  }

  /**
   * Loads a workspace. Where one module's requirement is raised by another's, go cannot rely on that go.mod to name
   * everything, and reads what the higher version requires as well, and so on.
   *
   * @throws as loadMain
   */
  async loadWorkspace(mains: readonly Requires[]): Promise<void> {
    await this.#visit(mains.flatMap((main) => this.#follow(main, 'each')));
    const raised = new Map<string, ModuleVersion>();
    for (;;) {
      const requiring = [
        ...mains,
        ...[...raised.values()].map((m) => this.#known(m)).filter((r) => r !== undefined),
      ];
      const next = new Set<ModuleVersion>();
      for (const path of raised.keys()) this.#addRaised(next, raised, path);
      for (const { require } of requiring) {
        for (const module of require) {
          if (this.#selected.get(module.path) !== module) this.#addRaised(next, raised, module.path);
        }
      }
      if (next.size === 0) return;
      for (const module of next) raised.set(module.path, module);
      await this.#visit([...next].filter((module) => this.#mark(module, 'each')));
    }
  }

  #addRaised(next: Set<ModuleVersion>, raised: ReadonlyMap<string, ModuleVersion>, path: string): void {
    const selected = this.#selected.get(path);
    if (selected !== undefined && raised.get(path) !== selected) next.add(selected);
  }

  /** Reads the go.mod of each of these, which are marked, and of what is to be read below. */
  async #visit(first: readonly ModuleVersion[]): Promise<void> {
    let frontier = first;
    while (frontier.length > 0) {
      await forEachAtOnce(frontier, this.#o.concurrency, (module) => this.#read(module));
      frontier = frontier.flatMap((module) => {
        const requires = this.#known(module);
        return requires === undefined ? [] : this.#follow(requires, this.#depths.get(module) ?? 'own');
      });
    }
  }

  /** Counts what a go.mod requires; gives what is to be visited because of it, marked. */
  #follow(requires: Requires, depth: Depth): ModuleVersion[] {
    const below = depth === 'all' || !requires.isPruned ? 'all' : 'own';
    const readsOn = depth !== 'own' || !requires.isPruned;
    const next: ModuleVersion[] = [];
    for (const module of requires.require) {
      if (this.#o.excluded.has(module)) continue;
      this.#select(module);
      if (readsOn && this.#mark(module, below)) next.push(module);
    }
    return next;
  }

  #select(module: ModuleVersion): void {
    const { path, version } = module;
    if (this.#o.mainPaths.has(path)) return;
    const before = this.#selected.get(path);
    if (before === undefined || compare(before.version, version) < 0) this.#selected.set(path, module);
  }

  /** True when a visit as deep as this is due. */
  #mark(module: ModuleVersion, depth: Depth): boolean {
    const before = this.#depths.get(module);
    if (before === depth || before === 'all' || (before === 'each' && depth === 'own')) return false;
    this.#depths.set(module, depth);
    return true;
  }

  #known(module: ModuleVersion): Requires | undefined {
    const source = this.#o.replacements.source(module);
    if ('directory' in source) return this.#local.get(source.local);
    return this.#o.requirements.get(this.#o.requirements.version(source.path, source.version));
  }

  async #read(module: ModuleVersion): Promise<void> {
    const source = this.#o.replacements.source(module);
    if ('directory' in source) this.#readLocal(source);
    else {
      const taken = this.#o.requirements.version(source.path, source.version);
      await naming(this.#o.name, taken, () => this.#o.requirements.read(taken));
    }
  }

  #readLocal({ directory, local }: { directory: string; local: LocalModule }): void {
    if ('missing' in local) this.#missing.set(directory, local.missing);
    else if (!this.#local.has(local)) this.#local.set(local, this.#o.requirements.of(local.file));
  }
}

/** Does something about a module; a failure's sentence begins with what needs it. */
export async function naming<T>(name: string, module: ModuleVersion, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    const what = quote(`${module.path}@${module.version}`);
    throw new GokeepError(error.code, `${name} needs ${what}: ${error.message}`, {
      cause: error,
      ...(error.detail === undefined ? {} : { detail: error.detail }),
    });
  }
}

function isModuleVersion({ path, version }: ModuleVersion): boolean {
  try {
    checkModuleVersion(path, version);
    return true;
  } catch {
    return false;
  }
}
