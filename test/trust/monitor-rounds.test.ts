import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Incident } from '../../src/store/log-records.ts';
import type { Round } from '../../src/trust/monitor.ts';
import { MonitorRounds, type MonitorRoundsOptions } from '../../src/trust/monitor-rounds.ts';

const HOUR = 3_600_000;
const incident = { kind: 'tag' } as Incident;
const round = (...fresh: Incident[]): Round => ({
  repositories: 1,
  same: 1,
  untagged: 0,
  unknown: 0,
  incidents: fresh,
  fresh,
  troubles: [],
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function start(o: Partial<MonitorRoundsOptions> = {}) {
  const errors: string[] = [];
  const rounds = new MonitorRounds({
    every: HOUR,
    round: async () => round(),
    onRound: () => undefined,
    tell: undefined,
    onError: (_, what) => errors.push(what),
    ...o,
  });
  return { rounds, errors };
}

describe('rounds of the monitor in a server', () => {
  it('begin a minute after the start, and then go by the period, one at a time', async () => {
    const began: number[] = [];
    const from = Date.now();
    const { rounds } = start({
      round: async () => {
        began.push(Date.now() - from);
        await new Promise((resolve) => {
          setTimeout(resolve, 2 * HOUR);
        });
        return round();
      },
    });
    await vi.advanceTimersByTimeAsync(7 * HOUR);
    expect(began).toEqual([60_000, 60_000 + 3 * HOUR, 60_000 + 6 * HOUR]);
    const closed = rounds[Symbol.asyncDispose]();
    await vi.advanceTimersByTimeAsync(3 * HOUR);
    await closed;
    expect(began.length).toBe(3);
  });

  it('go on after one that failed, which is told', async () => {
    const results = [Promise.reject(new Error('disk')), Promise.resolve(round())];
    results[0]!.catch(() => undefined);
    const ended: Round[] = [];
    const { rounds, errors } = start({ round: () => results.shift()!, onRound: (one) => ended.push(one) });
    await vi.advanceTimersByTimeAsync(60_000 + HOUR);
    expect(errors).toEqual(['a round of the monitor']);
    expect(ended.length).toBe(1);
    await rounds[Symbol.asyncDispose]();
  });

  it('tell what is new, and what could not be told before with it', async () => {
    const results = [round(incident), round(), round({ ...incident, version: 'v2.0.0' })];
    const told: number[] = [];
    let works = false;
    const { rounds, errors } = start({
      round: async () => results.shift() ?? round(),
      tell: async (incidents) => {
        if (!works) throw new Error('down');
        told.push(incidents.length);
      },
    });
    await vi.advanceTimersByTimeAsync(60_000 + HOUR);
    expect(errors).toEqual(['telling the webhook', 'telling the webhook']);
    works = true;
    await vi.advanceTimersByTimeAsync(2 * HOUR);
    expect(told).toEqual([2]);
    await rounds[Symbol.asyncDispose]();
  });

  it('are given up when the server is closed, which is no failure', async () => {
    const { rounds, errors } = start({
      round: (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('given up')));
        }),
    });
    await vi.advanceTimersByTimeAsync(60_000);
    await rounds[Symbol.asyncDispose]();
    expect(errors).toEqual([]);
  });
});
