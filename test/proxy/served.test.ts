import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { Served, type ServedMark } from '../../src/proxy/served.ts';
import type { ServedOn } from '../../src/store/served-table.ts';

const DAY = 86_400_000;

let disk: ServedOn[];
let full: boolean;
let hidden: string[];

beforeEach(() => {
  vi.useFakeTimers({ now: 20_000 * DAY + 5 });
  disk = [];
  full = false;
  hidden = [];
});

afterEach(() => {
  vi.useRealTimers();
});

const start = () =>
  new Served({
    write: async (files) => {
      if (full) throw new GokeepError('storage_full', 'full');
      disk.push(...files);
    },
    now: Date.now,
    onHiddenError: (_error, what) => hidden.push(what),
  });

const mark = (version = 'v1.0.0'): ServedMark => ({ path: 'a.test/m', version, kind: 'mod', day: -1 });

describe('what was served', () => {
  it('is written once a day, however many marks of it there are', async () => {
    const served = start();
    const first = mark();
    for (const one of [first, mark(), first]) served.note(one);
    expect(first.day).toBe(served.today);
    await vi.advanceTimersByTimeAsync(10_000);
    served.note(mark());
    await served.close();
    expect(disk).toEqual([{ path: 'a.test/m', version: 'v1.0.0', kind: 'mod', day: 20_000 }]);
  });

  it('knows the day by a clock of its own, and writes the next one too', async () => {
    const served = start();
    const first = mark();
    served.note(first);
    await vi.advanceTimersByTimeAsync(DAY);
    expect(served.today).toBe(20_001);
    expect(first.day).not.toBe(served.today);
    served.note(first);
    await served.close();
    expect(disk.map(({ day }) => day)).toEqual([20_000, 20_001]);
  });

  it('waits for room on a full disk, and only the log hears of it', async () => {
    const served = start();
    full = true;
    served.note(mark());
    await vi.advanceTimersByTimeAsync(5_000);
    expect(hidden).toEqual(['remembering what was served']);
    full = false;
    await served.close();
    expect(disk).toHaveLength(1);
  });
});
