import { expect, test } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { UpstreamChain } from '../../src/upstream/chain.ts';
import { LastHour } from '../../src/upstream/last-hour.ts';
import { parseProxyList } from '../../src/upstream/proxy-list.ts';
import { WatchedUpstream } from '../../src/upstream/watched.ts';
import { HostileUpstream, type Reply } from './hostile-upstream.ts';

const TARGET = '/example.com/m/@v/v1.0.0.info';
const REQUEST = { kind: 'info', path: 'example.com/m', version: 'v1.0.0' } as const;
const NAME = { kind: 'proxy', display: 'it', private: false, match: [] } as const;

/** One upstream after the other, with clocks that the test sets. */
async function watchedChain(separator: string, count: number) {
  const upstreams = await Promise.all(Array.from({ length: count }, () => HostileUpstream.start()));
  const clock = { now: 1e12, monotonic: 0 };
  const clocks = { now: () => clock.now, monotonic: () => clock.monotonic };
  const watched = upstreams.map((_, n) => new WatchedUpstream({ ...NAME, id: String(n) }, clocks));
  const chain = new UpstreamChain({
    proxies: parseProxyList(upstreams.map(({ url }) => url).join(separator)),
    watched,
    userAgent: 'gokeep/test',
    pace: { headers: 300, whole: 300 },
  });
  return {
    clock,
    health: (n = 0) => watched[n]!.health(),
    ask: async (...replies: Reply[]) => {
      for (const [n, reply] of replies.entries()) upstreams[n]!.on(TARGET, reply);
      await chain.fetch(REQUEST, {}).catch(() => undefined);
    },
    [Symbol.asyncDispose]: async () => {
      await chain.close();
      await Promise.all(upstreams.map((each) => each[Symbol.asyncDispose]()));
    },
  };
}

const OK: Reply = { fault: 'ok', body: '{"Version":"v1.0.0"}' };

test('an upstream is unused, works, fails with its reason, hangs, and works again', async () => {
  await using one = await watchedChain(',', 1);
  expect(one.health()).toMatchObject({ condition: 'unused', requests: 0, lastSuccess: undefined });
  await one.ask(OK);
  expect(one.health()).toMatchObject({ condition: 'works', lastSuccess: 1e12, requests: 1 });
  one.clock.now += 5_000;
  const body = 'no https://me:hunter2@upstream.test for you\nmore\n';
  await one.ask({ fault: 'status', status: 401, body });
  const { condition, failures, lastFailure } = one.health();
  expect({ condition, failures }).toEqual({ condition: 'fails', failures: 1 });
  expect(lastFailure).toMatchObject({ at: 1e12 + 5_000, code: 'upstream_refused' });
  expect(lastFailure?.reason).toContain('401');
  expect(lastFailure?.reason).not.toContain('hunter2');
  const hanging = one.ask({ fault: 'hangBeforeHead' });
  expect(one.health()).toMatchObject({ waiting: 1 });
  await hanging;
  expect(one.health()).toMatchObject({ condition: 'fails', waiting: 0, failures: 2 });
  expect(one.health().lastFailure?.code).toBe('upstream_timeout');
  await one.ask({ fault: 'status', status: 404, body: 'none\n' });
  expect(one.health()).toMatchObject({ condition: 'works', requests: 4, failures: 2 });
});

test('one that lets a request wait for longer than answers take is said to wait', async () => {
  const clock = { now: 0, monotonic: 0 };
  const one = new WatchedUpstream(
    { ...NAME, id: '1' },
    { now: () => clock.now, monotonic: () => clock.monotonic },
  );
  await one.ask(async () => 1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const asked = one.ask(() => promise);
  clock.monotonic += 9_000;
  expect(one.health().condition).toBe('works');
  clock.monotonic += 2_000;
  expect(one.health()).toMatchObject({ condition: 'waiting', waiting: 1, waitsFor: 11_000 });
  resolve();
  await asked;
  expect(one.health()).toMatchObject({ condition: 'works', latency: 5_500, slowest: 11_000 });
  clock.monotonic += 3_700_000;
  expect(one.health()).toMatchObject({ requests: 0, latency: undefined, slowest: undefined });
  expect(one.totals).toMatchObject({ requests: 2, ms: 11_000 });
});

test('what is given up, or wrong on our side, says nothing about an upstream', async () => {
  const one = new WatchedUpstream({ ...NAME, id: '1' }, { now: () => 0, monotonic: () => 0 });
  for (const code of ['busy', 'storage_full', 'refused', 'bad_version'] as const)
    await expect(one.ask(() => Promise.reject(new GokeepError(code, 'x')))).rejects.toThrow('x');
  expect(one.health()).toMatchObject({ condition: 'unused', requests: 0, failures: 0, waiting: 0 });
});

test('requests that go on to the next entry are counted', async () => {
  await using two = await watchedChain('|', 2);
  await two.ask({ fault: 'status', status: 500, body: 'oops\n' }, OK);
  await two.ask({ fault: 'status', status: 404, body: 'none\n' }, { fault: 'status', status: 404, body: '' });
  expect(two.health(0)).toMatchObject({ requests: 2, failures: 1, fellThrough: 2 });
  expect(two.health(1)).toMatchObject({ requests: 2, failures: 0, fellThrough: 0 });
});

test('an hour is counted by the minute, and what is older is forgotten', () => {
  let now = 0;
  const hour = new LastHour(['a', 'b'], () => now);
  hour.add('a', 2);
  hour.add('b', 5);
  now = 59.9 * 60_000;
  hour.add('a', 1);
  expect([hour.sum('a'), hour.sum('b')]).toEqual([3, 5]);
  now = 60 * 60_000;
  hour.add('a', 1);
  expect([hour.sum('a'), hour.sum('b')]).toEqual([2, 0]);
  now = 1e9;
  expect(hour.sum('a')).toBe(0);
});
