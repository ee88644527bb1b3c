import { readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';

import { GokeepError } from '../errors.ts';

const INTERVAL_MS = 1_000;

/**
 * Watches the free space around a directory while somebody else's repository is written there. `onFull` is called at
 * most once. Call the result to stop.
 *
 * @param reserve bytes that have to stay free
 */
export function watchSpace(
  directory: string,
  reserve: number,
  onFull: (error: GokeepError) => void,
): () => void {
  const timer = setInterval(() => {
    statfs(directory).then(
      ({ bavail, bsize }) => {
        if (bavail * bsize >= reserve) return;
        clearInterval(timer);
        onFull(
          new GokeepError('storage_full', 'The disk of the gokeep host is full; nothing new is fetched.', {
            detail: `${bavail * bsize} bytes free, ${reserve} reserved`,
          }),
        );
      },
      () => {}, // the command itself will say what is wrong with it
    );
  }, INTERVAL_MS);
  return () => clearInterval(timer);
}

/** Removes what a killed git has left half written. No git may be running below `modCache`. */
export async function removeLeftovers(modCache: string): Promise<void> {
  const clones = join(modCache, 'cache', 'vcs');
  for (const clone of await readdir(clones, { withFileTypes: true }).catch(() => [])) {
    if (!clone.isDirectory()) continue;
    const packs = join(clones, clone.name, 'objects', 'pack');
    const left = (await readdir(packs).catch(() => []))
      .filter((name) => name.startsWith('tmp_'))
      .map((name) => join(packs, name));
    // git would not begin while there is a lock, and its holder is gone.
    for (const name of [...left, join(clones, clone.name, 'shallow.lock')]) {
      await rm(name, { force: true }).catch(() => {}); // tried again after the next failure
    }
  }
}
