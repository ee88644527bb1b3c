import { existsSync } from 'node:fs';
import { opendir, rename } from 'node:fs/promises';
import path from 'node:path';
import { GokeepError } from '../errors.ts';
import { unescapePath, unescapeVersion } from '../module/escape.ts';
import { makeDirectory, syncDirectory } from './durable-file.ts';
import type { ModuleFile } from './module-store.ts';

export interface StoredFile {
  readonly kind: ModuleFile;
  readonly version: string;
  /** Where it lies. */
  readonly file: string;
}

/** The directory of one module in the store. */
export interface StoredModule {
  readonly path: string;
  readonly files: readonly StoredFile[];
  /** Whether there is a `list` file. */
  readonly list: boolean;
  /** What lies there and is no file of a module store. */
  readonly strays: readonly string[];
}

const FILE_NAME = /^(.+)\.(info|mod|zip)$/;

/**
 * Everything below the root of a module store, one module at a time, in no order. Directories outside any module give
 * an entry without path for the files in them that do not belong there. Symbolic links are never followed.
 */
export async function* storedModules(
  root: string,
): AsyncGenerator<StoredModule | { readonly path: undefined; readonly strays: readonly string[] }> {
  if (!existsSync(root)) return;
  const waiting = [''];
  for (let relative = waiting.pop(); relative !== undefined; relative = waiting.pop()) {
    const directory = path.join(root, relative);
    const names: string[] = [];
    const strays: string[] = [];
    for await (const entry of await opendir(directory)) {
      const name = path.join(relative, entry.name);
      if (entry.isDirectory()) {
        if (path.basename(relative) === '@v') strays.push(path.join(root, name));
        else waiting.push(name);
      } else if (entry.isFile()) names.push(entry.name);
      else strays.push(path.join(root, name));
    }
    const modulePath = path.basename(relative) === '@v' ? pathOf(path.dirname(relative)) : undefined;
    if (modulePath === undefined) {
      strays.push(...names.map((name) => path.join(directory, name)));
      if (strays.length > 0) yield { path: undefined, strays };
    } else {
      yield moduleOf(modulePath, directory, names, strays);
    }
  }
}

function moduleOf(modulePath: string, directory: string, names: string[], strays: string[]): StoredModule {
  const files: StoredFile[] = [];
  for (const name of names) {
    if (name === 'list') continue;
    const file = path.join(directory, name);
    const [, escaped = '', kind] = FILE_NAME.exec(name) ?? [];
    const version = orUndefined(() => unescapeVersion(escaped));
    if (kind === undefined || version === undefined) strays.push(file);
    else files.push({ kind: kind as ModuleFile, version, file });
  }
  return { path: modulePath, files, list: names.includes('list'), strays };
}

function pathOf(relative: string): string | undefined {
  return orUndefined(() => unescapePath(relative.split(path.sep).join('/')));
}

function orUndefined<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof GokeepError) return undefined;
    throw error;
  }
}

/**
 * Takes a file out of the module store, durably: it is moved to the same place below `damaged` in the data directory,
 * where a person can look at it. Gives where it went. Only while no server runs: one may hold the file open.
 */
export async function setAside(data: string, root: string, file: string): Promise<string> {
  const wanted = path.join(data, 'damaged', path.relative(root, file));
  let to = wanted;
  for (let copy = 2; existsSync(to); copy++) to = `${wanted}.${copy}`;
  await makeDirectory(path.dirname(to));
  await rename(file, to);
  await syncDirectory(path.dirname(to));
  await syncDirectory(path.dirname(file));
  return to;
}
