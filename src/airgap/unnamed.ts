import { type Dir, lstatSync, type Stats } from 'node:fs';
import { opendir } from 'node:fs/promises';
import path from 'node:path';

/**
 * Names at the top of a directory that git has there, and no Go tool ever asks for: a module path does not begin with a
 * dot. They are passed over, with all that is in them.
 */
const PASSED_OVER = new Set(['.git', '.gitattributes', '.gitignore', '.lfsconfig']);

const UNREADABLE = 'cannot be read; see to its permissions, or take it away';
const MOST_REPORTED = 1_000;
/** A directory is held open for each; the names of bundles have some dozen at the most. */
const MOST_LEVELS = 200;

/**
 * Reports what lies in a directory beside the files of bundles: a file that is not `named`, and whatever is neither a file
 * nor a directory, which is not followed.
 */
export async function reportUnnamed(
  directory: string,
  named: (name: string) => boolean,
  report: (problem: string) => void,
): Promise<void> {
  let found = 0;
  for await (const { name, what } of beside(directory, '', 1, named))
    if (++found <= MOST_REPORTED) report(`${name}: ${what}`);
  if (found > MOST_REPORTED)
    report(`${found - MOST_REPORTED} more files lie here that do not belong to the bundles`);
}

interface Beside {
  readonly name: string;
  readonly what: string;
}

async function* beside(
  root: string,
  below: string,
  level: number,
  named: (name: string) => boolean,
): AsyncGenerator<Beside> {
  let directory: Dir;
  try {
    directory = await opendir(path.join(root, below));
  } catch {
    return yield { name: below, what: UNREADABLE };
  }
  for await (const { name: own } of directory) {
    const name = `${below}${own}`;
    if (level === 1 && PASSED_OVER.has(own)) continue;
    // What the directory says of its kinds is not to be had of every file system.
    const stat = statOf(path.join(root, name));
    if (stat === undefined) yield { name, what: UNREADABLE };
    else if (stat.isFile()) {
      if (!named(name)) yield { name, what: 'is named by no manifest of the bundles here; take it away' };
    } else if (!stat.isDirectory()) yield { name, what: 'is no plain file' };
    else if (level === MOST_LEVELS)
      yield { name, what: 'lies deeper than any file of a bundle; take it away' };
    else yield* beside(root, `${name}/`, level + 1, named);
  }
}

function statOf(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
