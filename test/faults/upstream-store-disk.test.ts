import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { UpstreamStore } from '../../src/store/upstream-store.ts';
import { needs } from '../world/programs.ts';
import { memoryDirectory } from './memory-directory.ts';

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await memoryDirectory();
  file = path.join(directory, 'upstream.db');
  openDatabase(file, 'upstream').close();
});

afterEach(() => rm(directory, { recursive: true, force: true }));

/** What the rememberer says when one kind of call on one file fails. */
async function withError(call: string, error: string, on: string, ...more: string[]): Promise<string[]> {
  const strace = `-f -qqq -o /dev/null -e trace=${call} -e inject=${call}:error=${error} -P ${on}`.split(' ');
  const script = path.join(import.meta.dirname, 'rememberer.ts');
  const { stdout } = await promisify(execFile)('strace', [
    ...strace,
    process.execPath,
    script,
    file,
    ...more,
  ]);
  return stdout.trimEnd().split('\n');
}

describe.skipIf(!needs('strace'))('what is remembered of upstream, on a bad disk', () => {
  it('closes without an error when the disk is full, and has kept everything', async () => {
    // The database itself is only written when its write-ahead log is merged into it.
    expect(await withError('pwrite64', 'ENOSPC', file)).toEqual(['a done', 'b done', 'close done']);
    const again = new UpstreamStore(
      file,
      () => undefined,
      () => undefined,
    );
    expect(['a', 'b'].map((key) => again.answer(key)?.body.toString())).toEqual(['a', 'b']);
    await again.close();
  });

  it('is written no more once an fsync has failed, and says that its thread ended', async () => {
    const said = await withError('fsync', 'EIO:when=1', `${file}-wal`, 'wait');
    expect(said).toContain('thread ended');
    expect(said).toEqual(
      expect.arrayContaining(['a storage_failed', 'b storage_failed', 'close storage_failed']),
    );
  });
});
