import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import type { Answer } from '../../src/proxy/answer.ts';
import { InProcess } from './in-process.ts';

/** One zip below the limit of memory (1 KiB here), one above it: they take different ways out. */
const ZIPS = { 'small.test/m': randomBytes(700), 'large.test/m': randomBytes(600_000) } as const;

const INFO = '{"Version":"v1.0.0"}';
const YEAR = 'max-age=31536000, immutable';

let directory: string;
let server: InProcess;
let asked: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-answers-'));
  const fileOf = (module: string) => path.join(directory, `${module.split('.')[0] ?? ''}.zip`);
  for (const [module, bytes] of Object.entries(ZIPS)) await writeFile(fileOf(module), bytes);
  server = await InProcess.start({
    find: async (request, { cachedOnly }): Promise<Answer> => {
      asked.push(`${request.kind} ${request.path}${cachedOnly ? ' cached' : ''}`);
      if (request.path === 'absent.test/m') {
        throw new GokeepError('not_found', 'unused', { verbatim: 'not found: absent.test/m: no such host' });
      }
      if (request.path === 'denied.test/m') throw new GokeepError('refused', 'denied.test/m is refused');
      if (request.kind === 'zip') {
        const size = ZIPS[request.path as keyof typeof ZIPS].length;
        return { kind: 'file', file: fileOf(request.path), size, origin: 'store' };
      }
      const immutable = request.kind === 'mod' || request.kind === 'info';
      const origin = request.path === 'old.test/m' ? 'stale' : immutable ? 'upstream' : 'cache';
      return { kind: 'bytes', body: Buffer.from(INFO), origin, immutable };
    },
  });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

describe.each(Object.entries(ZIPS))('a zip: %s', (module, bytes) => {
  const target = `/${module}/@v/v1.0.0.zip`;
  const body = async (response: Response) => Buffer.from(await response.arrayBuffer());

  it('is whole, immutable, typed and tagged; HEAD says the same of it and sends nothing', async () => {
    const got = await server.get(target);
    expect(got.status).toBe(200);
    expect((await body(got)).equals(bytes)).toBe(true);
    const head = await server.get(target, {}, 'HEAD');
    expect(head.status).toBe(200);
    expect((await body(head)).length).toBe(0);
    for (const response of [got, head]) {
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'application/zip',
        'content-length': String(bytes.length),
        'cache-control': `public, ${YEAR}`,
        'accept-ranges': 'bytes',
        'x-content-type-options': 'nosniff',
        etag: expect.stringMatching(/^"[^"]+"$/) as string,
      });
    }
    expect(head.headers.get('etag')).toBe(got.headers.get('etag'));
  });

  const size = bytes.length;
  it.each([
    ['bytes=0-0', 0, 0],
    ['bytes=10-19', 10, 19],
    ['bytes=-5', size - 5, size - 1],
    [`bytes=-${size * 2}`, 0, size - 1],
    [`bytes=${size - 3}-`, size - 3, size - 1],
    [`bytes=1-${size * 10}`, 1, size - 1],
  ])('Range %s is 206 with just that', async (range, first, last) => {
    const response = await server.get(target, { range });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${first}-${last}/${size}`);
    expect(response.headers.get('content-length')).toBe(String(last + 1 - first));
    expect((await body(response)).equals(bytes.subarray(first, last + 1))).toBe(true);
  });

  it.each(['bytes=0-1,5-6', 'items=0-5', 'bytes=5-2', 'bytes=-', 'bytes=a-b', 'bytes=1e3-', 'bytes=0x0-5'])(
    'Range %s is ignored: the whole file',
    async (range) => {
      const response = await server.get(target, { range });
      expect(response.status).toBe(200);
      expect((await body(response)).length).toBe(size);
    },
  );

  it.each([`bytes=${bytes.length}-`, `bytes=${bytes.length + 5}-${bytes.length + 9}`, 'bytes=-0'])(
    'Range %s is 416 and says how long the file is',
    async (range) => {
      const response = await server.get(target, { range });
      expect(response.status).toBe(416);
      expect(response.headers.get('content-range')).toBe(`bytes */${size}`);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect((await body(response)).length).toBe(0);
    },
  );

  it('If-Range: the range for the same file, the whole for another or for a date', async () => {
    const etag = (await server.get(target, {}, 'HEAD')).headers.get('etag') ?? '';
    const range = 'bytes=0-3';
    expect((await server.get(target, { range, 'if-range': etag })).status).toBe(206);
    for (const other of ['"other"', `W/${etag}`, 'Thu, 01 Jan 2026 00:00:00 GMT']) {
      const response = await server.get(target, { range, 'if-range': other });
      expect(response.status).toBe(200);
      expect((await body(response)).length).toBe(size);
    }
  });

  it('If-None-Match: 304 without a body for the same file, also in a list, weak, or *', async () => {
    const etag = (await server.get(target, {}, 'HEAD')).headers.get('etag') ?? '';
    for (const tags of [etag, `"a", ${etag}`, `W/${etag}`, '*']) {
      for (const method of ['GET', 'HEAD']) {
        const response = await server.get(target, { 'if-none-match': tags, range: 'bytes=0-1' }, method);
        expect(response.status).toBe(304);
        expect(response.headers.get('etag')).toBe(etag);
        expect(response.headers.get('cache-control')).toBe(`public, ${YEAR}`);
        expect((await body(response)).length).toBe(0);
      }
    }
    expect((await server.get(target, { 'if-none-match': '"other"' })).status).toBe(200);
  });
});

describe('labels', () => {
  it.each([
    ['/any.test/m/@v/list', 'text/plain; charset=utf-8', 'public, max-age=30'],
    ['/any.test/m/@latest', 'application/json', 'public, max-age=30'],
    ['/any.test/m/@v/v1.0.0.info', 'application/json', `public, ${YEAR}`],
    ['/any.test/m/@v/v1.0.0.mod', 'text/plain; charset=utf-8', `public, ${YEAR}`],
    ['/private.test/m/@v/list', 'text/plain; charset=utf-8', 'private, max-age=30'],
    ['/private.test/m/@v/v1.0.0.mod', 'text/plain; charset=utf-8', `private, ${YEAR}`],
  ])('%s', async (target, type, cacheControl) => {
    for (const method of ['GET', 'HEAD']) {
      const response = await server.get(target, {}, method);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(type);
      expect(response.headers.get('cache-control')).toBe(cacheControl);
      expect(response.headers.get('content-length')).toBe(String(INFO.length));
      expect(await response.text()).toBe(method === 'HEAD' ? '' : INFO);
    }
  });

  it('X-Gokeep-From says where it came from, and memory once it comes from memory', async () => {
    const target = '/from.test/m/@v/v1.2.3.mod';
    expect((await server.get(target)).headers.get('x-gokeep-from')).toBe('upstream');
    expect((await server.get(target)).headers.get('x-gokeep-from')).toBe('memory');
    expect((await server.get('/from.test/m/@v/list')).headers.get('x-gokeep-from')).toBe('cache');
  });

  it('a stale answer says so, and nobody may keep it', async () => {
    const response = await server.get('/old.test/m/@v/list');
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'cache-control': 'no-store',
      warning: '110 - "Response is Stale"',
      'x-gokeep-from': 'stale',
    });
    const metrics = await server.metrics.registry.metrics();
    expect(metrics).toContain('gokeep_stale_answers_total 1');
  });

  it('an authentic absence is passed on byte for byte, and may not be kept', async () => {
    const response = await server.get('/absent.test/m/@v/list');
    expect(response.status).toBe(404);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe('not found: absent.test/m: no such host');
    const head = await server.get('/absent.test/m/@v/list', {}, 'HEAD');
    expect(head.status).toBe(404);
    expect(await head.text()).toBe('');
  });

  it('a refusal is 403 in plain text, and a warning in the log', async () => {
    const response = await server.get('/denied.test/m/@v/list');
    expect(response.status).toBe(403);
    expect(await response.text()).toBe('denied.test/m is refused');
    expect(server.logged.at(-1)).toMatchObject({ level: 40, status: 403, code: 'refused' });
  });
});

describe('store only', () => {
  it('the header and the base URL ask for it, and nothing else does', async () => {
    const ask = async (target: string, headers: Record<string, string> = {}) => {
      asked = [];
      await server.get(target, headers);
      return asked;
    };
    const list = '/c.test/m/@v/list';
    expect(await ask(list)).toEqual(['list c.test/m']);
    expect(await ask(list, { 'Disable-Module-Fetch': 'true' })).toEqual(['list c.test/m cached']);
    expect(await ask(list, { 'Disable-Module-Fetch': 'false' })).toEqual(['list c.test/m']);
    expect(await ask(`/cached-only${list}`)).toEqual(['list c.test/m cached']);
  });
});

describe('our own pages', () => {
  it.each(['/', '/livez', '/readyz', '/metrics'])(
    '%s answers GET and HEAD, uncached, one log line each',
    async (target) => {
      const before = server.logged.length;
      const got = await server.get(target);
      const head = await server.get(target, {}, 'HEAD');
      expect([got.status, head.status]).toEqual([200, 200]);
      expect((await got.text()).length).toBeGreaterThan(0);
      expect(await head.text()).toBe('');
      expect(got.headers.get('content-type')).toMatch(/^text\/plain/);
      expect(got.headers.get('cache-control')).toBe('no-store');
      const lines = server.logged.slice(before);
      expect(lines.map(({ method, url, status }) => [method, url, status])).toEqual([
        ['GET', target, 200],
        ['HEAD', target, 200],
      ]);
    },
  );
});
