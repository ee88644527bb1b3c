/**
 * A commit of a git repository as a module's source: what the go command makes of it when it fetches the module
 * itself (cmd/go/internal/modfetch: gitRepo.ReadZip and codeRepo.Zip).
 *
 * The commit is unpacked from a repository of our own that borrows the objects of the given one. So its
 * configuration, filters and attributes cannot change what comes out, and nothing is written to it. What the
 * commit holds is its authors', who may be attackers.
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { GokeepError } from '../errors.ts';
import { MAX_GO_MOD } from '../modfile/mod-file.ts';
import { filePathProblem } from '../module/path.ts';
import { quote } from '../module/quote.ts';
import { MAX_LICENSE, MAX_ZIP } from '../modzip/file-rules.ts';
import { openArchive } from './git-archive.ts';
import { Git, type GitResult, type GitSettings } from './git.ts';
import type { Commit, SourceFile, SourceTree } from './source-tree.ts';
import { storageError } from './storage-error.ts';

export interface GitSource {
  /** A git repository on disk: bare, or any directory of a working tree. */
  readonly repository: string;
  /** Anything that git takes for a commit: a hash, `refs/tags/v1.2.3`, `HEAD`. */
  readonly revision: string;
  /** The module's directory, relative to the repository's root, with slashes; empty for the root itself. */
  readonly subdirectory: string;
}

/** Of a hash, a path or an error. */
const SMALL_OUTPUT = 1024 * 1024;

/** Git's own rules of what to leave out and what to fill in depend on its version: go switches them off. */
const ATTRIBUTES = '* -export-subst -export-ignore\n';

/**
 * Opens the files of a module at a commit.
 *
 * @param scratch a directory for temporary files
 * @param subject the module and version, for errors
 * @throws not_found when there is no such revision or directory; bad_source, bad_zip, no_go, upstream_timeout;
 * storage_full, storage_failed; the signal's reason
 */
export async function openCommit(
  source: GitSource,
  o: { settings: GitSettings; scratch: string; subject: string; signal: AbortSignal | undefined },
): Promise<SourceTree> {
  const { subject } = o;
  if (source.subdirectory !== '' && filePathProblem(source.subdirectory) !== undefined)
    throw new GokeepError(
      'bad_source',
      `${subject} cannot lie in ${quote(source.subdirectory)}: that is no directory of a module.`,
    );
  let directory: string;
  try {
    directory = await mkdtemp(join(resolve(o.scratch), 'source-'));
  } catch (cause) {
    throw storageError(subject, cause);
  }
  try {
    const git = new Git(o.settings, subject, directory, o.signal);
    const { hash, objects, format } = await resolveRevision(git, source, subject);
    const env = await borrow(directory, objects, format);
    const commit = { hash, time: await commitTime(git, env, hash, subject) };
    const archive = join(directory, 'archive.zip');
    await writeArchive(git, env, archive, commit, source.subdirectory, subject);
    const { subdirectory } = source;
    const stored = (path: string, limit: number) => storedFile(git, env, { hash, path, limit, subject });
    const license = subdirectory === '' ? undefined : await stored('LICENSE', MAX_LICENSE);
    const goMod = await stored(subdirectory === '' ? 'go.mod' : `${subdirectory}/go.mod`, MAX_GO_MOD);
    const { files, close } = await openArchive(archive, subdirectory, subject);
    if (goMod === undefined && files.some(({ path }) => path === 'go.mod')) {
      close();
      throw badSource(`The go.mod in the commit of ${subject} cannot be read`, undefined);
    }
    // A module below the root that has no LICENSE gets the repository's.
    if (license !== undefined && !files.some(({ path }) => path === 'LICENSE'))
      files.push({ ...license, path: 'LICENSE' });
    return {
      files,
      omitted: [],
      goMod,
      commit,
      [Symbol.asyncDispose]: async () => {
        close();
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    o.signal?.throwIfAborted();
    throw error instanceof GokeepError ? error : storageError(subject, error);
  }
}

/** Asks the repository itself; everything after that happens in our own. */
async function resolveRevision(git: Git, source: GitSource, subject: string) {
  const at = ['-C', resolve(source.repository), 'rev-parse'];
  const about = await git.run(
    [...at, '--path-format=absolute', '--git-path', 'objects', '--show-object-format'],
    {},
    SMALL_OUTPUT,
  );
  // The path may hold line breaks, the format cannot.
  const match = about?.status === 0 ? /^(.+)\n(sha1|sha256)\n$/s.exec(about.stdout.toString()) : null;
  if (match === null)
    throw badSource(`The source of ${subject} is no git repository that can be read`, about);
  const [, objects = '', format = ''] = match;
  const spec = `${source.revision}^{commit}`;
  const found = source.revision.includes('\0')
    ? undefined
    : await git.run([...at, '--verify', '--quiet', '--end-of-options', spec], {}, SMALL_OUTPUT);
  const hash = /^[0-9a-f]{40,64}$/m.exec(found?.stdout.toString() ?? '')?.[0];
  if (found?.status !== 0 || hash === undefined)
    throw new GokeepError(
      'not_found',
      `The git repository of ${subject} has no commit ${quote(source.revision)}: create it, or fetch it first.`,
      { detail: found?.stderr ?? '' },
    );
  return { hash, objects, format };
}

/** Makes a repository without refs whose objects are those of another; gives the environment that selects it. */
async function borrow(directory: string, objects: string, format: string): Promise<Record<string, string>> {
  const own = join(directory, 'git');
  for (const name of ['refs', 'objects', 'info']) await mkdir(join(own, name), { recursive: true });
  await writeFile(join(own, 'HEAD'), 'ref: refs/heads/none\n');
  await writeFile(
    join(own, 'config'),
    format === 'sha1'
      ? '[core]\n\trepositoryformatversion = 0\n\tbare = true\n'
      : `[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = ${format}\n`,
  );
  // Before all .gitattributes in the commit.
  await writeFile(join(own, 'info', 'attributes'), ATTRIBUTES);
  return { GIT_DIR: own, GIT_OBJECT_DIRECTORY: objects };
}

async function commitTime(
  git: Git,
  env: Record<string, string>,
  hash: string,
  subject: string,
): Promise<Date> {
  const result = await git.run(['cat-file', 'commit', hash], env, SMALL_OUTPUT);
  const header = result?.stdout.toString('latin1').split('\n\n', 1)[0] ?? '';
  const seconds = /^committer .*> (\d{1,11}) [+-]\d{4}$/m.exec(header)?.[1];
  if (result?.status !== 0 || seconds === undefined)
    throw badSource(`The commit of ${subject} cannot be read`, result);
  return new Date(Number(seconds) * 1000);
}

async function writeArchive(
  git: Git,
  env: Record<string, string>,
  file: string,
  commit: Commit,
  subdirectory: string,
  subject: string,
): Promise<void> {
  // Line endings as they are in the repository, on every system; .gitattributes may still ask for others.
  const settings = ['-c', 'core.autocrlf=input', '-c', 'core.eol=lf'];
  const args = [...settings, 'archive', '--format=zip', '--end-of-options', commit.hash];
  if (subdirectory !== '') args.push(subdirectory);
  const result = await git.runInto(file, args, env, MAX_ZIP);
  if (result === undefined)
    throw new GokeepError('bad_zip', `The source of ${subject}, packed, is larger than ${MAX_ZIP} bytes.`);
  if (result.status === 0) return;
  if (result.stderr.includes('did not match any files'))
    throw new GokeepError(
      'not_found',
      `There is no directory ${quote(subdirectory)} in the commit of ${subject}.`,
    );
  throw badSource(`The commit of ${subject} cannot be read`, result);
}

/**
 * A file as the commit stores it: attributes do not count, and a link is the text that it holds. So go reads the
 * LICENSE of the root, and the go.mod that becomes the .mod file. Undefined when there is none.
 */
async function storedFile(
  git: Git,
  env: Record<string, string>,
  o: { hash: string; path: string; limit: number; subject: string },
): Promise<SourceFile | undefined> {
  const { hash, path, limit, subject } = o;
  const listed = await git.run(['ls-tree', '-z', hash, '--', path], env, SMALL_OUTPUT);
  if (listed?.status !== 0) throw badSource(`The commit of ${subject} cannot be read`, listed);
  const blob = /^\d+ blob ([0-9a-f]+)\t/.exec(listed.stdout.toString())?.[1];
  if (blob === undefined) return undefined;
  const result = await git.run(['cat-file', 'blob', blob], env, limit);
  if (result !== undefined && result.status !== 0)
    throw badSource(`The ${path} in the commit of ${subject} cannot be read`, result);
  const content = result?.stdout ?? Buffer.alloc(0);
  return {
    path,
    kind: 'regular',
    size: result === undefined ? limit + 1 : content.length,
    read: async function* () {
      yield content;
    },
  };
}

function badSource(what: string, result: GitResult | undefined): GokeepError {
  return new GokeepError('bad_source', `${what}: check it with "git fsck", and that it is a full clone.`, {
    detail: result?.stderr ?? '',
  });
}
