import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { needs } from '../world/programs.ts';
import { expectWhole, HELD, parseHeld } from './kept.ts';
import { memoryDirectory } from './memory-directory.ts';
import { unsynced } from './unsynced.ts';

const KEEPER = path.join(import.meta.dirname, 'keeper.ts');

/**
 * Calls that change something on disk, and the fewest that one run makes in one thread. The kill comes on entering the
 * call. Opening is not among them: that a file was made shows at the next write. Between two of the disk's own there
 * are writes that wake the main thread, so "write" is any other moment, too.
 */
const BOUNDARIES: readonly [call: string, fewest: number][] = [
  ['write', 20],
  ['fsync', 8],
  ['fdatasync', 2],
  ['mkdir', 6],
  ['rename', 4],
  ['unlink', 1],
];

interface Run {
  /** Exit code, or the signal's name. */
  readonly ended: number | string;
  readonly output: string;
}

async function inDirectory<T>(run: (directory: string) => Promise<T>): Promise<T> {
  const directory = await memoryDirectory();
  try {
    return await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** True when the process was killed, false when it made fewer calls than that. */
async function killAt(call: string, nth: number): Promise<boolean> {
  return inDirectory(async (directory) => {
    const strace = `strace -f -qqq -o /dev/null -e trace=${call} -e inject=${call}:signal=KILL:when=${nth}`;
    const run = await runKeeper(directory, strace.split(' '));
    const said = parseHeld(run.output);
    await expectWhole(directory, said);
    if (run.ended !== 0) return true;
    expect(said).toEqual(HELD);
    return false;
  });
}

/** Runs a keeper to its end, under strace and its arguments. */
function runKeeper(directory: string, [command, ...args]: readonly string[]): Promise<Run> {
  const child = spawn(command!, [...args, process.execPath, KEEPER, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // One thread for files: strace counts each thread's own calls.
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ ended: code ?? signal ?? -1, output }));
  });
}

describe.skipIf(!needs('strace'))('a module store, by strace', () => {
  it('syncs every file after its last write and before it gets its name, and then the directory', async () => {
    await inDirectory(async (directory) => {
      const trace = path.join(directory, 'trace');
      const strace = `strace -f -y -qqq -s 0 -o ${trace} --seccomp-bpf -e trace=write,fsync,fdatasync,rename,mkdir`;
      expect((await runKeeper(directory, strace.split(' '))).ended).toBe(0);
      expect(unsynced(await readFile(trace, 'utf8'))).toEqual([]);
    });
  });
});

describe.skipIf(!needs('strace'))('killed (-9) while it keeps module files, by strace', () => {
  it.concurrent.each(BOUNDARIES)(
    'has each file whole or not at all, and all that were acknowledged, at every %s',
    async (call, fewest) => {
      let nth = 1;
      while (await killAt(call, nth)) nth++;
      expect(nth).toBeGreaterThan(fewest);
    },
    240_000,
  );
});
