/** Module versions and what their go.mod files require, each read once. */

import { GokeepError } from '../../errors.ts';
import { supportsGraphPruning } from '../../modfile/go-version.ts';
import { type ModFile, parseModFile } from '../../modfile/mod-file.ts';
import { quote } from '../../module/quote.ts';
import { checkModuleVersion, isCanonicalVersion } from '../../module/version.ts';
import { Limit } from '../../upstream/limit.ts';
import type { ModuleAnswers } from './wanted.ts';

/** One version of one path: there is one such object for the two, so that identity is equality. */
export interface ModuleVersion {
  /** As some go.mod has it: need not be a module path, which `Requirements.read` checks. */
  readonly path: string;
  readonly version: string;
}

/** What a go.mod says about other modules. */
export interface Requires {
  /** It names everything that its packages need (go 1.17 and later). */
  readonly isPruned: boolean;
  readonly require: readonly ModuleVersion[];
  readonly go: string | undefined;
  readonly toolchain: string | undefined;
}

/**
 * Distinct module versions that the go.mod files of one bundle may name. The largest known graphs have some thousands;
 * a hostile go.mod of 16 MiB can name half a million that exist nowhere.
 */
const MAX_VERSIONS = 1_000_000;

export interface RequirementsOptions {
  readonly answers: ModuleAnswers;
  /** Questions under way at the same time. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Called with the number of questions answered. */
  readonly progress: (done: number) => void;
}

export class Requirements {
  readonly #o: RequirementsOptions;
  readonly #limit: Limit;
  readonly #versions = new Map<string, Map<string, ModuleVersion>>();
  readonly #read = new Map<ModuleVersion, Requires>();
  readonly #asked = new Map<string, Promise<unknown>>();
  #count = 0;
  #done = 0;

  constructor(options: RequirementsOptions) {
    this.#o = options;
    this.#limit = new Limit(options.concurrency);
  }

  /** @throws bad_mod_file when there are too many */
  version(path: string, version: string): ModuleVersion {
    const known = this.#versions.get(path);
    const found = known?.get(version);
    if (found !== undefined) return found;
    if (++this.#count > MAX_VERSIONS) {
      throw new GokeepError(
        'bad_mod_file',
        `More than ${MAX_VERSIONS} module versions are named by the go.mod files of this bundle: name fewer inputs at once, and look at the module that was asked for last.`,
      );
    }
    // A string cut out of a go.mod keeps the whole file in memory; these live as long as the bundle is planned.
    const made = { path: copy(path), version: copy(version) };
    if (known === undefined) this.#versions.set(made.path, new Map([[made.version, made]]));
    else known.set(made.version, made);
    return made;
  }

  /** What a go.mod requires. `go` and `toolchain` may stand there as modules and are none. */
  of(file: ModFile): Requires {
    const require = new Set<ModuleVersion>();
    for (const { path, version } of file.require) {
      if (path !== 'go' && path !== 'toolchain') require.add(this.version(path, version));
    }
    const { go, toolchain } = file;
    return { isPruned: supportsGraphPruning(go), require: [...require], go, toolchain };
  }

  /** What is known already. */
  get(module: ModuleVersion): Requires | undefined {
    return this.#read.get(module);
  }

  /**
   * Reads the go.mod of a version.
   *
   * @throws bad_path, bad_version, bad_mod_file, and what `ModuleAnswers.mod` throws
   */
  async read(module: ModuleVersion): Promise<Requires> {
    const { path, version } = module;
    return this.#read.get(module) ?? this.#once(`${path}@${version}`, () => this.#fetch(module));
  }

  /**
   * From a query to a canonical version.
   *
   * @throws upstream_failed when the answer is none, and what `ModuleAnswers.resolve` throws
   */
  async resolve(path: string, query: string): Promise<string> {
    return this.#once(`${path}?${query}`, async () => {
      const version = await this.#o.answers.resolve(path, query);
      if (isCanonicalVersion(path, version)) return version;
      throw new GokeepError(
        'upstream_failed',
        `${quote(version)} is no version of ${path}, and was the answer.`,
      );
    });
  }

  async #fetch(module: ModuleVersion): Promise<Requires> {
    const { path, version } = module;
    checkModuleVersion(path, version);
    const requires = this.of(parseModFile(await this.#o.answers.mod(path, version), { lax: true }));
    this.#read.set(module, requires);
    return requires;
  }

  #once<T>(key: string, ask: () => Promise<T>): Promise<T> {
    const asked = this.#asked.get(key) as Promise<T> | undefined;
    if (asked !== undefined) return asked;
    const asking = this.#ask(ask);
    this.#asked.set(key, asking);
    return asking;
  }

  async #ask<T>(ask: () => Promise<T>): Promise<T> {
    const leave = await this.#limit.enter(this.#o.signal);
    try {
      const answer = await ask();
      this.#o.progress(++this.#done);
      return answer;
    } finally {
      leave();
    }
  }
}

function copy(text: string): string {
  return Buffer.from(text).toString();
}
