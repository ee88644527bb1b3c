import { execFile } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { VulndbStore } from '../../src/store/vulndb-store.ts';
import { needs } from '../world/programs.ts';
import { memoryDirectory } from './memory-directory.ts';
import { unsynced } from './unsynced.ts';
import { COPIED, COPIES, copiedBytes } from './vulndb-keeper.ts';

const KEEPER = path.join(import.meta.dirname, 'vulndb-keeper.ts');

/** Calls that change something on disk, and the fewest that one run makes in its one thread for files. */
const BOUNDARIES: readonly [call: string, fewest: number][] = [
  ['fsync', 20],
  ['mkdir', 10],
  ['rename', 6],
  ['unlink', 2],
  ['rmdir', 3],
];

async function inDirectory<T>(run: (directory: string) => Promise<T>): Promise<T> {
  const directory = await memoryDirectory();
  try {
    return await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Runs a keeper to its end under strace; resolves with whether it got there, and what it said was published. */
function runKeeper(directory: string, strace: string): Promise<{ whole: boolean; said: string[] }> {
  const args = [...strace.split(' '), process.execPath, KEEPER, directory];
  // One thread for files: strace counts each thread's own calls.
  const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
  return new Promise((resolve) => {
    execFile('strace', args, { env }, (error, stdout) =>
      resolve({ whole: error === null, said: stdout.split('\n').slice(0, -1) }),
    );
  });
}

/** What is served after a run: the copy that was said last or the one after it, every file of it whole; and the next import works. */
async function expectServed(directory: string, said: readonly string[]): Promise<void> {
  const store = new VulndbStore(directory);
  const served = store.current();
  const possible = [COPIES[said.length - 1], COPIES[Math.min(said.length, COPIES.length - 1)]];
  expect(possible).toContain(served);
  for (const name of COPIED) {
    const body = await store.read(name);
    expect(body?.equals(copiedBytes(served ?? '', name)), name).toBe(served === undefined ? undefined : true);
  }
  const staged = await store.stage();
  const kept = await readdir(path.join(directory, 'vulndb'));
  const expected = served === undefined ? [] : ['current', served];
  expect(kept.sort()).toEqual([path.basename(staged), ...expected].sort());
  await store.put(staged, COPIED[0], Buffer.from('after'));
  await store.publish(staged, 'after');
  expect(String(await store.read(COPIED[0]))).toBe('after');
}

/**
 * What happened in the store's directory itself, in order: without a sync before the pointer moves, a power cut could leave it
 * naming a copy that is not there.
 */
function stepsOf(trace: string, root: string): string[] {
  return trace.split('\n').flatMap((line) => {
    const [, name] = /rename\(.*, "([^"]*)"\)/.exec(line) ?? [];
    if (name !== undefined) return [`named ${path.relative(root, name)}`];
    return line.includes('fsync(') && line.includes(`<${root}>`) ? ['synced'] : [];
  });
}

/** True when a keeper with this injected was stopped by it, false when it made fewer calls than that. */
async function stoppedBy(call: string, what: string): Promise<boolean> {
  return inDirectory(async (directory) => {
    const inject = `-f -qqq -o /dev/null -e trace=${call} -e inject=${call}:${what}`;
    const { whole, said } = await runKeeper(directory, inject);
    if (whole) expect(said).toEqual(COPIES);
    await expectServed(directory, said);
    return !whole;
  });
}

describe.skipIf(!needs('strace'))('a store of vulnerability databases, by strace', () => {
  it('syncs every file before it gets its name, and every directory before a copy is acknowledged', async () => {
    await inDirectory(async (directory) => {
      const trace = path.join(directory, 'trace');
      const strace = `-f -y -qqq -s 0 -o ${trace} --seccomp-bpf -e trace=write,fsync,rename,mkdir`;
      expect(await runKeeper(directory, strace)).toEqual({ whole: true, said: COPIES });
      const traced = await readFile(trace, 'utf8');
      expect(unsynced(traced)).toEqual([]);
      expect(stepsOf(traced, path.join(directory, 'vulndb'))).toEqual(
        COPIES.flatMap((copy) => [`named ${copy}`, 'synced', 'named current', 'synced']),
      );
    });
  });

  it.each(BOUNDARIES)(
    'killed (-9) at any %s serves the old copy or the new one, whole',
    async (call, fewest) => {
      let nth = 1;
      while (await stoppedBy(call, `signal=KILL:when=${nth}`)) nth++;
      expect(nth).toBeGreaterThan(fewest);
    },
    240_000,
  );

  it.each(['fsync', 'rename'])(
    'serves the old copy or the new one, whole, when any %s fails',
    async (call) => {
      let nth = 1;
      while (await stoppedBy(call, `error=EIO:when=${nth}`)) nth++;
      expect(nth).toBeGreaterThan(6);
    },
    240_000,
  );
});
