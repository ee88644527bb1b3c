import type { HistoryRow } from '../../src/store/history-table.ts';
import type { UpstreamHealth } from '../../src/upstream/watched.ts';
import type { Status } from '../../src/web/status.ts';

/** NOW of made-site.ts, which needs this file. */
const NOW = Date.UTC(2026, 5, 1);

export function madeHealth(o: Partial<UpstreamHealth> = {}): UpstreamHealth {
  return {
    id: '1.1',
    kind: 'proxy',
    display: 'https://upstream.test',
    private: false,
    match: [],
    condition: 'works',
    lastSuccess: NOW - 30_000,
    lastFailure: undefined,
    waiting: 0,
    waitsFor: 0,
    requests: 1200,
    failures: 3,
    fellThrough: 40,
    latency: 84,
    slowest: 2300,
    ...o,
  };
}

export function madeRow(at: number, o: Partial<HistoryRow> = {}): HistoryRow {
  const none = { memory: 0, store: 0, upstream: 0, stale: 0, absent: 0, refused: 0, failed: 0 };
  return { at, records: 0, versions: undefined, bytes: undefined, ...none, ...o };
}

/** How a server does that was just started, unless told otherwise. */
export function madeStatus(o: Partial<Status> = {}): Status {
  return {
    offline: false,
    upstreams: () => [],
    heldBack: () => [],
    database: () => undefined,
    stale: () => 0,
    monitor: () => undefined,
    history: () => [],
    current: () => madeRow(NOW),
    usage: async () => ({ since: 0, modules: [], clients: [] }),
    ...o,
  };
}

const DAY = 86_400_000;

/** A server that has run for 80 days, with much that is wrong. */
export function busyStatus(): Status {
  const grown = (n: number) => ({
    records: Math.round(400 + 12 * n),
    versions: Math.round(300 + 9 * n),
    bytes: Math.round(2e8 + 7e6 * n),
  });
  const asked = (n: number) => ({
    memory: 900 + 400 * (n % 7),
    store: 300 + 30 * (n % 5),
    upstream: 120 - (n % 9) * 5,
    stale: n % 11 === 0 ? 25 : 0,
    absent: 40,
    refused: n % 4,
    failed: n % 13 === 0 ? 30 : 1,
  });
  const days = Array.from({ length: 80 }, (_, n) =>
    madeRow(NOW - (79 - n) * DAY, { ...grown(n), ...asked(n) }),
  );
  // It stood still for a while.
  const hours = Array.from({ length: 240 }, (_, n) =>
    madeRow(NOW - (239 - n) * 3_600_000, { ...grown(70 + n / 24), ...asked(n) }),
  );
  const ran = hours.filter((_, n) => n < 150 || n > 175);
  return madeStatus({
    upstreams: () => [
      madeHealth({
        condition: 'fails',
        failures: 31,
        lastFailure: {
          at: NOW - 60_000,
          code: 'upstream_failed',
          reason:
            'Module example.test/secret could not be fetched from https://upstream.test: it answered with status 502',
        },
      }),
      madeHealth({
        id: '1.2',
        kind: 'direct',
        display: 'direct',
        condition: 'unused',
        requests: 0,
        failures: 0,
        fellThrough: 0,
        latency: undefined,
        slowest: undefined,
        lastSuccess: undefined,
      }),
      madeHealth({
        id: '2.1',
        private: true,
        display: `https://artifacts.corp.test/api/go/${'long-'.repeat(20)}`,
        match: ['corp.test/*'],
        condition: 'waiting',
        waiting: 3,
        waitsFor: 14_000,
      }),
    ],
    heldBack: () => [
      {
        host: 'https://git.corp.test',
        private: true,
        code: 'upstream_timeout',
        why: 'Module corp.test/secret could not be fetched: git.corp.test did not answer in time',
        heldBack: 21_000,
      },
    ],
    database: () => ({
      name: 'sum.golang.org',
      health: madeHealth({ id: 'sumdb', kind: 'database', display: 'sum.golang.org' }),
      size: 71_848_828,
      seenAt: NOW - 3 * 3_600_000,
      forked: false,
    }),
    stale: () => 25,
    monitor: () => ({
      every: 6 * 3_600_000,
      last: {
        at: NOW - 2 * 3_600_000,
        repositories: 12,
        same: 340,
        untagged: 2,
        unknown: 0,
        differ: 1,
        troubles: 1,
      },
    }),
    history: (span, from, to) => (span === 'hour' ? ran : days).filter(({ at }) => at >= from && at < to),
    current: () => madeRow(NOW, { ...grown(80), memory: 30 }),
    usage: async () => ({
      since: 20_570,
      modules: [
        { path: 'private.test/a', clients: 31, versions: 4, downloads: 77, lastDay: 20_599 },
        { path: 'example.test/Team/m', clients: 12, versions: 2, downloads: 20, lastDay: 20_598 },
      ],
      clients: [
        { name: 'token:ci', modules: 2, downloads: 70, lastDay: 20_599 },
        { name: 'anonymous', modules: 1, downloads: 27, lastDay: 20_599 },
      ],
    }),
  });
}
