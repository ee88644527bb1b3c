import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

import type { GokeepError } from '../../src/errors.ts';
import { UpstreamChain } from '../../src/upstream/chain.ts';
import type { UpstreamOptions } from '../../src/upstream/chain.ts';
import { parseProxyList } from '../../src/upstream/proxy-list.ts';
import { HostileUpstream } from './hostile-upstream.ts';
import type { Fault, Reply } from './hostile-upstream.ts';

const PATH = 'example.com/m';
const INFO = '{"Version":"v1.0.0","Time":"2024-02-29T12:00:00Z","Origin":{"VCS":"git"}}\n';
const ZIP = Buffer.from('PK\u0003\u0004 and so on');
const RATE = { bytesPerSecond: 1000, window: 150 };
/** Long enough for a busy machine, for all that is not about time. */
const PATIENT = { headers: 30_000, whole: 30_000, zip: 30_000, minimumRate: { ...RATE, window: 30_000 } };
const HASTY = { ...PATIENT, headers: 400, whole: 500, minimumRate: RATE };

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gokeep-client-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

function chain(proxies: string, options: Partial<UpstreamOptions> = {}): UpstreamChain {
  return new UpstreamChain({
    proxies: parseProxyList(proxies),
    userAgent: 'gokeep/test',
    pace: PATIENT,
    ...options,
  });
}

type Kind = 'info' | 'mod' | 'list' | 'latest' | 'zip';

async function get(upstream: UpstreamChain, kind: Kind, version = 'v1.0.0', path = PATH): Promise<Buffer> {
  if (kind !== 'zip') {
    const request = kind === 'list' || kind === 'latest' ? { kind, path } : { kind, path, version };
    return (await upstream.fetch(request, {})).body;
  }
  const name = join(directory, 'download.zip');
  const file = await open(name, 'w');
  try {
    const { bytes } = await upstream.fetchZip(path, version, file, {});
    const content = await readFile(name);
    expect(content.length).toBe(bytes);
    return content;
  } catch (error) {
    expect(await readFile(name)).toHaveLength(0);
    throw error;
  } finally {
    await file.close();
  }
}

const TARGETS: Record<Kind, string> = {
  info: '/example.com/m/@v/v1.0.0.info',
  mod: '/example.com/m/@v/v1.0.0.mod',
  list: '/example.com/m/@v/list',
  latest: '/example.com/m/@latest',
  zip: '/example.com/m/@v/v1.0.0.zip',
};

async function outcome(kind: Kind, reply: Reply, pace = PATIENT): Promise<Buffer | GokeepError> {
  await using upstream = await HostileUpstream.start();
  upstream.on(TARGETS[kind], reply);
  const client = chain(upstream.url, { pace });
  try {
    return await get(client, kind).catch((error: unknown) => error as GokeepError);
  } finally {
    await client.close();
  }
}

async function code(kind: Kind, reply: Reply, pace = PATIENT): Promise<string> {
  const result = await outcome(kind, reply, pace);
  return Buffer.isBuffer(result) ? 'success' : result.code;
}

describe('an answer that is none', () => {
  const cases: [Kind, Fault, string, Partial<Reply>?][] = [
    ['info', 'ok', 'success', { body: INFO }],
    ['info', 'untilClose', 'success', { body: INFO }],
    ['info', 'gzip', 'success', { body: INFO }],
    ['info', 'html', 'upstream_failed'],
    ['list', 'html', 'upstream_failed'],
    ['mod', 'html', 'upstream_failed'],
    ['zip', 'html', 'upstream_failed'],
    ['info', 'empty', 'upstream_failed'],
    ['mod', 'empty', 'upstream_failed'],
    ['zip', 'empty', 'upstream_failed'],
    ['list', 'empty', 'success'],
    ['list', 'zeros', 'upstream_failed'],
    ['mod', 'zeros', 'upstream_failed'],
    ['zip', 'zeros', 'upstream_failed'],
    ['info', 'wrongVersion', 'upstream_failed'],
    ['latest', 'wrongVersion', 'upstream_failed'],
    ['info', 'corrupt', 'upstream_failed', { body: '{"Version":"v1.0.0"}' }],
    ['info', 'garbage', 'upstream_failed'],
    ['info', 'truncated', 'upstream_unreachable', { body: INFO }],
    ['zip', 'truncated', 'upstream_unreachable', { body: ZIP }],
    ['list', 'cutChunk', 'upstream_unreachable', { body: 'v1.0.0\n' }],
    ['zip', 'cutChunk', 'upstream_unreachable', { body: ZIP }],
    ['info', 'twoLengths', 'upstream_failed'],
    ['info', 'lengthAndChunks', 'upstream_failed'],
    ['info', 'slow', 'upstream_timeout'],
    ['zip', 'slow', 'upstream_timeout', { body: ZIP }],
    ['info', 'hangBeforeHead', 'upstream_timeout'],
    ['info', 'halfHead', 'upstream_timeout'],
    ['info', 'earlyHints', 'upstream_timeout'],
    ['info', 'hangInBody', 'upstream_timeout'],
    ['zip', 'hangInBody', 'upstream_timeout', { body: ZIP }],
    ['info', 'reset', 'upstream_unreachable'],
    ['zip', 'resetInBody', 'upstream_unreachable', { body: ZIP }],
    ['info', 'closeUnanswered', 'upstream_unreachable'],
    ['info', 'hugeHeaders', 'upstream_failed'],
    ['list', 'gzipBomb', 'upstream_failed'],
    ['list', 'stackedEncodings', 'upstream_failed', { body: 'v1.0.0\n' }],
    ['list', 'unknownEncoding', 'upstream_failed', { body: 'v1.0.0\n' }],
    ['zip', 'gzip', 'upstream_failed', { body: ZIP }],
    ['zip', 'unknownEncoding', 'upstream_failed', { body: ZIP }],
    ['list', 'endlessList', 'upstream_failed'],
    ['info', 'hugeInfo', 'upstream_failed'],
    ['info', 'redirect', 'upstream_failed'],
    ['info', 'redirectAndHang', 'not_found', { location: '/elsewhere' }],
  ];
  test.each(cases)('%s: %s gives %s', async (kind, fault, expected, more) => {
    const pace = expected === 'upstream_timeout' ? HASTY : PATIENT;
    expect(await code(kind, { fault, ...more }, pace)).toBe(expected);
  });
});

describe('a status', () => {
  const cases: [number, string][] = [
    [201, 'upstream_failed'],
    [204, 'upstream_failed'],
    [206, 'upstream_failed'],
    [304, 'upstream_failed'],
    [400, 'upstream_failed'],
    [401, 'upstream_refused'],
    [403, 'upstream_refused'],
    [404, 'not_found'],
    [407, 'upstream_failed'],
    [410, 'gone'],
    [429, 'upstream_failed'],
    [500, 'upstream_failed'],
    [502, 'upstream_failed'],
    [503, 'upstream_failed'],
    [504, 'upstream_failed'],
  ];
  test.each(cases)('%i gives %s, after one request and never another', async (status, expected) => {
    await using upstream = await HostileUpstream.start();
    // A right answer under the wrong status is none.
    const body = status === 204 || status === 304 ? '' : INFO;
    upstream.on(TARGETS.info, { fault: 'status', status, body });
    const client = chain(upstream.url);
    await expect(get(client, 'info')).rejects.toMatchObject({ code: expected });
    expect(upstream.requests).toHaveLength(1);
    await client.close();
  });

  test('404 carries its text byte for byte, up to 8 KiB', async () => {
    const body = 'not found: example.com/m@v1.0.0: unknown revision\n\tsecond line — ü\n';
    expect(await outcome('info', { fault: 'status', status: 404, body })).toMatchObject({ verbatim: body });
    const long = await outcome('info', { fault: 'status', status: 404, body: 'ü'.repeat(10_000) });
    expect(long).toMatchObject({ code: 'not_found', verbatim: 'ü'.repeat(4096) });
  });

  test.each(['text/html', 'application/json', '', 'text/plain; charset=iso-8859-1'])(
    '404 of type "%s" carries no text',
    async (type) => {
      const result = await outcome('info', { fault: 'status', status: 410, type, body: 'x' });
      expect(result).toMatchObject({ code: 'gone', verbatim: undefined });
    },
  );

  test('a failure says upstream’s reason in one clean line', async () => {
    const body = 'quota \u001b[31mused\u202e up at https://me:secret@host/x.\nmore\n';
    const result = await outcome('info', { fault: 'status', status: 503, body });
    expect(result).toMatchObject({
      message: expect.stringContaining('status 503 (quota [31mused up at https://host/x)') as string,
    });
    expect(String(result)).toContain('example.com/m@v1.0.0');
  });

  test('a body that hangs does not hide a 404', async () => {
    const result = await outcome('info', { fault: 'hangInBody', status: 404 }, { ...PATIENT, whole: 500 });
    expect(result).toMatchObject({ code: 'not_found' });
  });
});

describe('.info', () => {
  const asked = (body: string): Promise<string> => code('info', { fault: 'ok', body });
  test.each([
    ['{"Version":"v1.0.0"}', 'success'],
    ['{"version":"v1.0.0"}', 'success'],
    ['{"Version":"v1.0.0","Time":null}', 'success'],
    ['{"Version":"v1.0.0","Time":"2024-01-01T00:00:00.123456789+01:00"}', 'success'],
    ['{"Version":"v1.0.0","Time":"yesterday"}', 'upstream_failed'],
    ['{"Version":"v1.0.0","Time":"2023-02-29T00:00:00Z"}', 'upstream_failed'],
    ['{"Version":"v1.0.0","Time":"2023-01-01T24:00:00Z"}', 'upstream_failed'],
    ['{"Version":"v1.0.0","Time":"2023-01-01 00:00:00Z"}', 'upstream_failed'],
    ['{"Version":"v1.0.0","Time":5}', 'upstream_failed'],
    ['{"Version":"v1.0.0","version":"v6.6.6"}', 'upstream_failed'],
    ['{"Version":"v1.0.0","Time":null,"TIME":"x"}', 'upstream_failed'],
    ['{"Version":"v1.0.1"}', 'upstream_failed'],
    ['{"Version":["v1.0.0"]}', 'upstream_failed'],
    ['["v1.0.0"]', 'upstream_failed'],
    ['null', 'upstream_failed'],
    ['{}', 'upstream_failed'],
    ['v1.0.0', 'upstream_failed'],
    ['\uFEFF{"Version":"v1.0.0"}', 'upstream_failed'],
  ])('%s gives %s', async (body, expected) => {
    expect(await asked(body)).toBe(expected);
  });

  test('is kept byte for byte', async () => {
    expect(await outcome('info', { fault: 'ok', body: INFO })).toEqual(Buffer.from(INFO));
  });

  test.each([
    ['v2.0.0', 'upstream_failed'],
    ['main', 'upstream_failed'],
    ['v1.2', 'upstream_failed'],
    ['v1.5.0', 'success'],
    ['v0.0.0-20240102030405-abcdef123456', 'success'],
    ['v3.0.0+incompatible', 'success'],
  ])('of a branch may name %s: %s', async (version, expected) => {
    await using upstream = await HostileUpstream.start();
    upstream.on('/example.com/m/@v/main.info', JSON.stringify({ Version: version }));
    const client = chain(upstream.url);
    const result = await get(client, 'info', 'main').then(
      () => 'success',
      (error: GokeepError) => error.code,
    );
    expect(result).toBe(expected);
    await client.close();
  });
});

describe('list', () => {
  test('keeps versions of this module once, in upstream’s order, and nothing else', async () => {
    const body = [
      'v1.0.0',
      'v1.2.0-rc.1 2024-01-01T00:00:00Z',
      'v1.1.0\r',
      'v1.0.0',
      'v0.0.0-20240102030405-abcdef123456',
      'v2.0.0',
      'v2.0.0+incompatible',
      'v1.0',
      'v1.0.0+meta',
      'junk',
      '',
    ].join('\n');
    expect(String(await outcome('list', { fault: 'ok', body }))).toBe(
      'v1.0.0\nv1.2.0-rc.1\nv1.1.0\nv2.0.0+incompatible\n',
    );
  });

  test('of a module without tags is empty', async () => {
    expect(await outcome('list', { fault: 'ok', body: '\n' })).toEqual(Buffer.alloc(0));
    expect(await outcome('list', { fault: 'ok', body: 'v0.0.0-20240102030405-abcdef123456\n' })).toEqual(
      Buffer.alloc(0),
    );
  });

  test('that holds no version at all is garbage', async () => {
    expect(await code('list', { fault: 'ok', body: '{"error":"overloaded"}\n' })).toBe('upstream_failed');
  });
});

describe('.mod', () => {
  test.each([
    ['module example.com/m\n', 'success'],
    ['module example.com/the-original // a fork\n\ngo 1.21\n\nunknown directive\n', 'success'],
    ['// nothing\n', 'upstream_failed'],
    ['{"error": "overloaded"}\n', 'upstream_failed'],
    ['module "unfinished\n', 'upstream_failed'],
  ])('%j gives %s', async (body, expected) => {
    expect(await code('mod', { fault: 'ok', body })).toBe(expected);
  });

  test('of golang.org/toolchain may be empty', async () => {
    await using upstream = await HostileUpstream.start();
    const version = 'v0.0.1-go1.26.8.linux-amd64';
    upstream.on(`/golang.org/toolchain/@v/${version}.mod`, { fault: 'empty' });
    const client = chain(upstream.url);
    expect(await get(client, 'mod', version, 'golang.org/toolchain')).toHaveLength(0);
    await client.close();
  });
});

test.each(['slow', 'hangInBody'] as const)(
  'a zip that is %s is given up by its rate, long before its deadline',
  async (fault) => {
    const body = Buffer.concat([ZIP, Buffer.alloc(200)]);
    expect(String(await outcome('zip', { fault, body }, { ...PATIENT, minimumRate: RATE }))).toContain(
      'sending too slowly',
    );
  },
);

test('a zip that takes longer than its deadline is given up, however fast it comes', async () => {
  await using upstream = await HostileUpstream.start();
  upstream.on(TARGETS.zip, { fault: 'slow', body: Buffer.concat([ZIP, Buffer.alloc(1000)]) });
  const pace = { ...PATIENT, zip: 300 };
  const client = chain(upstream.url, { pace });
  await expect(get(client, 'zip')).rejects.toMatchObject({
    code: 'upstream_timeout',
    message: expect.stringContaining('took too long') as string,
  });
  await client.close();
});

test('a request is sent escaped, below the base’s path, with its query and our user agent', async () => {
  await using upstream = await HostileUpstream.start();
  const client = chain(`${upstream.url}/base//x/?tenant=1`);
  const failed = get(client, 'info', 'v1.0.0-RC1+incompatible', 'example.com/BurntSushi/m');
  await expect(failed).rejects.toMatchObject({ code: 'not_found' });
  const [request] = upstream.requests;
  expect(request?.method).toBe('GET');
  expect(request?.target).toBe(
    '/base/x/example.com/!burnt!sushi/m/@v/v1.0.0-!r!c1+incompatible.info?tenant=1',
  );
  expect(request?.headers).toMatchObject({ 'user-agent': 'gokeep/test', 'accept-encoding': 'identity' });
  expect(request?.headers).not.toHaveProperty('authorization');
  await client.close();
});

test.each(['twoResponses', 'unsolicited'] as const)(
  '%s: an unsolicited response on an idle connection is never the answer to another request',
  async (fault) => {
    await using upstream = await HostileUpstream.start();
    upstream.on(TARGETS.list, { fault, body: 'v1.0.0\n' });
    upstream.on(TARGETS.info, INFO);
    const client = chain(upstream.url);
    for (let i = 0; i < 3; i += 1) {
      // Two responses in one segment may make the first unusable; what matters is the next request.
      const list = await get(client, 'list').catch(() => Buffer.from('v1.0.0\n'));
      expect(String(list)).toBe('v1.0.0\n');
      await new Promise((resolve) => {
        setTimeout(resolve, 80);
      });
      expect(String(await get(client, 'info'))).toBe(INFO);
    }
    await client.close();
  },
);

test('bytes beyond the declared length never become the answer to another request', async () => {
  await using upstream = await HostileUpstream.start();
  upstream.on(TARGETS.list, { fault: 'longerThanDeclared', body: 'v1.0.0\n\n' });
  upstream.on(TARGETS.info, INFO);
  const client = chain(upstream.url);
  await get(client, 'list').catch(() => undefined);
  expect(String(await get(client, 'info'))).toBe(INFO);
  await client.close();
});

test('the caller’s signal ends a fetch with busy, also while it waits for its turn', async () => {
  await using upstream = await HostileUpstream.start();
  upstream.on(TARGETS.info, { fault: 'hangBeforeHead' });
  const client = chain(upstream.url, { maxConcurrent: 1, pace: { headers: 30_000 } });
  const stop = new AbortController();
  const fetches = [1, 2].map(() =>
    client.fetch({ kind: 'info', path: PATH, version: 'v1.0.0' }, { signal: stop.signal }),
  );
  await vi.waitUntil(() => upstream.requests.length === 1, 10_000);
  stop.abort();
  for (const end of await Promise.allSettled(fetches))
    expect(end).toMatchObject({ reason: { code: 'busy' } });
  expect(upstream.requests).toHaveLength(1);
  await client.close();
});
