import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WriteBehind } from '../../src/proxy/write-behind.ts';

let disk: string[][];
let fails: boolean;
let hidden: unknown[];

beforeEach(() => {
  vi.useFakeTimers();
  disk = [];
  fails = false;
  hidden = [];
});

afterEach(() => {
  vi.useRealTimers();
});

const start = (most = 100) =>
  new WriteBehind<string>({
    most,
    every: 1_000,
    write: async (entries) => {
      if (fails) throw new Error('full');
      disk.push([...entries]);
    },
    merge: (older, newer) => `${older}+${newer}`,
    onHiddenError: (error) => hidden.push(error),
  });

describe('what is written behind', () => {
  it('waits for the next turn, and is written together', async () => {
    const written = start();
    for (const key of ['a', 'b', 'a']) written.put(key, key);
    expect(disk).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(disk).toEqual([['a+a', 'b']]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(disk).toHaveLength(1);
  });

  it('is written at the end, also what came while something was being written', async () => {
    const written = start();
    written.put('a', 'a');
    vi.advanceTimersByTime(1_000);
    written.put('b', 'b');
    await written.close();
    expect(disk).toEqual([['a'], ['b']]);
  });

  it('fails without a word to who put it in, and is tried again later, united with what came since', async () => {
    const written = start();
    fails = true;
    written.put('a', 'a');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(hidden).toEqual([new Error('full')]);
    fails = false;
    written.put('a', 'again');
    written.put('b', 'b');
    await vi.advanceTimersByTimeAsync(11_000);
    expect(disk).toEqual([]);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(disk).toEqual([['a+again', 'b']]);
    expect(hidden).toHaveLength(1);
  });

  it('is bounded while nothing can be written: the oldest give way', async () => {
    const written = start(10);
    fails = true;
    for (let n = 0; n < 1_000; n++) {
      written.put(`k${n}`, `k${n}`);
      if (n % 100 === 0) await vi.advanceTimersByTimeAsync(1_000);
    }
    await vi.advanceTimersByTimeAsync(60_000);
    fails = false;
    await written.close();
    expect(disk.flat()).toEqual(Array.from({ length: 10 }, (_, n) => `k${990 + n}`));
  });

  it('is written early when much of it waits, so that nothing of a burst is dropped', async () => {
    vi.useRealTimers();
    const written = start(100);
    for (let n = 0; n < 1_000; n++) {
      written.put(`k${n}`, `k${n}`);
      if (n % 40 === 39) await sleep(1);
    }
    await written.close();
    expect(disk.flat()).toHaveLength(1_000);
  });
});
