import { randomUUID } from 'node:crypto';
import { type Dirent, readFileSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GokeepError } from '../errors.ts';
import { checkVulndbName } from '../vulndb/rules.ts';
import { storageError } from './database.ts';
import { makeDirectory, placeDurably, syncDirectory } from './durable-file.ts';

/** Names the copy that is served. No copy can have this name, nor one that begins like a staged copy's. */
const POINTER = 'current';
const STAGED = '.staged-';
const SNAPSHOT = /^[A-Za-z0-9][A-Za-z0-9-]{0,99}$/;

const WHAT = 'vulnerability database';

/**
 * Imported copies of a vulnerability database: `vulndb/<snapshot>/index/…`, `vulndb/<snapshot>/ID/…`, and the small file
 * `vulndb/current`, which names the copy that is served.
 *
 * Guarantees: a copy is staged under a name that nobody reads; `publish` makes all of it durable and only then moves the
 * pointer, in one rename. A crash at any moment leaves the old copy served or the new one, whole. What it leaves
 * beside them the next `stage` or `publish` removes. When `publish` returns, the new copy is served after a power cut,
 * too. A snapshot's name stands for its content: published copies are never changed. One writer at a time (the lock of
 * the data directory); readers, in whatever process, need no lock. Trust: whoever can write here decides what
 * govulncheck reports.
 */
export class VulndbStore {
  readonly #root: string;
  readonly #pointer: string;

  constructor(data: string) {
    this.#root = path.join(data, 'vulndb');
    this.#pointer = path.join(this.#root, POINTER);
  }

  /** The snapshot that is served; undefined when none was ever published. Throws storage_failed. */
  current(): string | undefined {
    const text = this.#pointerText();
    return text === undefined ? undefined : (snapshotIn(text) ?? damaged());
  }

  /**
   * The bytes of a file of the served copy; undefined when there is none, or no copy. Throws bad_request for what is no name
   * of such a file, storage_failed.
   */
  async read(name: string): Promise<Buffer | undefined> {
    checkVulndbName(name);
    const text = await ifPresent(() => readFile(this.#pointer, 'utf8'));
    if (text === undefined) return undefined;
    const snapshot = snapshotIn(text) ?? damaged();
    return await ifPresent(() => readFile(path.join(this.#root, snapshot, name)));
  }

  /**
   * A new directory to put a copy into, by `put`. Removes what an interrupted import left, and copies that are not served.
   * Throws storage_full and storage_failed.
   */
  async stage(): Promise<string> {
    try {
      await makeDirectory(this.#root);
      // An import that was killed may have made it.
      await syncDirectory(path.dirname(this.#root));
      await this.#clean([this.#toBeReplaced()]);
      const directory = path.join(this.#root, `${STAGED}${randomUUID()}`);
      await mkdir(directory);
      for (const below of ['index', 'ID']) await mkdir(path.join(directory, below));
      return directory;
    } catch (error) {
      throw storageError(error, `${WHAT}: stage`);
    }
  }

  /**
   * Writes one file of a staged copy; `publish` makes it durable. Throws bad_request for what is no name of such a file,
   * storage_full and storage_failed.
   */
  async put(staged: string, name: string, body: Buffer): Promise<void> {
    checkVulndbName(name);
    try {
      await writeFile(path.join(staged, name), body, { flag: 'wx' });
    } catch (error) {
      throw storageError(error, `${WHAT}: ${name}`);
    }
  }

  /**
   * Serves a staged copy from now on, under a name of letters, digits and `-`. The copy before it stays on disk until the
   * next `stage`, for whoever is reading it. Publishing the name that is served changes nothing: it is the same copy.
   *
   * Throws bad_request for another name, storage_full and storage_failed; the old copy is served then.
   */
  async publish(staged: string, snapshot: string): Promise<void> {
    if (!SNAPSHOT.test(snapshot) || snapshot.toLowerCase() === POINTER) {
      throw new GokeepError('bad_request', 'the name of a snapshot is letters, digits and "-"');
    }
    const before = this.#toBeReplaced();
    try {
      if (before === snapshot) {
        await rm(staged, { recursive: true, force: true });
        return;
      }
      await syncTree(staged);
      const place = path.join(this.#root, snapshot);
      // Not the one that is served: what a crash left before the pointer moved, or the one before the last.
      await rm(place, { recursive: true, force: true });
      await rename(staged, place);
      await syncDirectory(this.#root);
      await this.#point(snapshot);
    } catch (error) {
      throw storageError(error, `${WHAT}: publish`);
    }
    // It is published: what cannot be removed now is no failure, and goes with the next import.
    await this.#clean([snapshot, before]).catch(() => undefined);
  }

  async #point(snapshot: string): Promise<void> {
    const temporary = `${this.#pointer}.tmp`;
    // What a crash left is made anew, so that its mode, or a link in its place, is not taken over.
    await rm(temporary, { force: true });
    await writeFile(temporary, `${snapshot}\n`, { flag: 'wx', flush: true });
    await placeDurably(temporary, this.#pointer);
  }

  async #clean(kept: readonly (string | undefined)[]): Promise<void> {
    for (const name of await readdir(this.#root)) {
      if (name === POINTER || kept.includes(name)) continue;
      await rm(path.join(this.#root, name), { recursive: true, force: true });
    }
  }

  /** As `current`, but for a pointer that is damaged, which names nothing. */
  #toBeReplaced(): string | undefined {
    const text = this.#pointerText();
    return text === undefined ? undefined : snapshotIn(text);
  }

  #pointerText(): string | undefined {
    try {
      return readFileSync(this.#pointer, 'utf8');
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw unreadable(error);
    }
  }
}

/** Undefined for what is no pointer of ours. */
function snapshotIn(pointer: string): string | undefined {
  const snapshot = pointer.replace(/\n$/, '');
  return SNAPSHOT.test(snapshot) ? snapshot : undefined;
}

function damaged(): never {
  throw new GokeepError(
    'storage_failed',
    'the vulnerability database of this gokeep is damaged; its operator has to import one again',
  );
}

/** Files synced at a time: a database has thousands, and a disk takes several syncs at once. */
const AT_ONCE = 16;

/** Makes a directory and all in it durable. Throws storage_failed for anything but files and directories. */
async function syncTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (let at = 0; at < entries.length; at += AT_ONCE) {
    const some = entries.slice(at, at + AT_ONCE);
    await Promise.all(some.map((entry) => syncEntry(entry, path.join(directory, entry.name))));
  }
  await syncDirectory(directory);
}

async function syncEntry(entry: Dirent, name: string): Promise<void> {
  if (entry.isDirectory()) return await syncTree(name);
  if (!entry.isFile()) {
    throw new GokeepError(
      'storage_failed',
      'a staged vulnerability database holds something else than files',
    );
  }
  await using file = await open(name, 'r');
  await file.sync();
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

async function ifPresent<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw unreadable(error);
  }
}

function unreadable(cause: unknown): GokeepError {
  return new GokeepError('storage_failed', 'the gokeep server could not read its storage; see its log', {
    cause,
  });
}
