import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { makeDirectory, syncDirectory } from '../store/durable-file.ts';
import { storageError } from '../store/database.ts';
import type { StoredSignature } from '../store/signature-table.ts';
import type { AdoptedFile, TemporaryFile } from '../store/module-store.ts';

/** The files of one version on their way into the store, where nobody reads them. */
export interface StagedVersion {
  readonly directory: string;
  readonly path: string;
  readonly version: string;
}

const FILES = ['info', 'mod', 'zip'] as const;
/** Says which version it is. */
const NAME = 'version.json';
/** Verified signatures of the zip, where there are any. */
const SIGNATURES = 'signatures.json';

/**
 * Where a version's files wait while its record is being logged: `publish/<id>/` in the data directory.
 *
 * Whoever logs a record owes its files. A crash between the two leaves them here, whole, and the next start goes on
 * with them. Guarantee: what `stage` has returned for is durable, all of it.
 */
export class Staging {
  readonly #root: string;

  constructor(data: string) {
    this.#root = path.join(data, 'publish');
  }

  /**
   * Takes over a written zip, and writes what belongs to it.
   *
   * @param zip its bytes are synced by `zipSynced`
   * @throws storage_full, storage_failed
   */
  async stage(
    name: { readonly path: string; readonly version: string },
    files: {
      readonly zip: TemporaryFile;
      readonly zipSynced: Promise<void>;
      readonly mod: Buffer;
      readonly info: Buffer;
      readonly signatures?: readonly StoredSignature[];
    },
  ): Promise<StagedVersion> {
    const directory = path.join(this.#root, randomUUID());
    try {
      await makeDirectory(this.#root);
      await mkdir(directory);
      await rename(files.zip.file, path.join(directory, 'zip'));
      await Promise.all([
        files.zipSynced,
        writeSynced(path.join(directory, 'mod'), files.mod),
        writeSynced(path.join(directory, 'info'), files.info),
        ...(files.signatures === undefined || files.signatures.length === 0
          ? []
          : [writeSynced(path.join(directory, SIGNATURES), Buffer.from(JSON.stringify(files.signatures)))]),
        writeSynced(path.join(directory, NAME), Buffer.from(JSON.stringify(name))),
      ]);
      await Promise.all([syncDirectory(directory), syncDirectory(this.#root)]);
      return { directory, ...name };
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw storageError(error, `staging ${name.path}@${name.version}`);
    }
  }

  /** What an interrupted process left: each version that can be named, and directories in which nothing is of use. */
  async left(): Promise<{ staged: StagedVersion[]; useless: string[] }> {
    const staged: StagedVersion[] = [];
    const useless: string[] = [];
    for (const id of await entries(this.#root)) {
      const directory = path.join(this.#root, id);
      const name = await nameIn(directory);
      if (name === undefined) useless.push(directory);
      else staged.push({ directory, ...name });
    }
    return { staged, useless };
  }

  /** Where a file of a staged version lies, or lay until the store took it. */
  file(staged: StagedVersion, kind: (typeof FILES)[number]): string {
    return path.join(staged.directory, kind);
  }

  /** For the store to take. */
  files(staged: StagedVersion): AdoptedFile[] {
    const { path: modulePath, version } = staged;
    return FILES.map((kind) => ({ kind, path: modulePath, version, file: this.file(staged, kind) }));
  }

  /** What was verified of it before it was staged. Throws storage_failed. */
  async signatures(staged: StagedVersion): Promise<readonly StoredSignature[]> {
    try {
      const text = await readFile(path.join(staged.directory, SIGNATURES), 'utf8');
      return JSON.parse(text) as readonly StoredSignature[];
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw storageError(error, `signatures of ${staged.path}@${staged.version}`);
    }
  }

  /** Not synced: one that comes back after a power cut is only gone through once more. */
  async drop(directory: string): Promise<void> {
    await rm(directory, { recursive: true, force: true });
  }
}

async function writeSynced(file: string, bytes: Buffer): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function entries(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw storageError(error, 'staged versions');
  }
}

/** Undefined where the file is missing or was cut off: then nothing was logged on the strength of this directory. */
async function nameIn(directory: string): Promise<{ path: string; version: string } | undefined> {
  try {
    const value = JSON.parse(await readFile(path.join(directory, NAME), 'utf8')) as unknown;
    if (typeof value !== 'object' || value === null) return undefined;
    const { path: modulePath, version } = value as Record<string, unknown>;
    return typeof modulePath === 'string' && typeof version === 'string'
      ? { path: modulePath, version }
      : undefined;
  } catch {
    return undefined;
  }
}
