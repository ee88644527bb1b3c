import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { type ModuleFile, ModuleStore } from '../../src/store/module-store.ts';

export interface Held {
  readonly kind: ModuleFile;
  readonly path: string;
  readonly version: string;
}

const MODULE = 'example.test/Upper/m';

/** What the keeper stores, in order: one file by `keep`, two by `place`. The second zip replaces the `list` that the first one wrote. */
export const HELD: readonly Held[] = [
  { kind: 'info', path: MODULE, version: 'v1.0.0' },
  { kind: 'zip', path: MODULE, version: 'v1.0.0' },
  { kind: 'zip', path: MODULE, version: 'v1.1.0' },
];

/** Bytes that stand for a file of a module: the zips are 100,000 bytes long. */
export function contentOf({ kind, path: name, version }: Held): Buffer {
  const seed = createHash('sha256').update(`${kind} ${name} ${version}`).digest();
  return kind === 'zip' ? Buffer.concat(Array<Buffer>(3125).fill(seed)) : seed;
}

/** Reads what a keeper said; a line that a kill cut short was not said. */
export function parseHeld(output: string): Held[] {
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Held);
}

/**
 * Starts a store on what a keeper left behind: whatever has its name is whole, what it said is there and listed, and
 * nothing else is left.
 */
export async function expectWhole(directory: string, said: readonly Held[]): Promise<void> {
  const store = new ModuleStore(directory);
  await store.clearTemporary();
  expect(await readdir(path.join(directory, 'tmp'))).toEqual([]);

  const names = new Map(HELD.map((file) => [store.fileName(file.kind, file.path, file.version), file]));
  const present: Held[] = [];
  for (const entry of await readdir(store.root, { recursive: true, withFileTypes: true })) {
    const name = path.join(entry.parentPath, entry.name);
    if (entry.isDirectory() || entry.name === 'list') continue;
    const file = names.get(name);
    expect(file, name).toBeDefined();
    expect((await readFile(name)).equals(contentOf(file!)), name).toBe(true);
    present.push(file!);
  }
  expect(present).toEqual(expect.arrayContaining([...said]));
  // One more than was said may be there: the one whose acknowledgement the kill cut off.
  expect(present.length - said.length).toBeLessThanOrEqual(1);

  const zips = (files: readonly Held[]) => files.filter(({ kind }) => kind === 'zip').length;
  const lists = [undefined, 'v1.0.0\n', 'v1.0.0\nv1.1.0\n'];
  const list = lists.indexOf(await store.readList(MODULE));
  expect(list).toBeGreaterThanOrEqual(zips(said));
  expect(list).toBeLessThanOrEqual(zips(present));
}
