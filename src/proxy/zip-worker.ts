import { open } from 'node:fs/promises';
import { GokeepError } from '../errors.ts';
import { verifyModuleZip } from '../modzip/verify.ts';
import { openedZip } from './opened-zip.ts';
import type { ZipTask, ZipVerdict } from './zip-verifier.ts';

/** Runs in a thread of the pool: one zip, read by file descriptor, never whole in memory. */
export async function verifyZipFile(task: ZipTask): Promise<ZipVerdict> {
  const handle = await open(task.file, 'r');
  try {
    const { h1, goMod, irregular } = await verifyModuleZip(await openedZip(handle), task.path, task.version);
    return task.wantsGoMod ? { h1, goMod, irregular } : { h1 };
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    return { code: error.code, message: error.message, detail: error.detail };
  } finally {
    await handle.close();
  }
}
