import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BundlePath } from './bundle-path.ts';
import { type BundleFile, entriesIn, type OpenedBundle } from './bundle-reader.ts';
import { diskChunks } from './chunks.ts';
import type { FileSink } from './check.ts';

/** Beside zips, what is taken over from here. */
const STAGED: ReadonlySet<BundlePath['kind']> = new Set(['info', 'mod', 'query', 'signature', 'vulndb']);

/** Where a file of a bundle waits, below the directory of its import. */
export function stagedFile(directory: string, name: string): string {
  return path.join(directory, 'files', name);
}

/** Bytes of a bundle that an earlier run has left here. */
export async function stagedBytes(
  directory: string,
  { entriesFile, manifest }: Pick<OpenedBundle, 'entriesFile' | 'manifest'>,
): Promise<number> {
  let bytes = 0;
  for await (const { path: name } of entriesIn(entriesFile, manifest))
    bytes += statSync(stagedFile(directory, name), { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}

/**
 * The files of a bundle, on the way in. Nothing here is durable: a zip has its name once it was found good, and a later run
 * takes it if it still has the bytes that the manifest names, which a power cut may have changed.
 */
export class Staging implements FileSink {
  readonly #directory: string;
  #made = '';

  constructor(directory: string) {
    this.#directory = directory;
  }

  async zip(file: BundleFile): Promise<{ file: string; checked: boolean }> {
    const { path: name, size, sha256 } = file.entry;
    const staged = await this.#place(name);
    if (statSync(staged, { throwIfNoEntry: false })?.size === size && (await digest(staged)) === sha256) {
      for await (const _ of file.body);
      return { file: staged, checked: true };
    }
    await using handle = await open(`${staged}.part`, 'w');
    for await (const chunk of file.body) await handle.appendFile(chunk);
    return { file: `${staged}.part`, checked: false };
  }

  async zipChecked(file: BundleFile, at: string): Promise<void> {
    await rename(at, stagedFile(this.#directory, file.entry.path));
  }

  async small({ entry, at }: BundleFile, body: Buffer): Promise<void> {
    if (!STAGED.has(at.kind)) return;
    await writeFile(await this.#place(entry.path), body);
  }

  async #place(name: string): Promise<string> {
    const staged = stagedFile(this.#directory, name);
    const directory = path.dirname(staged);
    if (directory !== this.#made) await mkdir(directory, { recursive: true });
    this.#made = directory;
    return staged;
  }
}

async function digest(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of diskChunks(file)) hash.update(chunk);
  return hash.digest('hex');
}
