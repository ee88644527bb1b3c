import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { AdoptedFile, ModuleStore } from '../store/module-store.ts';
import { parseBundlePath } from './bundle-path.ts';
import { entriesIn, type OpenedBundle } from './bundle-reader.ts';
import { stagedFile } from './staging.ts';

/** Files that are taken over at a time: a disk makes many durable in little more time than one. */
const PORTION = 4_096;

/** Where the files of a bundle go. */
export interface FileTarget {
  readonly store: ModuleStore;
  /** Keeps what upstream said that a branch or commit is. */
  readonly keepQuery: (modulePath: string, query: string, body: Buffer) => Promise<void>;
  /** When the vulnerability database that is served was last modified, as it says; undefined where none is. */
  readonly vulndbModified: () => Promise<string | undefined>;
  /** Takes a directory with the files of a vulnerability database. */
  readonly keepVulndb: (directory: string, id: string) => Promise<void>;
}

/** Takes over the files of a bundle that was found good, which wait in this directory. Doing it again changes nothing. */
export async function takeOver(
  bundle: OpenedBundle,
  directory: string,
  { store, keepQuery, vulndbModified, keepVulndb }: FileTarget,
  onPlaced: (files: number) => void,
): Promise<void> {
  const databases = bundle.manifest.databases.map(({ name }) => name);
  let files: AdoptedFile[] = [];
  let placed = 0;
  for await (const entry of entriesIn(bundle.entriesFile, bundle.manifest)) {
    const at = parseBundlePath(entry.path, databases);
    const file = stagedFile(directory, entry.path);
    if (at.kind === 'query') await keepQuery(at.path, at.version, await readFile(file));
    if (at.kind !== 'info' && at.kind !== 'mod' && at.kind !== 'zip') continue;
    files.push({ kind: at.kind, path: at.path, version: at.version, file });
    onPlaced(++placed);
    if (files.length < PORTION) continue;
    await store.adopt(files);
    files = [];
  }
  await store.adopt(files);
  const { vulndb } = bundle.manifest;
  const vulndbFiles = path.join(directory, 'files', 'vulndb');
  if (vulndb === undefined || !existsSync(vulndbFiles)) return;
  const served = await vulndbModified();
  // One that is older than what is served would hide what became known since.
  if (served === undefined || Date.parse(vulndb.modified) >= Date.parse(served))
    await keepVulndb(vulndbFiles, bundle.id);
}
