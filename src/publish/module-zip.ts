/**
 * The zip of a module version, from a directory or a commit, as the go command would make it: the same files and
 * so the same h1: hash (golang.org/x/mod/zip CreateFromDir; cmd/go/internal/modfetch codeRepo.Zip).
 */

import { resolve } from 'node:path';
import { GokeepError, hasCode } from '../errors.ts';
import { MAX_GO_MOD } from '../modfile/mod-file.ts';
import { quote } from '../module/quote.ts';
import { MAX_ZIP } from '../modzip/file-rules.ts';
import { type Finding, type Selection, selectFiles } from '../modzip/selection.ts';
import { listDirectory } from './directory.ts';
import { type GitSource, openCommit } from './git-repository.ts';
import type { GitSettings } from './git.ts';
import { packFiles } from './pack.ts';
import { checkGoMod, checkReleaseVersion, goLine } from './release-rules.ts';
import { type Commit, readWhole, type SourceFile, type SourceTree } from './source-tree.ts';

export type ModuleSource =
  /** The directory that is the module's root. */
  | { readonly kind: 'directory'; readonly directory: string }
  | ({ readonly kind: 'git'; readonly git: GitSettings } & GitSource);

export interface ModuleRequest {
  readonly path: string;
  readonly version: string;
  readonly source: ModuleSource;
  /** A directory for temporary files. */
  readonly scratch: string;
  /** Whether a pseudo-version may be published. By default not. */
  readonly allowPseudo?: boolean;
  readonly signal?: AbortSignal;
}

/** What would be published. */
export interface ModuleFiles {
  /** What the zip holds: names relative to the module's root, sizes in bytes. */
  readonly files: readonly { readonly path: string; readonly size: number }[];
  /** What stays out of it, and why. Of an omitted directory the files are not named. */
  readonly omitted: readonly Finding[];
  /** What is in the way: with one of these there is no zip. */
  readonly invalid: readonly Finding[];
  /**
   * The content of the version's .mod file; undefined when there is a `problem`. For a commit it is the go.mod as it is
   * stored, as in Go: .gitattributes may have given the one in the zip other line endings.
   */
  readonly goMod: Buffer | undefined;
  /** Undefined for a directory. */
  readonly commit: Commit | undefined;
  /** The first reason for which there can be no zip: what moduleZip throws. */
  readonly problem: GokeepError | undefined;
}

export interface ModuleZip extends ModuleFiles {
  /** Where the zip was written. */
  readonly file: string;
  /** In bytes. */
  readonly size: number;
  /** Of the zip, as in go.sum. */
  readonly h1: string;
  readonly goMod: Buffer;
}

/**
 * Says what moduleZip would do, and writes nothing: for a dry run (CheckDir of golang.org/x/mod/zip).
 *
 * @throws bad_path and bad_version for the module; not_found, bad_source, no_go and upstream_timeout when the source
 * cannot be read. What is wrong with its files is in the result.
 */
export async function inspectModule(request: ModuleRequest): Promise<ModuleFiles> {
  await using tree = await openSource(request);
  return (await examine(request, tree)).found;
}

/**
 * Builds the zip of a module version.
 *
 * @param output where to write it; nothing may be there. On failure there is nothing there
 * @throws as inspectModule; bad_zip and bad_mod_file when its files cannot be published; storage_full, storage_failed
 */
export async function moduleZip(request: ModuleRequest, output: string): Promise<ModuleZip> {
  await using tree = await openSource(request);
  const { found, selection } = await examine(request, tree);
  if (found.problem !== undefined) throw found.problem;
  const { goMod } = found;
  if (goMod === undefined) throw new GokeepError('internal', 'A module was found fit without a go.mod.');
  const subject = subjectOf(request);
  const packed = await packFiles(selection.valid, { output, subject, signal: request.signal });
  return { ...found, ...packed, goMod, file: output };
}

async function openSource(request: ModuleRequest): Promise<SourceTree> {
  const { path, version, source, scratch, signal } = request;
  checkReleaseVersion(path, version, { allowPseudo: request.allowPseudo ?? false });
  signal?.throwIfAborted();
  const subject = subjectOf(request);
  return source.kind === 'directory'
    ? await listDirectory(resolve(source.directory), subject)
    : await openCommit(source, { settings: source.git, scratch, subject, signal });
}

async function examine(
  request: ModuleRequest,
  tree: SourceTree,
): Promise<{ found: ModuleFiles; selection: Selection<SourceFile> }> {
  const content = tree.goMod === undefined ? undefined : await readWhole(tree.goMod, MAX_GO_MOD);
  const selection = select(request, tree, await languageVersion(tree));
  const omitted = [...tree.omitted, ...selection.omitted];
  const isGoModTooLarge = tree.goMod !== undefined && content === undefined;
  const { goMod, problem } = isGoModTooLarge
    ? refused(request, `its go.mod is larger than ${MAX_GO_MOD} bytes`)
    : judge(request, selection, omitted, content);
  const files = selection.valid.map(({ path, size }) => ({ path, size }));
  const { commit } = tree;
  return { found: { files, omitted, invalid: selection.invalid, goMod, commit, problem }, selection };
}

/** What the go.mod in the zip says. Go asks that one, even when another becomes the .mod file. */
async function languageVersion(tree: SourceTree): Promise<string | undefined> {
  const file = tree.files.find(({ path, kind }) => path === 'go.mod' && kind === 'regular');
  const content = file === undefined ? undefined : await readWhole(file, MAX_GO_MOD);
  return content === undefined ? undefined : goLine(content);
}

function select(request: ModuleRequest, tree: SourceTree, go: string | undefined): Selection<SourceFile> {
  try {
    return selectFiles(tree.files, go);
  } catch (error) {
    if (!hasCode(error, 'bad_zip')) throw error;
    throw new GokeepError('bad_zip', `${subjectOf(request)} cannot be published: ${error.message}.`);
  }
}

/** The .mod file, or the first thing that is wrong. */
function judge(
  request: ModuleRequest,
  selection: Selection<SourceFile>,
  omitted: readonly Finding[],
  content: Buffer | undefined,
): { goMod: Buffer | undefined; problem: GokeepError | undefined } {
  if (selection.isTooLarge) return refused(request, `its files are larger than ${MAX_ZIP} bytes together`);
  const [first, ...others] = selection.invalid;
  if (first !== undefined) {
    const more = others.length === 0 ? '' : `, and ${others.length} more files are not allowed either`;
    return refused(request, `file ${quote(first.path)}: ${first.reason}${more}`);
  }
  // The zip would have none, although there is one to see.
  if (omitted.some(({ path }) => path === 'go.mod'))
    return refused(request, 'its go.mod is not a regular file');
  try {
    return {
      goMod: checkGoMod(request.path, request.version, content, at(request.source)),
      problem: undefined,
    };
  } catch (error) {
    if (hasCode(error, 'bad_mod_file', 'bad_version')) return { goMod: undefined, problem: error };
    throw error;
  }
}

function refused(request: ModuleRequest, what: string): { goMod: undefined; problem: GokeepError } {
  const message = `${subjectOf(request)} cannot be published: ${what}.`;
  return { goMod: undefined, problem: new GokeepError('bad_zip', message) };
}

function at(source: ModuleSource): { isRoot: boolean } {
  return { isRoot: source.kind === 'directory' || source.subdirectory === '' };
}

function subjectOf(request: ModuleRequest): string {
  return `${request.path}@${request.version}`;
}
