import { GokeepError } from '../errors.ts';
import { verifyModuleZip } from '../modzip/verify.ts';
import { openZipFile } from '../store/zip-file.ts';
import type { ZipTask, ZipVerdict } from './zip-verifier.ts';

/** Runs in a thread of the pool: one zip, read by file descriptor, never whole in memory. */
export async function verifyZipFile(task: ZipTask): Promise<ZipVerdict> {
  await using zip = await openZipFile(task.file);
  if (zip === undefined) throw new Error(`${task.file} is not there`);
  try {
    const { h1, goMod, irregular } = await verifyModuleZip(zip, task.path, task.version);
    return task.wantsGoMod ? { h1, goMod, irregular } : { h1 };
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    return { code: error.code, message: error.message, detail: error.detail };
  }
}
