import { closeSync, fsyncSync, openSync, renameSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { forEachAtOnce } from './at-once.ts';

/** A disk puts together what is asked of it at the same time. */
export const SYNCS_AT_ONCE = 16;

/**
 * The order that makes a file durable: write → fsync the file → rename → fsync the directory. Without the second
 * fsync the name may be gone after a power cut; without the first the name may point at nothing.
 */
export function writeDurablySync(file: string, content: Uint8Array | string, mode = 0o644): void {
  const temporary = `${file}.tmp`;
  // What a crash left is made anew, so that its mode, or a link in its place, is not taken over.
  rmSync(temporary, { force: true });
  const fd = openSync(temporary, 'wx', mode);
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } catch (error) {
    closeSync(fd);
    unlinkSync(temporary);
    throw error;
  }
  closeSync(fd);
  renameSync(temporary, file);
  const directory = openSync(path.dirname(file), 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** Makes entries added to a directory durable. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes the bytes of a file durable that somebody else has written. */
export async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Directories being made: one that is there and not in here is durable, as far as this process made it. */
const making = new Map<string, Promise<void>>();

/**
 * Creates a directory and its parents, durably: each directory that was created is named in a parent that has
 * been synced, whoever of those who ask at the same time created it.
 */
export function makeDirectory(directory: string): Promise<void> {
  const running = making.get(directory);
  if (running !== undefined) return running;
  const made = makeOne(directory).finally(() => making.delete(directory));
  making.set(directory, made);
  return made;
}

async function makeOne(directory: string): Promise<void> {
  const parent = path.dirname(directory);
  try {
    await mkdir(directory);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT') throw error;
    await makeDirectory(parent);
    // Recursive only so that it may exist: another process could have been faster.
    await mkdir(directory, { recursive: true });
  }
  await making.get(parent);
  await syncDirectory(parent);
}

/**
 * Directories that {@link makeDirectories} of this process has found there or made, and then synced the parent of: while they are
 * there they stay durable, and another file in them costs no sync of what lies above.
 */
const durable = new Set<string>();
/** A process that imports for months holds no more names than this. */
const MOST_DURABLE = 10_000;

/**
 * Creates many directories and their parents: all are made, then each parent is synced once, which costs a disk far less
 * than one after the other. Durable when it resolves, also those that an earlier process left half made.
 *
 * @param within is there, and durable; nothing above it is touched
 */
export async function makeDirectories(directories: Iterable<string>, within: string): Promise<void> {
  const wanted = new Set<string>();
  for (const directory of directories)
    for (let at = directory; at !== within && !wanted.has(at) && at !== path.dirname(at); ) {
      wanted.add(at);
      at = path.dirname(at);
    }
  const others = [...wanted].flatMap((directory) => making.get(directory) ?? []);
  const ours = [...wanted].filter((directory) => !making.has(directory));
  const made = (async () => {
    const fresh: string[] = [];
    // Parents come before children.
    for (const directory of ours.sort()) {
      const made = await mkdir(directory, { recursive: true });
      // One that had to be made was removed since.
      if (made !== undefined || !durable.has(directory)) fresh.push(directory);
    }
    const parents = [...new Set(fresh.map((each) => path.dirname(each)))];
    await forEachAtOnce(parents, SYNCS_AT_ONCE, syncDirectory);
    if (durable.size + fresh.length > MOST_DURABLE) durable.clear();
    for (const directory of fresh) durable.add(directory);
  })().finally(() => ours.forEach((directory) => making.delete(directory)));
  for (const directory of ours) making.set(directory, made);
  await Promise.all([made, ...others]);
}

/** Gives a file that is written and synced its name, durably. Replaces what has that name. */
export async function placeDurably(temporary: string, file: string): Promise<void> {
  await rename(temporary, file);
  await syncDirectory(path.dirname(file));
}
