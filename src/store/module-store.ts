import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { GokeepError } from '../errors.ts';
import { escapePath, escapeVersion, unescapeVersion } from '../module/escape.ts';
import { compare } from '../module/semver.ts';
import { isPseudoVersion } from '../module/version.ts';
import { forEachAtOnce } from './at-once.ts';
import { storageError } from './database.ts';
import {
  makeDirectories,
  makeDirectory,
  placeDurably,
  SYNCS_AT_ONCE,
  syncDirectory,
  syncFile,
} from './durable-file.ts';

/** The three files of a module version. */
export type ModuleFile = 'info' | 'mod' | 'zip';

/** A verified file that lies elsewhere on the same volume. */
export interface AdoptedFile {
  readonly kind: ModuleFile;
  readonly path: string;
  readonly version: string;
  readonly file: string;
}

/** A file being written, without a name that anybody reads. */
export interface TemporaryFile extends AsyncDisposable {
  readonly file: string;
  readonly handle: FileHandle;
}

/** Says of which file it is what goes wrong. */
async function named(
  { kind, path: modulePath, version }: AdoptedFile,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw storageError(error, `${kind} of ${modulePath}@${version}`);
  }
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
  readonly #onNamed: (file: Pick<AdoptedFile, 'kind' | 'path' | 'version'>) => void;

  /** @param onNamed told of each file that got its name, in `place` or `adopt`; what it throws is a defect */
  constructor(
    data: string,
    onNamed: (file: Pick<AdoptedFile, 'kind' | 'path' | 'version'>) => void = () => {},
  ) {
    this.#onNamed = onNamed;
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
    this.#onNamed({ kind, path: modulePath, version });
  }

  /**
   * Gives files their names: verified ones that lie elsewhere on the same volume and are moved here. Durable together when
   * this resolves. What already has a name stays, and the file that would have taken it is left where it was. To be done
   * again after a failure or a kill, with the same files.
   *
   * @param o.synced whoever wrote them has synced them, in this process
   *
   * Throws storage_full and storage_failed, the latter too where a file is neither here nor there.
   */
  async adopt(
    files: readonly AdoptedFile[],
    o: { readonly synced: boolean } = { synced: false },
  ): Promise<void> {
    try {
      const fresh = files.filter(
        ({ kind, path: modulePath, version }) => this.sizeNow(kind, modulePath, version) === undefined,
      );
      if (!o.synced)
        await forEachAtOnce(fresh, SYNCS_AT_ONCE, (each) => named(each, () => syncFile(each.file)));
      const directories = new Set(files.map(({ path: modulePath }) => this.#versions(modulePath)));
      await makeDirectories(directories, path.dirname(this.root));
      await forEachAtOnce(fresh, SYNCS_AT_ONCE, (each) =>
        named(each, () => rename(each.file, this.fileName(each.kind, each.path, each.version))),
      );
      const listed = files.filter(({ kind, version }) => kind === 'zip' && !isPseudoVersion(version));
      await this.#writeLists([...new Set(listed.map((each) => each.path))]);
      await forEachAtOnce([...directories], SYNCS_AT_ONCE, syncDirectory);
    } catch (error) {
      throw storageError(error, 'taking over files of modules');
    }
    for (const file of files) this.#onNamed(file);
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
    try {
      await this.#writeLists([modulePath]);
      await syncDirectory(this.#versions(modulePath));
    } catch (error) {
      throw storageError(error, `list of ${modulePath}`);
    }
  }

  /** Writes several, which are durable once their directories are synced. Of one module only one is written at a time. */
  async #writeLists(modulePaths: readonly string[]): Promise<void> {
    // One that failed is no reason for the next to fail.
    const before = modulePaths.flatMap((each) => this.#listing.get(each)?.catch(() => undefined) ?? []);
    const write = Promise.all(before).then(() => this.#replaceLists(modulePaths));
    for (const each of modulePaths) this.#listing.set(each, write);
    try {
      await write;
    } finally {
      for (const each of modulePaths) if (this.#listing.get(each) === write) this.#listing.delete(each);
    }
  }

  async #replaceLists(modulePaths: readonly string[]): Promise<void> {
    const written: { from: string; to: string }[] = [];
    try {
      await forEachAtOnce(modulePaths, SYNCS_AT_ONCE, async (modulePath) => {
        const text = await this.listText(modulePath);
        const from = path.join(this.#temporary, randomUUID());
        written.push({ from, to: path.join(this.#versions(modulePath), 'list') });
        await writeFile(from, text, { flag: 'wx' });
      });
      await forEachAtOnce(written, SYNCS_AT_ONCE, ({ from }) => syncFile(from));
      await forEachAtOnce(written, SYNCS_AT_ONCE, ({ from, to }) => rename(from, to));
    } catch (error) {
      for (const { from } of written) await rm(from, { force: true });
      throw error;
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
