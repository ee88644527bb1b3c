/**
 * Where the files of a version are taken from when somebody names a directory and a version: the tag, if what lies in
 * the directory is what the tag holds.
 */

import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GokeepError, hasCode } from '../errors.ts';
import { parseModFile } from '../modfile/mod-file.ts';
import { splitPathVersion } from '../module/path.ts';
import { quote } from '../module/quote.ts';
import { Git, type GitSettings } from './git.ts';
import type { ModuleSource } from './module-zip.ts';
import { storageError } from './storage-error.ts';

export interface ReleaseRequest {
  /** The module's directory. */
  readonly directory: string;
  readonly version: string;
  /** The module path; undefined: what the go.mod in the directory says. */
  readonly path: string | undefined;
  /** `tag`: what the tag holds, whatever lies in the directory. Undefined: the tag, if both are the same. */
  readonly from: 'tag' | 'directory' | undefined;
  readonly git: GitSettings;
  /** A directory for temporary files. */
  readonly scratch: string;
}

export interface Release {
  readonly path: string;
  readonly source: ModuleSource;
  /** `refs/tags/…`; undefined for a directory. */
  readonly ref: string | undefined;
}

const SMALL_OUTPUT = 1024 * 1024;

/**
 * Finds out what to publish.
 *
 * @throws bad_source with what to do instead; bad_mod_file, bad_path, no_go, upstream_timeout, storage_*
 */
export async function releaseSource(request: ReleaseRequest): Promise<Release> {
  const directory = resolve(request.directory);
  const path = request.path ?? (await modulePathIn(directory));
  if (request.from === 'directory') return { path, source: { kind: 'directory', directory }, ref: undefined };
  const home = await mkdtemp(join(resolve(request.scratch), 'git-')).catch((cause: unknown) => {
    throw storageError(path, cause);
  });
  try {
    return await tagged(new WorkTree(request, directory, path, home));
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function tagged(tree: WorkTree): Promise<Release> {
  const { directory, path, request } = tree;
  const subdirectory = await tree.subdirectory();
  const tag = tagFor(path, request.version, subdirectory);
  const ref = `refs/tags/${tag}`;
  const commit = await tree.commit(ref);
  if (commit === undefined)
    throw badSource(
      `There is no tag ${quote(tag)} in the git repository of ${quote(request.directory)}: create it with "git tag ${tag}", or publish the files as they lie there with --from directory`,
    );
  if (request.from === undefined) {
    if ((await tree.commit('HEAD')) !== commit)
      throw badSource(
        `Tag ${quote(tag)} is not what is checked out: check it out, or publish what it holds with --from tag`,
      );
    const changed = await tree.firstChange();
    if (changed !== undefined)
      throw badSource(
        `${quote(changed)} is not as it is in tag ${quote(tag)}: commit or remove it and tag anew, or publish what the tag holds with --from tag, or the files as they lie there with --from directory`,
      );
  }
  const source = {
    kind: 'git',
    git: request.git,
    repository: directory,
    revision: ref,
    subdirectory,
  } as const;
  return { path, source, ref };
}

/** A module's tag has the directory in front, but for the one that only names its major version. */
function tagFor(path: string, version: string, subdirectory: string): string {
  const major = splitPathVersion(path)?.pathMajor.replace(/^\//, '') ?? '';
  const parts = subdirectory === '' ? [] : subdirectory.split('/');
  if (major !== '' && parts.at(-1) === major) parts.pop();
  return [...parts, version].join('/');
}

/** Git asked about a directory of its user, with nothing but the repository's own configuration. */
class WorkTree {
  readonly request: ReleaseRequest;
  readonly directory: string;
  readonly path: string;
  readonly #git: Git;

  constructor(request: ReleaseRequest, directory: string, path: string, home: string) {
    this.request = request;
    this.directory = directory;
    this.path = path;
    this.#git = new Git(request.git, `${path}@${request.version}`, home, undefined);
  }

  /** The module's directory below the root of the repository; empty for the root. */
  async subdirectory(): Promise<string> {
    const said = await this.#run('rev-parse', '--show-prefix');
    if (said === undefined)
      throw badSource(
        `${quote(this.request.directory)} is not in a git repository: publish the files as they lie there with --from directory`,
      );
    return said.replace(/\n$/, '').replace(/\/$/, '');
  }

  async commit(revision: string): Promise<string | undefined> {
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
    return (await this.#run(...args))?.trim();
  }

  /** A file in the module's directory that is changed, or that git does not know and does not ignore. */
  async firstChange(): Promise<string | undefined> {
    const said = await this.#run('status', '--porcelain', '-z', '--untracked-files=normal', '--', '.');
    if (said === undefined) throw badSource(`Git cannot say what is changed in ${quote(this.directory)}`);
    return said === '' ? undefined : said.slice(3, said.indexOf('\0'));
  }

  async #run(...args: string[]): Promise<string | undefined> {
    const result = await this.#git.run(['-C', this.directory, ...args], {}, SMALL_OUTPUT);
    return result?.status === 0 ? result.stdout.toString() : undefined;
  }
}

async function modulePathIn(directory: string): Promise<string> {
  let text: Buffer;
  try {
    text = await readFile(join(await realpath(directory), 'go.mod'));
  } catch (cause) {
    throw new GokeepError(
      'bad_source',
      `There is no go.mod in ${quote(directory)} that says which module this is: run this in the module's directory, or name the module with --module.`,
      { cause },
    );
  }
  try {
    const { module } = parseModFile(text);
    if (module !== undefined) return module;
  } catch (error) {
    if (!hasCode(error, 'bad_mod_file')) throw error;
    throw new GokeepError(
      'bad_mod_file',
      `The go.mod in ${quote(directory)} cannot be read: ${error.message}`,
    );
  }
  throw new GokeepError('bad_mod_file', `The go.mod in ${quote(directory)} has no module line.`);
}

function badSource(what: string): GokeepError {
  return new GokeepError('bad_source', `${what}.`);
}
