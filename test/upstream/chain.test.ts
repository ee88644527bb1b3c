import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { GokeepError } from '../../src/errors.ts';
import { UpstreamChain } from '../../src/upstream/chain.ts';
import type { UpstreamOptions } from '../../src/upstream/chain.ts';
import { parseProxyList } from '../../src/upstream/proxy-list.ts';
import { HostileUpstream } from './hostile-upstream.ts';
import type { Reply } from './hostile-upstream.ts';

const INFO = '{"Version":"v1.0.0"}';
const TARGET = '/example.com/m/@v/v1.0.0.info';
const ZIP_TARGET = '/example.com/m/@v/v1.0.0.zip';
const REQUEST = { kind: 'info', path: 'example.com/m', version: 'v1.0.0' } as const;

const OK: Reply = { fault: 'ok', body: INFO };
const NOT_FOUND: Reply = { fault: 'status', status: 404, body: 'nothing here\n' };
const GONE: Reply = { fault: 'status', status: 410, body: 'removed\n' };
const REFUSED: Reply = { fault: 'status', status: 403, body: 'no\n' };
const BROKEN: Reply = { fault: 'status', status: 500, body: 'oops\n' };
const LOGIN: Reply = { fault: 'html' };
const DEAD: Reply = { fault: 'hangBeforeHead' };

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gokeep-chain-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

function chain(proxies: string, more: Partial<UpstreamOptions> = {}): UpstreamChain {
  return new UpstreamChain({
    proxies: parseProxyList(proxies),
    userAgent: 'gokeep/test',
    pace: { headers: 30_000, whole: 30_000 },
    ...more,
  });
}

/** A stand-in for DirectSource: what `direct` says is tested with the real one in direct.test.ts. */
function direct(answer: Buffer | GokeepError): NonNullable<UpstreamOptions['direct']> {
  const fetch = (): Promise<Buffer> =>
    answer instanceof GokeepError ? Promise.reject(answer) : Promise.resolve(answer);
  return { display: 'direct', fetch } as unknown as NonNullable<UpstreamOptions['direct']>;
}

const DIRECT_ABSENT = new GokeepError('not_found', 'direct does not know it');
const DIRECT_BROKEN = new GokeepError('upstream_failed', 'git failed');

describe('falling through', () => {
  // `1` and `2` stand for two proxies; the second column is what each answers.
  const cases: [string, Reply[], string, number[], (Buffer | GokeepError)?][] = [
    ['1,2', [OK, OK], 'success', [1, 0]],
    ['1,2', [NOT_FOUND, OK], 'success', [1, 1]],
    ['1,2', [GONE, OK], 'success', [1, 1]],
    ['1,2', [REFUSED, OK], 'upstream_refused', [1, 0]],
    ['1,2', [BROKEN, OK], 'upstream_failed', [1, 0]],
    ['1,2', [LOGIN, OK], 'upstream_failed', [1, 0]],
    ['1,2', [DEAD, OK], 'upstream_timeout', [1, 0]],
    ['1|2', [REFUSED, OK], 'success', [1, 1]],
    ['1|2', [BROKEN, OK], 'success', [1, 1]],
    ['1|2', [LOGIN, OK], 'success', [1, 1]],
    ['1|2', [DEAD, OK], 'success', [1, 1]],
    ['1,2', [NOT_FOUND, GONE], 'gone', [1, 1]],
    ['1,2', [GONE, NOT_FOUND], 'not_found', [1, 1]],
    ['1|2', [BROKEN, NOT_FOUND], 'upstream_failed', [1, 1]],
    ['1|2', [BROKEN, REFUSED], 'upstream_refused', [1, 1]],
    ['1,2', [NOT_FOUND, BROKEN], 'upstream_failed', [1, 1]],
    ['1,off', [NOT_FOUND], 'not_found', [1]],
    ['1|off', [BROKEN], 'upstream_failed', [1]],
    ['off', [], 'refused', []],
    ['off,1', [OK], 'refused', [0]],
    ['1,direct', [NOT_FOUND], 'success', [1], Buffer.from(INFO)],
    ['1,direct', [BROKEN], 'upstream_failed', [1], Buffer.from(INFO)],
    ['1|direct', [BROKEN], 'success', [1], Buffer.from(INFO)],
    ['1,direct', [NOT_FOUND], 'upstream_failed', [1], DIRECT_BROKEN],
    ['1|direct', [BROKEN], 'not_found', [1], DIRECT_ABSENT],
    ['direct,1', [OK], 'not_found', [0], DIRECT_ABSENT],
  ];
  test.each(cases)('%s', async (list, replies, expected, asked, fromDirect) => {
    const upstreams = await Promise.all(replies.map(() => HostileUpstream.start()));
    for (const [i, upstream] of upstreams.entries()) upstream.on(TARGET, replies[i]!);
    const proxies = list.replace(/[12]/g, (n) => upstreams[Number(n) - 1]!.url);
    const client = chain(proxies, {
      direct: fromDirect === undefined ? undefined : direct(fromDirect),
      pace: { headers: replies.includes(DEAD) ? 1000 : 30_000 },
    });
    const result = await client.fetch(REQUEST, {}).then(
      ({ body }) => {
        expect(String(body)).toBe(INFO);
        return 'success';
      },
      (error: GokeepError) => error.code,
    );
    expect(result).toBe(expected);
    expect(upstreams.map(({ requests }) => requests.length)).toEqual(asked);
    await client.close();
    for (const upstream of upstreams) await upstream[Symbol.asyncDispose]();
  });
});

test('the source of an answer is named without query', async () => {
  await using upstream = await HostileUpstream.start();
  upstream.on(`/goproxy${TARGET}?token=secret`, OK);
  const client = chain(`${upstream.url}/goproxy/?token=secret`);
  expect((await client.fetch(REQUEST, {})).source).toBe(`${upstream.url}/goproxy`);
  await client.close();
});

test('a caller that gives up is not sent on to the next entry', async () => {
  await using first = await HostileUpstream.start();
  await using second = await HostileUpstream.start();
  first.on(TARGET, DEAD);
  second.on(TARGET, OK);
  const client = chain(`${first.url}|${second.url}`, { pace: { headers: 30_000 } });
  const signal = AbortSignal.timeout(50);
  await expect(client.fetch(REQUEST, { signal })).rejects.toMatchObject({ code: 'busy' });
  expect(second.requests).toHaveLength(0);
  await client.close();
});

test('direct without its settings is refused when the chain is built', () => {
  expect(() => chain('direct')).toThrow(expect.objectContaining({ code: 'bad_config' }));
});

describe('a zip', () => {
  test('that breaks off is overwritten from the start by the next entry', async () => {
    await using first = await HostileUpstream.start();
    await using second = await HostileUpstream.start();
    first.on(ZIP_TARGET, { fault: 'truncated', body: `PK${'x'.repeat(10_000)}` });
    second.on(ZIP_TARGET, 'PK short');
    const name = join(directory, 'a.zip');
    await using file = await open(name, 'w');
    const client = chain(`${first.url}|${second.url}`);
    const fetched = await client.fetchZip('example.com/m', 'v1.0.0', file, {});
    expect(fetched).toEqual({ bytes: 8, source: second.url });
    expect(await readFile(name, 'utf8')).toBe('PK short');
    await client.close();
  });

  test('that cannot be written is our trouble and not the next entry’s', async () => {
    await using first = await HostileUpstream.start();
    await using second = await HostileUpstream.start();
    first.on(ZIP_TARGET, 'PK');
    const name = join(directory, 'read-only.zip');
    await writeFile(name, '');
    await using file = await open(name, 'r');
    const client = chain(`${first.url}|${second.url}`);
    const fetched = client.fetchZip('example.com/m', 'v1.0.0', file, {});
    await expect(fetched).rejects.toMatchObject({ code: 'storage_failed' });
    expect(second.requests).toHaveLength(0);
    await client.close();
  });
});

describe('a file:// proxy', () => {
  test('is read like any other, and says not_found only while its tree is there', async () => {
    const tree = join(directory, 'tree');
    await mkdir(join(tree, 'example.com/!m/@v'), { recursive: true });
    await writeFile(join(tree, 'example.com/!m/@v/v1.0.0.info'), INFO);
    await writeFile(join(tree, 'example.com/!m/@v/v1.0.0.zip'), 'PK and more');
    await writeFile(join(tree, 'example.com/!m/@v/v1.0.1.info'), '<html>');
    const client = chain(`file://${tree}`);
    const info = (version: string): Promise<unknown> =>
      client.fetch({ kind: 'info', path: 'example.com/M', version }, {});
    expect(await info('v1.0.0')).toEqual({ body: Buffer.from(INFO), source: 'file proxy' });
    await expect(info('v1.0.1')).rejects.toMatchObject({ code: 'upstream_failed' });
    await expect(info('v1.0.2')).rejects.toMatchObject({ code: 'not_found' });
    await using file = await open(join(directory, 'b.zip'), 'w');
    expect(await client.fetchZip('example.com/M', 'v1.0.0', file, {})).toMatchObject({ bytes: 11 });
    // A directory where a file should be, and a file where a directory should be.
    await mkdir(join(tree, 'example.com/!m/@v/list'));
    await expect(client.fetch({ kind: 'list', path: 'example.com/M' }, {})).rejects.toMatchObject({
      code: 'not_found',
    });
    await writeFile(join(tree, 'example.com/n'), '');
    await expect(client.fetch({ kind: 'list', path: 'example.com/n' }, {})).rejects.toMatchObject({
      code: 'not_found',
    });
    await rm(tree, { recursive: true });
    await expect(info('v1.0.0')).rejects.toMatchObject({ code: 'upstream_unreachable' });
  });
});
