/**
 * Which files of a source tree make up a module's zip, which stay out, and which are in the way
 * (checkFiles of golang.org/x/mod/zip).
 *
 * Names and sizes are the publisher's, who may be an attacker: nothing here touches a file.
 */

import { posix } from 'node:path';
import { MAX_GO_MOD } from '../modfile/mod-file.ts';
import { filePathProblem } from '../module/path.ts';
import { MAX_LICENSE, MAX_ZIP } from './file-rules.ts';
import { FileTree } from './file-tree.ts';
import { isVendored } from './vendored.ts';

/** Something in a source tree that is no directory. */
export interface ListedFile {
  /** Relative to the module's root, with slashes. */
  readonly path: string;
  readonly kind: 'regular' | 'symlink' | 'irregular';
  /** In bytes. */
  readonly size: number;
}

/** A file or directory, and what is to be said about it: words that can follow "it is left out:" or the like. */
export interface Finding {
  readonly path: string;
  readonly reason: string;
}

export interface Selection<File extends ListedFile> {
  /** What the zip will hold, in the order given. */
  readonly valid: readonly File[];
  /** What stays out of it, though the module is fine. */
  readonly omitted: readonly Finding[];
  /** What no module may have: with one of these there is no zip. */
  readonly invalid: readonly Finding[];
  /** The valid files are larger together than MAX_ZIP. */
  readonly isTooLarge: boolean;
}

/** Why something stays out. */
export const REASONS = {
  vendored: 'it is in a vendor directory',
  otherModule: 'it belongs to another module, which has a go.mod of its own',
  otherModuleDirectory: 'it is the directory of another module, which has a go.mod of its own',
  versionControl: 'it is the directory of a version control system',
  hgArchive: 'it is made by hg archive, and always left out',
  symlink: 'it is a symbolic link',
  irregular: 'it is not a regular file',
} as const;

/**
 * Judges the files of a module. A path gets one verdict, the first.
 *
 * @param files everything that is no directory
 * @param go the version in the `go` line of the go.mod in the root, if there is one
 * @throws bad_zip, without the module's name, when there are more files and directories than a zip can hold
 */
export function selectFiles<File extends ListedFile>(
  files: Iterable<File>,
  go: string | undefined,
): Selection<File> {
  const list = [...files];
  const otherModules = directoriesOfOtherModules(list);
  const valid: File[] = [];
  const omitted: Finding[] = [];
  const invalid: Finding[] = [];
  const judged = new Set<string>();
  const tree = new FileTree();
  let room = MAX_ZIP;
  let isTooLarge = false;
  const put = (into: Finding[], path: string, reason: string): void => {
    if (judged.has(path)) return;
    judged.add(path);
    into.push({ path, reason });
  };

  for (const file of list) {
    const { path, kind, size } = file;
    const before = pathProblem(path);
    const omission = before ?? nameOmission(path, go, otherModules);
    if (omission !== undefined) {
      put(before === undefined ? omitted : invalid, path, omission);
      continue;
    }
    // A link counts as a name that is taken, though it stays out.
    const problem = nameProblem(path) ?? tree.problem(path, false);
    if (problem !== undefined) {
      put(invalid, path, problem);
      continue;
    }
    if (kind !== 'regular') {
      put(omitted, path, REASONS[kind]);
      continue;
    }
    if (size <= room) room -= size;
    else isTooLarge = true;
    const limit = sizeLimit(path);
    if (limit !== undefined && size > limit) put(invalid, path, `it is larger than ${limit} bytes`);
    else valid.push(file);
  }
  return { valid, omitted, invalid, isTooLarge };
}

/** Directories with a go.mod, in whatever case, each with a slash at its end. */
function directoriesOfOtherModules(files: readonly ListedFile[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { path, kind } of files) {
    const slash = path.lastIndexOf('/');
    if (kind === 'regular' && slash >= 0 && path.slice(slash + 1).toLowerCase() === 'go.mod')
      found.add(path.slice(0, slash + 1));
  }
  return found;
}

function isInOtherModule(path: string, otherModules: ReadonlySet<string>): boolean {
  if (otherModules.size === 0) return false;
  for (let slash = path.lastIndexOf('/'); slash >= 0; slash = path.lastIndexOf('/', slash - 1)) {
    if (otherModules.has(path.slice(0, slash + 1))) return true;
    if (slash === 0) return false;
  }
  return false;
}

function pathProblem(path: string): string | undefined {
  if (path === '' || posix.normalize(path) !== path || path.endsWith('/')) return 'its path is not clean';
  return path.startsWith('/') ? 'its path is not relative' : undefined;
}

function nameOmission(
  path: string,
  go: string | undefined,
  otherModules: ReadonlySet<string>,
): string | undefined {
  if (isVendored(path, go)) return REASONS.vendored;
  if (isInOtherModule(path, otherModules)) return REASONS.otherModule;
  return path === '.hg_archival.txt' ? REASONS.hgArchive : undefined;
}

function nameProblem(path: string): string | undefined {
  const problem = filePathProblem(path);
  if (problem !== undefined) return problem;
  return path !== 'go.mod' && path.toLowerCase() === 'go.mod'
    ? 'go.mod must be written in lower case'
    : undefined;
}

function sizeLimit(path: string): number | undefined {
  if (path === 'go.mod') return MAX_GO_MOD;
  return path === 'LICENSE' ? MAX_LICENSE : undefined;
}
