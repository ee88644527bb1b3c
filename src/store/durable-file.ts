import { closeSync, fsyncSync, openSync, renameSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';

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

/**
 * Creates a directory and its parents, durably: each directory that was created is named in a parent that has
 * been synced.
 */
export async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true });
  if (first === undefined) return;
  const top = path.dirname(first);
  for (let at = path.dirname(directory); ; at = path.dirname(at)) {
    await syncDirectory(at);
    if (at === top || at === path.dirname(at)) return;
  }
}

/** Gives a file that is written and synced its name, durably. Replaces what has that name. */
export async function placeDurably(temporary: string, file: string): Promise<void> {
  await rename(temporary, file);
  await syncDirectory(path.dirname(file));
}
