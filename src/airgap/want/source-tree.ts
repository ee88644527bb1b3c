import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { GokeepError } from '../../errors.ts';

const readNames = new Set(['go.mod', 'go.sum', 'go.work', 'go.work.sum']);

/** What go does not look into (cmd/go/internal/modload matchPackages), and the modules of another language. */
const skippedNames = new Set(['vendor', 'testdata', 'node_modules']);

/**
 * The go.mod, go.sum, go.work and go.work.sum files of a source tree, as paths below `directory`, sorted. Symbolic
 * links are not followed: a checked out tree could lead anywhere with them.
 *
 * @param name what to call the directory in a sentence
 * @throws bad_request when there is none, or a directory cannot be read
 */
export async function findModuleFiles(directory: string, name: string): Promise<string[]> {
  const found: string[] = [];
  const waiting = ['.'];
  for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
    for (const entry of await list(directory, below, name)) {
      const file = path.join(below, entry.name);
      if (entry.isFile() && readNames.has(entry.name)) found.push(file);
      else if (entry.isDirectory() && !skippedNames.has(entry.name) && !/^[._]/.test(entry.name))
        waiting.push(file);
    }
  }
  if (found.length === 0) {
    throw new GokeepError('bad_request', `${name} has no go.mod, go.sum or go.work in it.`);
  }
  return found.sort();
}

async function list(directory: string, below: string, name: string) {
  try {
    return await readdir(path.join(directory, below), { withFileTypes: true });
  } catch (error) {
    throw new GokeepError('bad_request', `${path.join(name, below)} cannot be read.`, { cause: error });
  }
}
