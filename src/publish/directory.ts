/**
 * A directory as a module's source (listFilesInDir of golang.org/x/mod/zip, behind CreateFromDir).
 *
 * Whoever can write to the directory chooses names and contents, and may change them while we read: a file is
 * opened without following links, and one that is no longer what it was is an error.
 */

import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { GokeepError } from '../errors.ts';
import { MAX_GO_MOD } from '../modfile/mod-file.ts';
import { quote } from '../module/quote.ts';
import { type Finding, REASONS } from '../modzip/selection.ts';
import { isVendored } from '../modzip/vendored.ts';
import { goLine } from './release-rules.ts';
import { readWhole, type SourceFile, type SourceTree } from './source-tree.ts';

const CHUNK_SIZE = 256 * 1024;

const VERSION_CONTROL = new Set(['.bzr', '.git', '.hg', '.svn']);

/**
 * Lists a directory, in the order of `filepath.Walk`. Directories of version control systems and of other
 * modules are passed over, and named among what is omitted.
 *
 * @param directory the root of the module
 * @param subject the module and version, for errors
 * @throws bad_source
 */
export async function listDirectory(directory: string, subject: string): Promise<SourceTree> {
  const root = Buffer.from(directory);
  const walk = new Walk(subject);
  try {
    await walk.enter(root);
  } catch (cause) {
    if (cause instanceof GokeepError) throw cause;
    throw unreadable(subject, walk.at, cause);
  }
  return {
    files: walk.files,
    omitted: walk.omitted,
    goMod: walk.files.find(({ path }) => path === 'go.mod'),
    commit: undefined,
    [Symbol.asyncDispose]: async () => {},
  };
}

class Walk {
  readonly files: SourceFile[] = [];
  readonly omitted: Finding[] = [];
  /** Where it is, relative to the root. */
  at = '.';
  readonly #subject: string;
  #go: string | undefined;

  constructor(subject: string) {
    this.#subject = subject;
  }

  async enter(root: Buffer): Promise<void> {
    const goMod = await this.#file(join(root, Buffer.from('go.mod')), 'go.mod');
    if (goMod?.kind === 'regular') {
      const bytes = await readWhole(goMod, MAX_GO_MOD);
      this.#go = bytes === undefined ? undefined : goLine(bytes);
    }
    await this.#walk(root, '');
  }

  /** @param above the path of `directory`, with a slash at its end; empty for the root */
  async #walk(directory: Buffer, above: string): Promise<void> {
    this.at = above === '' ? '.' : above;
    // As bytes: a name that is not UTF-8 can be opened by nothing else.
    const entries = await readdir(directory, { withFileTypes: true, encoding: 'buffer' });
    entries.sort((a, b) => Buffer.compare(a.name, b.name));
    for (const entry of entries) {
      const path = `${above}${entry.name.toString()}`;
      const onDisk = join(directory, entry.name);
      this.at = path;
      if (isVendored(path, this.#go)) {
        this.omitted.push({ path, reason: REASONS.vendored });
        // Go enters such a directory too, and names all that is in it.
        if (entry.isDirectory()) await this.#walk(onDisk, `${path}/`);
      } else if (entry.isDirectory()) {
        await this.#directory(onDisk, path, entry.name.toString());
      } else {
        await this.#add(onDisk, path);
      }
    }
  }

  async #directory(onDisk: Buffer, path: string, name: string): Promise<void> {
    if (VERSION_CONTROL.has(name)) {
      this.omitted.push({ path, reason: REASONS.versionControl });
    } else if (await hasGoMod(onDisk)) {
      this.omitted.push({ path, reason: REASONS.otherModuleDirectory });
    } else {
      await this.#walk(onDisk, `${path}/`);
    }
  }

  async #add(onDisk: Buffer, path: string): Promise<void> {
    const file = await this.#file(onDisk, path);
    if (file === undefined) throw unreadable(this.#subject, path);
    // A link has no word of its own here: Go's walk passes over whatever is not regular.
    if (file.kind === 'regular') this.files.push(file);
    else this.omitted.push({ path, reason: REASONS.irregular });
  }

  /** Undefined when there is nothing. */
  async #file(onDisk: Buffer, path: string): Promise<SourceFile | undefined> {
    const stat = await lstatOrNothing(onDisk);
    if (stat === undefined) return undefined;
    const kind = stat.isFile() ? 'regular' : stat.isSymbolicLink() ? 'symlink' : 'irregular';
    const { size } = stat;
    return { path, kind, size, read: () => readFile(onDisk, path, size, this.#subject) };
  }
}

/** Reads a regular file, up to one chunk more than `size` bytes. */
async function* readFile(
  onDisk: Buffer,
  path: string,
  size: number,
  subject: string,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    // A link, or a pipe that blocks, may have been put here since the directory was listed.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    await using handle = await open(onDisk, flags);
    if (!(await handle.stat()).isFile()) throw unreadable(subject, path);
    for (let position = 0; position <= size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK_SIZE, size - position + 1));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      position += bytesRead;
    }
  } catch (cause) {
    throw cause instanceof GokeepError ? cause : unreadable(subject, path, cause);
  }
}

async function hasGoMod(directory: Buffer): Promise<boolean> {
  const stat = await lstatOrNothing(join(directory, Buffer.from('go.mod')));
  return stat !== undefined && !stat.isDirectory();
}

async function lstatOrNothing(file: Buffer) {
  try {
    return await lstat(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function join(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, Buffer.from('/'), name]);
}

function unreadable(subject: string, path: string, cause?: unknown): GokeepError {
  return new GokeepError(
    'bad_source',
    `The source of ${subject} cannot be read at ${quote(path)}: check that it is there, may be read and does not change meanwhile.`,
    { cause },
  );
}
