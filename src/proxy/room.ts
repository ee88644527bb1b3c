import { statfs } from 'node:fs/promises';
import { GokeepError } from '../errors.ts';

/**
 * Nothing new is taken in below the disk reserve, so that the log and what is held can still be served.
 *
 * @param reserve bytes that must stay free
 * @throws storage_full
 */
export async function checkRoom(directory: string, reserve: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= reserve) return;
  throw new GokeepError(
    'storage_full',
    'the disk of the gokeep server is nearly full, so it takes in nothing new; its operator has to make room',
    { detail: `${bavail * bsize} bytes free, ${reserve} reserved` },
  );
}
