import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { collectWanted } from '../../../src/airgap/want/collect.ts';
import { readInputs } from '../../../src/airgap/want/read-inputs.ts';
import type { ModuleAnswers, WantedSet } from '../../../src/airgap/want/wanted.ts';
import { GokeepError } from '../../../src/errors.ts';

/** Answers from go.mod files written down in the test, and remembers what it was asked for. */
export class MadeAnswers implements ModuleAnswers {
  readonly asked: string[] = [];
  /** The most questions that were under way together. */
  busiest = 0;
  #busy = 0;
  readonly #mods: Readonly<Record<string, string>>;
  readonly #versions: Readonly<Record<string, string>>;

  /**
   * @param mods go.mod below its module line, by `path@version`
   * @param versions by `path@query`
   */
  constructor(mods: Readonly<Record<string, string>>, versions: Readonly<Record<string, string>> = {}) {
    this.#mods = mods;
    this.#versions = versions;
  }

  async mod(path: string, version: string): Promise<Buffer> {
    const text = await this.#answer(`${path}@${version}`, this.#mods);
    return Buffer.from(`module ${path}\n${text}`);
  }

  resolve(path: string, query: string): Promise<string> {
    return this.#answer(`${path}@${query}`, this.#versions);
  }

  async #answer(key: string, all: Readonly<Record<string, string>>): Promise<string> {
    this.asked.push(key);
    this.busiest = Math.max(this.busiest, ++this.#busy);
    await new Promise((resolve) => setImmediate(resolve));
    this.#busy--;
    const found = all[key];
    if (found === undefined) throw new GokeepError('not_found', `Nobody knows ${key}.`);
    return found;
  }
}

export interface CollectMore {
  readonly tests?: boolean;
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number) => void;
}

/** Writes files into a directory of their own, reads `args` there and collects. */
export async function collect(
  files: Readonly<Record<string, string>>,
  args: readonly string[],
  answers: ModuleAnswers,
  more: CollectMore = {},
): Promise<WantedSet> {
  await using tree = await Tree.write(files);
  const inputs = await readInputs(args, tree.directory);
  return await collectWanted(inputs, answers, {
    tests: false,
    concurrency: 4,
    signal: new AbortController().signal,
    progress: () => {},
    ...more,
  });
}

/** A temporary directory with files in it. */
export class Tree implements AsyncDisposable {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async write(files: Readonly<Record<string, string>>): Promise<Tree> {
    const tree = new Tree(await mkdtemp(path.join(tmpdir(), 'gokeep-want-')));
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(tree.directory, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    return tree;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** `path@version`, with a `+` where the zip is wanted. */
export function brief(set: WantedSet): string[] {
  return set.wanted.map(({ path, version, zip }) => `${path}@${version}${zip ? '+' : ''}`);
}
