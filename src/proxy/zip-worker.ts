import { open } from 'node:fs/promises';
import { GokeepError } from '../errors.ts';
import { verifyModuleZip } from '../modzip/verify.ts';
import type { ZipTask, ZipVerdict } from './zip-verifier.ts';

/** Runs in a thread of the pool: one zip, read by file descriptor, never whole in memory. */
export async function verifyZipFile(task: ZipTask): Promise<ZipVerdict> {
  const handle = await open(task.file, 'r');
  try {
    const { size } = await handle.stat();
    const source = {
      size,
      read: async (position: number, length: number, into?: Buffer) => {
        const buffer = into !== undefined && into.length >= length ? into : Buffer.allocUnsafe(length);
        const { bytesRead } = await handle.read(buffer, 0, length, position);
        return buffer.subarray(0, bytesRead);
      },
    };
    const { h1, goMod, irregular } = await verifyModuleZip(source, task.path, task.version);
    return task.wantsGoMod ? { h1, goMod, irregular } : { h1 };
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    return { code: error.code, message: error.message, detail: error.detail };
  } finally {
    await handle.close();
  }
}
