import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { GokeepError } from '../errors.ts';
import { escapePath, escapeVersion, unescapeVersion } from '../module/escape.ts';
import { compare } from '../module/semver.ts';
import { isPseudoVersion } from '../module/version.ts';
import { storageError } from './database.ts';
import { makeDirectory, placeDurably, syncDirectory, syncFile } from './durable-file.ts';

/** The three files of a module version. */
export type ModuleFile = 'info' | 'mod' | 'zip';

/** A file being written, without a name that anybody reads. */
export interface TemporaryFile extends AsyncDisposable {
  readonly file: string;
  readonly handle: FileHandle;
}

function isAbsent(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'ENAMETOOLONG')
  );
}

/**
 * Module files on disk, in the static GOPROXY layout (that of GOMODCACHE/cache/download), so that
 * `GOPROXY=file://…/download` works without us.
 *
 * Guarantees: a file that has its name is whole, was verified by its caller and is durable when `place` or `keep` returns
 * (write, fsync, rename, fsync of the directory). Files are never changed; a second writer of the same name gives
 * way to the first. A crash leaves at most temporary files, which `clearTemporary` removes at the next start. Trust: whoever
 * can write here can serve other bytes until `fsck`, but `go` compares them with the log.
 */
export class ModuleStore {
  /** The directory that `GOPROXY=file://` can name. */
  readonly root: string;
  readonly #temporary: string;
  readonly #listing = new Map<string, Promise<void>>();

  constructor(data: string) {
    this.root = path.join(data, 'download');
    this.#temporary = path.join(data, 'tmp');
  }

  /** Creates the directories and removes what an interrupted process left half-written. */
  async clearTemporary(): Promise<void> {
    await mkdir(this.root, { recursive: true });
    await rm(this.#temporary, { recursive: true, force: true });
    await mkdir(this.#temporary, { recursive: true });
    await syncDirectory(path.dirname(this.root));
  }

  /** Where a file is or would be. The name comes from checked values only, escaped anew. */
  fileName(kind: ModuleFile, modulePath: string, version: string): string {
    return path.join(this.#versions(modulePath), `${escapeVersion(version)}.${kind}`);
  }

  /** The bytes of a file; undefined when it is not held. */
  async read(kind: ModuleFile, modulePath: string, version: string): Promise<Buffer | undefined> {
    return this.#ifPresent(() => readFile(this.fileName(kind, modulePath, version)));
  }

  /** Size in bytes; undefined when it is not held. */
  async size(kind: ModuleFile, modulePath: string, version: string): Promise<number | undefined> {
    return this.#ifPresent(async () => (await stat(this.fileName(kind, modulePath, version))).size);
  }

  /** As {@link size}, without giving way to anything else: for commands that ask about thousands. */
  sizeNow(kind: ModuleFile, modulePath: string, version: string): number | undefined {
    try {
      return statSync(this.fileName(kind, modulePath, version), { throwIfNoEntry: false })?.size;
    } catch (error) {
      throw storageError(error, `${kind} of ${modulePath}@${version}`);
    }
  }

  async openTemporary(): Promise<TemporaryFile> {
    const file = path.join(this.#temporary, randomUUID());
    try {
      const handle = await open(file, 'wx+');
      return {
        file,
        handle,
        [Symbol.asyncDispose]: async () => {
          await handle.close();
          await rm(file, { force: true });
        },
      };
    } catch (error) {
      throw storageError(error, 'temporary file');
    }
  }

  /** Gives a verified temporary file its name. What already has that name stays. */
  async place(
    temporary: TemporaryFile,
    kind: ModuleFile,
    modulePath: string,
    version: string,
  ): Promise<void> {
    const file = this.fileName(kind, modulePath, version);
    try {
      await temporary.handle.sync();
      await makeDirectory(path.dirname(file));
      if ((await this.size(kind, modulePath, version)) !== undefined) return;
      await placeDurably(temporary.file, file);
    } catch (error) {
      throw storageError(error, `${kind} of ${modulePath}@${version}`);
    }
    if (kind === 'zip' && !isPseudoVersion(version)) await this.writeList(modulePath);
  }

  /**
   * Gives files of one module their names: verified ones that lie elsewhere on the same volume and are moved here. Durable
   * together when this resolves. What already has a name stays, and the file that would have taken it is left where it was.
   */
  async adopt(
    modulePath: string,
    files: readonly { readonly kind: ModuleFile; readonly version: string; readonly file: string }[],
  ): Promise<void> {
    try {
      await makeDirectory(this.#versions(modulePath));
      await Promise.all(
        files.map(async ({ kind, version, file }) => {
          if ((await this.size(kind, modulePath, version)) !== undefined) return;
          await syncFile(file);
          await rename(file, this.fileName(kind, modulePath, version));
        }),
      );
      await syncDirectory(this.#versions(modulePath));
    } catch (error) {
      throw storageError(error, `files of ${modulePath}`);
    }
    if (files.some(({ kind, version }) => kind === 'zip' && !isPseudoVersion(version)))
      await this.writeList(modulePath);
  }

  /** Stores bytes that have been verified. */
  async keep(kind: ModuleFile, modulePath: string, version: string, bytes: Buffer): Promise<void> {
    await using temporary = await this.openTemporary();
    try {
      await temporary.handle.writeFile(bytes);
    } catch (error) {
      throw storageError(error, `${kind} of ${modulePath}@${version}`);
    }
    await this.place(temporary, kind, modulePath, version);
  }

  /** Versions of which a file of this kind is held, in no order. Names that are not ours are passed over. */
  async heldVersions(kind: ModuleFile, modulePath: string): Promise<string[]> {
    const names = (await this.#ifPresent(() => readdir(this.#versions(modulePath)))) ?? [];
    const ending = `.${kind}`;
    return names.flatMap((name) => {
      if (!name.endsWith(ending)) return [];
      try {
        return [unescapeVersion(name.slice(0, -ending.length))];
      } catch (error) {
        if (error instanceof GokeepError) return [];
        throw error;
      }
    });
  }

  /** Removes a file that turned out to be damaged, so that it is fetched anew. */
  async discard(kind: ModuleFile, modulePath: string, version: string): Promise<void> {
    await this.#ifPresent(() => unlink(this.fileName(kind, modulePath, version)));
  }

  /** What the `list` file has to say: the releases and pre-releases whose zip is held. */
  async listText(modulePath: string): Promise<string> {
    const versions = (await this.heldVersions('zip', modulePath))
      .filter((version) => !isPseudoVersion(version))
      .sort(compare);
    return versions.map((version) => `${version}\n`).join('');
  }

  /** The `list` file as it is; undefined when there is none. */
  async readList(modulePath: string): Promise<string | undefined> {
    return this.#ifPresent(() => readFile(path.join(this.#versions(modulePath), 'list'), 'utf8'));
  }

  /** Writes the `list` file that `GOPROXY=file://` reads. We never answer from it ourselves. */
  async writeList(modulePath: string): Promise<void> {
    // One that failed is no reason for the next to fail.
    const before = this.#listing.get(modulePath)?.catch(() => undefined) ?? Promise.resolve();
    const write = before.then(async () => {
      await using temporary = await this.openTemporary();
      await temporary.handle.writeFile(await this.listText(modulePath));
      await temporary.handle.sync();
      await placeDurably(temporary.file, path.join(this.#versions(modulePath), 'list'));
    });
    this.#listing.set(modulePath, write);
    try {
      await write;
    } catch (error) {
      throw storageError(error, `list of ${modulePath}`);
    } finally {
      if (this.#listing.get(modulePath) === write) this.#listing.delete(modulePath);
    }
  }

  #versions(modulePath: string): string {
    return path.join(this.root, escapePath(modulePath), '@v');
  }

  async #ifPresent<T>(run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      if (isAbsent(error)) return undefined;
      if (error instanceof GokeepError) throw error;
      throw new GokeepError('storage_failed', 'the gokeep server could not read its storage; see its log', {
        cause: error,
      });
    }
  }
}
