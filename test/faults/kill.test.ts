import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { needs } from '../world/programs.ts';
import { expectRecovers, parseSaid } from './appended.ts';
import { memoryDirectory } from './memory-directory.ts';
import { runAppender } from './run-appender.ts';

async function inDirectory<T>(run: (directory: string) => Promise<T>): Promise<T> {
  const directory = await memoryDirectory();
  try {
    return await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * Calls that change something on disk, and the fewest that one run makes in the log's thread. With a file: only calls
 * on that file, since other threads of the process make such calls for other ends.
 */
const BOUNDARIES: readonly [call: string, fewest: number, file?: string][] = [
  ['pwrite64', 40],
  ['fsync', 15],
  ['openat', 3, 'mark.tmp'],
  ['write', 3, 'mark.tmp'],
  ['rename', 3],
  ['ftruncate', 1],
  ['unlink', 1],
];

/** True when the process was killed, false when it made fewer calls than that. strace counts each thread's own calls. */
async function killAt(call: string, file: string | undefined, nth: number): Promise<boolean> {
  return inDirectory(async (directory) => {
    const strace = `strace -f -qqq -o /dev/null -e trace=${call} -e inject=${call}:signal=KILL:when=${nth}`;
    const only = file === undefined ? [] : ['-P', path.join(directory, file)];
    const wrapper = [...strace.split(' '), ...only];
    const run = await runAppender(directory, { rounds: 1, wrapper });
    const said = parseSaid(run.output);
    expect(said.refused).toEqual([]);
    await expectRecovers(directory, said);
    if (run.ended !== 0) return true;
    expect(said.logged.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    return false;
  });
}

describe.skipIf(!needs('strace'))('killed (-9) at a write boundary, by strace', () => {
  it.concurrent.each(BOUNDARIES)(
    'loses nothing acknowledged and forks nothing, at every %s',
    async (call, fewest, file) => {
      let nth = 1;
      while (await killAt(call, file, nth)) nth++;
      expect(nth).toBeGreaterThan(fewest);
    },
    240_000,
  );
});

describe('killed (-9) at any moment', () => {
  it('loses nothing acknowledged and forks nothing, however often it happens', async () => {
    await inDirectory(async (directory) => {
      let kills = 0;
      for (const killAfter of [0, 1, 3, 8, 21, 55]) {
        const run = await runAppender(directory, { rounds: 2_000, killAfter });
        if (run.ended === 'SIGKILL') kills++;
        await expectRecovers(directory, parseSaid(run.output));
      }
      expect(kills).toBe(6);
    });
  });
});
