import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { needs } from '../world/programs.ts';
import { expectRecovers, parseSaid, type Said } from './appended.ts';
import { memoryDirectory } from './memory-directory.ts';
import { runAppender } from './run-appender.ts';

interface Faulty {
  readonly ended: number | string;
  readonly said: Said;
  readonly errors: string;
}

/**
 * Runs the appender with one call (or, with `when` ending in `+`, all from one on) failing, then lets the next start
 * recover. `file`: only calls on that file.
 */
async function withError(call: string, error: string, when: string, file?: string): Promise<Faulty> {
  const directory = await memoryDirectory();
  try {
    const strace = `strace -f -qqq -o /dev/null -e trace=${call} -e inject=${call}:error=${error}:when=${when}`;
    const only = file === undefined ? [] : ['-P', path.join(directory, file)];
    const run = await runAppender(directory, { rounds: 1, wrapper: [...strace.split(' '), ...only] });
    const said = parseSaid(run.output);
    await expectRecovers(directory, said);
    return { ended: run.ended, said, errors: run.errors };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** From these counts on, one call of each batch after the other; before, the database and its first head are made. */
const APPENDING = { pwrite64: 45, fsync: 14 };

describe.skipIf(!needs('strace'))('an error of the disk, by strace', () => {
  it.each([
    ['write', 'pwrite64', [1, 3, 13, 14, 22, 33, 42]],
    ['fsync', 'fsync', [1, 4, 5, 7, 8, 9, 11, 13]],
  ] as const)(
    'in a %s while the log is made ends the process; the next start is clean',
    async (_what, call, at) => {
      for (const nth of at) {
        const { ended, said } = await withError(call, 'EIO', String(nth));
        // The end may come before the refusal is told; what counts is that nothing was acknowledged.
        const refused = said.refused.filter((code) => code !== 'storage_failed');
        expect({ nth, ended, ...said, refused }).toEqual({
          nth,
          ended: 70,
          heads: [],
          logged: [],
          refused: [],
        });
      }
    },
  );

  it('in an fsync ends the process, which writes nothing more; the next start is clean', async () => {
    for (let nth = APPENDING.fsync; nth < APPENDING.fsync + 12; nth++) {
      const { ended, said } = await withError('fsync', 'EIO', String(nth));
      const acknowledged = Math.floor((nth - APPENDING.fsync) / 4);
      expect({ nth, ended, heads: said.heads.length }).toEqual({ nth, ended: 70, heads: 1 + acknowledged });
    }
  });

  it('in a write ends the process; the next start is clean', async () => {
    for (let nth = APPENDING.pwrite64; nth < APPENDING.pwrite64 + 24; nth += 4) {
      const { ended } = await withError('pwrite64', 'EIO', String(nth));
      expect({ nth, ended }).toEqual({ nth, ended: 70 });
    }
  });

  it.each([
    ['write', 'EIO'],
    ['rename', 'EIO'],
    ['openat', 'EIO'],
  ])('in the %s of the mark ends the process with nothing signed on top', async (call, error) => {
    const { ended, said } = await withError(call, error, '2', call === 'rename' ? undefined : 'mark.tmp');
    expect(ended).toBe(70);
    expect(said.heads.map(({ size }) => size)).toEqual([0]);
    expect(said.logged).toEqual([]);
  });

  it('that is full for a moment is said as storage_full, and what comes after goes on', async () => {
    for (let nth = APPENDING.pwrite64; nth < APPENDING.pwrite64 + 24; nth += 4) {
      const { ended, said } = await withError('pwrite64', 'ENOSPC', String(nth));
      expect({ nth, ended }).toEqual({ nth, ended: 0 });
      expect(new Set(said.refused)).toEqual(new Set(['storage_full']));
      expect(said.logged.length + said.refused.length).toBe(4);
    }
  });

  it.each(['write', 'openat'])(
    'that is full when the mark moves (%s) is said as storage_full',
    async (call) => {
      const { ended, said } = await withError(call, 'ENOSPC', '2', 'mark.tmp');
      expect(ended).toBe(0);
      expect(said.refused).toEqual(['storage_full']);
      expect(said.logged).toHaveLength(3);
    },
  );

  it('that is full and stays full acknowledges and signs nothing more', async () => {
    const { ended, said } = await withError('pwrite64', 'ENOSPC', `${APPENDING.pwrite64}+`);
    expect(ended).toBe(0);
    expect(said.logged).toEqual([]);
    expect(said.refused).toEqual(['storage_full', 'storage_full', 'storage_full', 'storage_full']);
    expect(said.heads.map(({ size }) => size)).toEqual([0]);
  });
});
