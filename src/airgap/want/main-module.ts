/** Reading go.mod and go.work files on disk, with what they name beside them. */

import path from 'node:path';
import { GokeepError, hasCode } from '../../errors.ts';
import { MAX_GO_MOD, parseModFile, type Replacement } from '../../modfile/mod-file.ts';
import { parseWorkFile, type WorkFile } from '../../modfile/work-file.ts';
import type { LocalModule, LocalModules, MainModule } from './input.ts';
import { readInputFile, shownName } from './input-file.ts';

/**
 * Reads a go.mod as that of a main module, and the go.mod files of the directories that it puts in place of modules.
 *
 * @param file where it is
 * @param name what to call it in a sentence
 * @param alone leaves the directories unread
 * @throws bad_request, bad_mod_file
 */
export async function readMainModule(file: string, name: string, alone = false): Promise<MainModule> {
  const bytes = await readInputFile(file, name, MAX_GO_MOD);
  const parsed = parsing(name, () => parseModFile(bytes, { lax: false }));
  return {
    name,
    file: parsed,
    local: await readLocalModules(alone ? undefined : file, name, parsed.replace),
  };
}

export interface Workspace {
  readonly file: WorkFile;
  readonly local: LocalModules;
  /** The go.mod files of the modules that it uses. */
  readonly uses: readonly { readonly file: string; readonly name: string }[];
}

/**
 * Reads a go.work, and the go.mod files of the directories that it puts in place of modules.
 *
 * @throws bad_request, bad_mod_file
 */
export async function readWorkspace(file: string, name: string): Promise<Workspace> {
  const bytes = await readInputFile(file, name, MAX_GO_MOD);
  const parsed = parsing(name, () => parseWorkFile(bytes));
  return {
    file: parsed,
    local: await readLocalModules(file, name, parsed.replace),
    uses: parsed.use.map((directory) => ({
      file: path.join(path.resolve(path.dirname(file), directory), 'go.mod'),
      name: shownName(path.join(path.isAbsolute(directory) ? '' : path.dirname(name), directory, 'go.mod')),
    })),
  };
}

/** Gives a parser's complaint the file's name. */
export function parsing<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    throw new GokeepError(error.code, `${name}: ${error.message}`, { cause: error });
  }
}

/**
 * Only relative directories are read: a tree that was checked out names those inside and beside it, and an absolute
 * one is of the machine on which it was written.
 */
async function readLocalModules(
  file: string | undefined,
  name: string,
  replace: readonly Replacement[],
): Promise<LocalModules> {
  const local = new Map<string, LocalModule>();
  for (const { newPath, newVersion } of replace) {
    if (newVersion !== undefined || local.has(newPath)) continue;
    local.set(
      newPath,
      file === undefined
        ? { missing: 'only the file itself is read here' }
        : await readLocalModule(path.dirname(file), name, newPath),
    );
  }
  return local;
}

async function readLocalModule(base: string, name: string, directory: string): Promise<LocalModule> {
  if (!/^\.\.?(?:$|\/)/.test(directory)) return { missing: 'only relative directories are read' };
  const goMod = shownName(path.join(path.dirname(name), directory, 'go.mod'));
  try {
    const bytes = await readInputFile(path.join(base, directory, 'go.mod'), goMod, MAX_GO_MOD);
    return { file: parsing(goMod, () => parseModFile(bytes, { lax: true })) };
  } catch (error) {
    if (!hasCode(error, 'bad_request')) throw error;
    return { missing: error.message.replace(/\.$/, '') };
  }
}
