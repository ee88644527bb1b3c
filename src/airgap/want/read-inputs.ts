/** From the arguments that a person gives to inputs that are read and classified. */

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { GokeepError } from '../../errors.ts';
import { parseGoSum } from '../../modfile/go-sum.ts';
import { quote } from '../../module/quote.ts';
import type { Input, MainModule } from './input.ts';
import { readInputFile, shownName } from './input-file.ts';
import { parsing, readMainModule, readWorkspace } from './main-module.ts';
import { parseList, parseModuleQuery } from './module-query.ts';
import { looksLikeSbom, parseSbom } from './sbom.ts';
import { findModuleFiles } from './source-tree.ts';

export interface ReadOptions {
  readonly alone?: boolean;
}

/**
 * Reads each argument: a file or directory that exists is that; anything else must be `module@query`.
 *
 * @param cwd what relative arguments are relative to
 * @param o `alone`: what a file names beside itself is not read, since it is somebody else's
 * @throws bad_request for what is none of the inputs, or cannot be read; bad_path, bad_version, bad_mod_file and
 *   bad_record for what is malformed; each with the argument's name
 */
export async function readInputs(
  args: readonly string[],
  cwd: string,
  o: ReadOptions = {},
): Promise<Input[]> {
  const reader = new InputReader(o);
  for (const arg of args) await reader.readArgument(arg, cwd);
  return reader.inputs();
}

class InputReader {
  readonly #alone: boolean;
  /** By absolute path, so that what is named twice is read once; queries by their text. */
  readonly #inputs = new Map<string, Input>();
  readonly #mains = new Map<string, MainModule>();
  /** go.mod files that are here because a go.work uses them. */
  readonly #used = new Set<string>();
  /** Files that were arguments themselves. */
  readonly #named = new Set<string>();

  constructor({ alone = false }: ReadOptions) {
    this.#alone = alone;
  }

  async readArgument(arg: string, cwd: string): Promise<void> {
    const file = path.resolve(cwd, arg);
    const kind = await kindOf(file, arg);
    if (kind === 'directory') {
      for (const found of await findModuleFiles(file, arg)) {
        await this.#readGoFile(
          path.join(file, found),
          shownName(path.join(arg, found)),
          path.basename(found),
        );
      }
    } else if (kind === 'file') {
      this.#named.add(file);
      await this.#readFile(file, shownName(arg));
    } else this.#readQuery(arg);
  }

  inputs(): Input[] {
    return [...this.#inputs].map(([file, input]) => {
      if (input.kind !== 'main') return input;
      return { ...input, inWorkspace: this.#used.has(file) && !this.#named.has(file) };
    });
  }

  #readQuery(arg: string): void {
    let problem = 'it is neither a file, nor a directory, nor module@version such as example.com/mod@latest';
    try {
      const query = arg.includes('@') ? parseModuleQuery(arg) : undefined;
      if (query !== undefined) {
        this.#inputs.set(`argument ${arg}`, {
          kind: 'query',
          name: `The argument ${arg}`,
          isWish: false,
          ...query,
        });
        return;
      }
    } catch (error) {
      if (!(error instanceof GokeepError)) throw error;
      problem = `there is no such file, and as module@version it is wrong: ${error.message.replace(/\.$/, '')}`;
    }
    throw new GokeepError('bad_request', `The argument ${quote(arg)} cannot be used: ${problem}.`);
  }

  /** A file that an argument names: by its base name where that says what it is, otherwise by content. */
  async #readFile(file: string, name: string): Promise<void> {
    const base = path.basename(file);
    if (base === 'go.mod' || base === 'go.work' || base === 'go.sum' || base === 'go.work.sum') {
      await this.#readGoFile(file, name, base);
      return;
    }
    // Without a byte order mark, which other programs put before JSON and text.
    const text = new TextDecoder().decode(await readInputFile(file, name));
    const goFile = goFileName(base, text);
    if (goFile !== undefined) await this.#readGoFile(file, name, goFile);
    else if (text.includes('\0')) throw notAnInput(name);
    else if (looksLikeSbom(text)) this.#inputs.set(file, parseSbom(name, text));
    else for (const input of parseList(name, text)) this.#inputs.set(`${file} ${input.name}`, input);
  }

  /** @param base the base name that says what it is */
  async #readGoFile(file: string, name: string, base: string): Promise<void> {
    if (this.#inputs.has(file)) return;
    if (base === 'go.mod') await this.#readMain(file, name);
    else if (base === 'go.work') await this.#readWorkspace(file, name);
    else {
      const text = (await readInputFile(file, name)).toString();
      this.#inputs.set(file, { kind: 'sum', name, lines: parsing(name, () => parseGoSum(text)) });
    }
  }

  async #readMain(file: string, name: string): Promise<MainModule> {
    const main = this.#mains.get(file) ?? (await readMainModule(file, name, this.#alone));
    this.#mains.set(file, main);
    this.#inputs.set(file, { kind: 'main', inWorkspace: false, ...main });
    return main;
  }

  async #readWorkspace(file: string, name: string): Promise<void> {
    if (this.#alone) throw notAnInput(name);
    const { uses, ...workspace } = await readWorkspace(file, name);
    const modules: MainModule[] = [];
    for (const use of uses) {
      modules.push(await this.#readMain(use.file, use.name));
      this.#used.add(use.file);
    }
    this.#inputs.set(file, { kind: 'workspace', name, modules, ...workspace });
  }
}

async function kindOf(file: string, arg: string): Promise<'file' | 'directory' | undefined> {
  try {
    return (await stat(file)).isDirectory() ? 'directory' : 'file';
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ERR_INVALID_ARG_VALUE'].includes(code)) return undefined;
    throw new GokeepError('bad_request', `${arg} cannot be read.`, { cause: error });
  }
}

/** What a file with another name, such as the `tools.mod` of `go -modfile`, is by its ending and its content. */
function goFileName(base: string, text: string): string | undefined {
  if (base.endsWith('.mod') && /^[ \t]*module[\s(]/m.test(text)) return 'go.mod';
  if (base.endsWith('.sum') && /^\S+ \S+ h[0-9]+:/m.test(text)) return 'go.sum';
  if (base.endsWith('.work') && /^[ \t]*(?:use|go)[\s(]/m.test(text)) return 'go.work';
  return undefined;
}

function notAnInput(name: string): GokeepError {
  return new GokeepError(
    'bad_request',
    `${name} is neither a go.mod, go.sum or go.work, nor a bill of materials, nor a list of module@version.`,
  );
}
