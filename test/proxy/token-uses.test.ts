import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TokenUses } from '../../src/proxy/token-uses.ts';
import type { TokenUse } from '../../src/store/token-use-table.ts';

const DAY = 86_400_000;

beforeEach(() => vi.useFakeTimers({ now: 20_000 * DAY }));
afterEach(() => {
  vi.useRealTimers();
});

describe('uses of tokens', () => {
  it('are written once a day for each', async () => {
    const disk: TokenUse[] = [];
    const uses = new TokenUses({
      write: async (more) => {
        disk.push(...more);
      },
      now: Date.now,
      onHiddenError: (error) => {
        throw error;
      },
    });
    for (const token of ['a', 'b', 'a']) uses.note(token);
    await vi.advanceTimersByTimeAsync(10_000);
    uses.note('a');
    await vi.advanceTimersByTimeAsync(DAY);
    expect(uses.today).toBe(20_001);
    uses.note('a');
    await uses.close();
    expect(disk).toEqual([
      { token: 'a', day: 20_000 },
      { token: 'b', day: 20_000 },
      { token: 'a', day: 20_001 },
    ]);
  });
});
