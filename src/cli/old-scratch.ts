import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';

const AGE_MS = 7 * 86_400_000;

/**
 * Drops what commands that were killed have left: directories of one run each, below the data directory. One that is under
 * way is not as old.
 *
 * @param prefix begins the names of those that are meant
 */
export async function dropOldScratch(data: string, prefix: string): Promise<void> {
  for (const name of await readdir(data)) {
    const scratch = path.join(data, name);
    if (!name.startsWith(prefix) || Date.now() - (await stat(scratch)).mtimeMs < AGE_MS) continue;
    await rm(scratch, { recursive: true, force: true });
  }
}
