import { describe, expect, test } from 'vitest';

import { GokeepError } from '../../src/errors.ts';
import { UpstreamChain } from '../../src/upstream/chain.ts';
import { DatabaseRoute } from '../../src/upstream/database-route.ts';
import type { DatabaseEntry } from '../../src/upstream/database-route.ts';
import type { GoProxyClient } from '../../src/upstream/goproxy-client.ts';
import { parseProxyList } from '../../src/upstream/proxy-list.ts';
import type { ProxySource } from '../../src/upstream/proxy-source.ts';
import { HostileUpstream } from './hostile-upstream.ts';
import type { Reply } from './hostile-upstream.ts';

const NAME = 'sum.example.com/private';
const SUPPORTED = `/sumdb/${NAME}/supported`;
const YES: Reply = { fault: 'ok', body: 'whatever' };
const NO: Reply = { fault: 'status', status: 404 };
const GONE: Reply = { fault: 'status', status: 410 };
const BROKEN: Reply = { fault: 'status', status: 500 };
const signal = new AbortController().signal;

function chain(proxies: string, milliseconds = 30_000): UpstreamChain {
  return new UpstreamChain({
    proxies: parseProxyList(proxies),
    userAgent: 'gokeep/test',
    pace: { headers: milliseconds, whole: milliseconds },
  });
}

describe('the way to a database', () => {
  // `a` and `b` stand for two proxies; the third column says who is asked for the file in the end.
  const cases: [string, Reply[], string][] = [
    ['a,b', [YES, YES], 'a'],
    ['a,b', [NO, YES], 'b'],
    ['a,b', [GONE, YES], 'b'],
    ['a,b', [BROKEN, YES], 'upstream_failed'],
    ['a|b', [BROKEN, YES], 'b'],
    ['a|b', [BROKEN, NO], 'upstream_failed'],
    ['a,b', [NO, NO], 'direct'],
    ['a,direct', [NO], 'direct'],
    ['a|direct', [BROKEN], 'direct'],
    ['direct', [], 'direct'],
    ['a,off', [NO], 'refused'],
    ['off', [], 'refused'],
  ];
  test.each(cases)('$0, $1 leads to $2', async (list, replies, expected) => {
    const asked: string[] = [];
    const entries = list.split(/[,|]/).map((word, i): DatabaseEntry => {
      if (word === 'direct' || word === 'off') return { kind: word };
      const status = replies[i]?.status;
      const client = {
        probeDatabase: async () => {
          if (status === 404) throw new GokeepError('not_found', '');
          if (status === 410) throw new GokeepError('gone', '');
          if (status === 500) throw new GokeepError('upstream_failed', '');
        },
        fetchDatabase: async (_name: string, path: string) => {
          asked.push(`${word} ${path}`);
          return Buffer.from(word);
        },
      } as unknown as GoProxyClient;
      return { kind: 'proxy', client, fallBackOnError: list.includes('|') };
    });
    const open = (): ProxySource => ({ read: async () => Buffer.from('direct') }) as unknown as ProxySource;
    const route = new DatabaseRoute(NAME, entries, open);
    const result = await route.fetch('/latest', signal, 100).then(String, (error: GokeepError) => error.code);
    expect(result).toBe(expected);
  });

  test('is asked for once, and kept for a while', async () => {
    await using upstream = await HostileUpstream.start();
    upstream.on(SUPPORTED, YES).on(`/sumdb/${NAME}/latest`, 'note').on(`/sumdb/${NAME}/tile/8/0/000`, 'tile');
    const client = chain(upstream.url);
    const fetch = client.sumdb(NAME, undefined);
    expect(await Promise.all([fetch('/latest', signal, 10), fetch('/tile/8/0/000', signal, 10)])).toEqual([
      Buffer.from('note'),
      Buffer.from('tile'),
    ]);
    await fetch('/latest', signal, 10);
    expect(upstream.targets.filter((target) => target === SUPPORTED)).toHaveLength(1);
    await client.close();
  });

  test('is asked for again when it has grown old', async () => {
    let now = 0;
    let probes = 0;
    const client = {
      probeDatabase: async () => void (probes += 1),
      fetchDatabase: async () => Buffer.alloc(0),
    } as unknown as GoProxyClient;
    const entries: DatabaseEntry[] = [{ kind: 'proxy', client, fallBackOnError: false }];
    const route = new DatabaseRoute(
      NAME,
      entries,
      () => ({}) as ProxySource,
      () => now,
    );
    await route.fetch('/latest', signal, 10);
    now = 59 * 60_000;
    await route.fetch('/latest', signal, 10);
    expect(probes).toBe(1);
    now = 61 * 60_000;
    await route.fetch('/latest', signal, 10);
    expect(probes).toBe(2);
  });

  test('to the database itself is opened once, however often it is looked for', async () => {
    let now = 0;
    let opened = 0;
    const open = (): ProxySource => {
      opened += 1;
      return { read: async () => Buffer.alloc(0) } as unknown as ProxySource;
    };
    const route = new DatabaseRoute(NAME, [], open, () => now);
    for (let hour = 0; hour < 5; hour++) {
      now = hour * 61 * 60_000;
      await route.fetch('/latest', signal, 10);
    }
    expect(opened).toBe(1);
  });

  test('is not remembered when it could not be found', async () => {
    await using upstream = await HostileUpstream.start();
    upstream.on(SUPPORTED, BROKEN, YES).on(`/sumdb/${NAME}/latest`, 'note');
    const client = chain(upstream.url);
    const fetch = client.sumdb(NAME, undefined);
    await expect(fetch('/latest', signal, 10)).rejects.toMatchObject({ code: 'upstream_failed' });
    expect(String(await fetch('/latest', signal, 10))).toBe('note');
    await client.close();
  });

  test('given as an address is used without asking any proxy', async () => {
    await using upstream = await HostileUpstream.start();
    await using database = await HostileUpstream.start();
    database.on('/base/lookup/example.com/!m@v1.0.0', 'record');
    const client = chain(upstream.url);
    const fetch = client.sumdb(NAME, `${database.url}/base/`);
    expect(String(await fetch('/lookup/example.com/!m@v1.0.0', signal, 10))).toBe('record');
    expect(upstream.requests).toHaveLength(0);
    await client.close();
  });
});

describe('a file of a database', () => {
  const cases: [Reply, string][] = [
    [{ fault: 'status', status: 404, body: 'unknown' }, 'not_found'],
    [{ fault: 'status', status: 410 }, 'gone'],
    [{ fault: 'status', status: 403 }, 'upstream_refused'],
    [{ fault: 'status', status: 500 }, 'upstream_failed'],
    [{ fault: 'ok', body: 'longer than ten bytes' }, 'upstream_failed'],
    [{ fault: 'truncated' }, 'upstream_unreachable'],
    [{ fault: 'hangInBody' }, 'upstream_timeout'],
  ];
  test.each(cases)('answered with %j fails with %s', async (reply, code) => {
    await using database = await HostileUpstream.start();
    database.on('/latest', reply);
    const client = chain('off', reply.fault === 'hangInBody' ? 500 : 30_000);
    const fetch = client.sumdb(NAME, database.url);
    await expect(fetch('/latest', signal, reply.fault === 'hangInBody' ? 1e9 : 10)).rejects.toMatchObject({
      code,
    });
    await client.close();
  });

  test('is given up with its caller, and the probe goes on for the others', async () => {
    await using upstream = await HostileUpstream.start();
    upstream.on(SUPPORTED, { fault: 'hangBeforeHead' });
    const client = chain(upstream.url, 1000);
    const fetch = client.sumdb(NAME, undefined);
    const impatient = fetch('/latest', AbortSignal.timeout(30), 10);
    const patient = fetch('/latest', signal, 10);
    await expect(impatient).rejects.toMatchObject({ code: 'busy' });
    await expect(patient).rejects.toMatchObject({ code: 'upstream_timeout' });
    await client.close();
  });
});

test.each(['ftp://sum.example.com', 'http://user:pw@sum.example.com', 'not a url'])(
  '%s is no address of a database',
  async (address) => {
    const fetch = chain('off').sumdb(NAME, address);
    await expect(fetch('/latest', signal, 10)).rejects.toMatchObject({ code: 'bad_config' });
  },
);
