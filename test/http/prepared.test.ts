import { describe, expect, it } from 'vitest';
import { type Prepared, PreparedAnswers } from '../../src/http/prepared.ts';
import { InProcess } from './in-process.ts';

const answer = (bytes: number, until = Number.POSITIVE_INFINITY): Prepared => ({
  headers: ['Content-Length', String(bytes)],
  body: Buffer.alloc(bytes),
  bytes,
  until,
  since: 0,
  kind: 'mod',
  reads: 'nothing',
});

describe('PreparedAnswers', () => {
  it('never holds more than its budget, its own bookkeeping included', () => {
    const prepared = new PreparedAnswers(100_000);
    for (let i = 0; i < 1_000; i++) {
      prepared.put(`/m${i}`, answer(i % 9_000));
      expect(prepared.bytes).toBeLessThanOrEqual(100_000);
    }
    expect(prepared.get('/m999', () => 0)).toBeDefined();
    expect(prepared.get('/m0', () => 0)).toBeUndefined();
  });

  it('counts a replaced answer once, and nothing after clear', () => {
    const prepared = new PreparedAnswers(100_000);
    prepared.put('/m', answer(10));
    const once = prepared.bytes;
    prepared.put('/m', answer(10));
    expect(prepared.bytes).toBe(once);
    prepared.clear();
    expect(prepared.bytes).toBe(0);
    expect(prepared.get('/m', () => 0)).toBeUndefined();
  });

  it('gives what was asked for again a second chance', () => {
    const prepared = new PreparedAnswers(16_000);
    for (let i = 0; i < 9; i++) prepared.put(`/m${i}`, answer(1_000));
    expect(prepared.get('/m0', () => 0)).toBeDefined();
    prepared.put('/new', answer(1_000));
    expect(prepared.get('/m0', () => 0)).toBeDefined();
    expect(prepared.get('/m1', () => 0)).toBeUndefined();
  });

  it('makes room even when everything was asked for again', () => {
    const prepared = new PreparedAnswers(16_000);
    for (let i = 0; i < 9; i++) prepared.put(`/m${i}`, answer(1_000));
    for (let i = 0; i < 9; i++) prepared.get(`/m${i}`, () => 0);
    for (let i = 0; i < 5; i++) prepared.put(`/new${i}`, answer(1_000));
    expect(prepared.bytes).toBeLessThanOrEqual(16_000);
    expect(prepared.get('/new4', () => 0)).toBeDefined();
  });

  it('forgets an answer when its time is over, not before', () => {
    const prepared = new PreparedAnswers(100_000);
    prepared.put('/list', answer(10, 5_000));
    expect(prepared.get('/list', () => 4_999)).toBeDefined();
    expect(prepared.get('/list', () => 5_000)).toBeUndefined();
    expect(prepared.bytes).toBe(0);
  });

  it('does not believe an expiry after the clock was set back behind the time it was prepared', () => {
    const prepared = new PreparedAnswers(100_000);
    prepared.put('/list', { ...answer(10, 5_000), since: 4_000 });
    prepared.put('/mod', { ...answer(10), since: 4_000 });
    expect(prepared.get('/list', () => 3_999)).toBeUndefined();
    expect(prepared.get('/mod', () => 3_999)).toBeDefined();
  });

  it('keeps neither what would take an eighth of everything, nor anything with a budget of 0', () => {
    const prepared = new PreparedAnswers(80_000);
    prepared.put('/big', answer(10_000));
    expect(prepared.bytes).toBe(0);
    const none = new PreparedAnswers(0);
    none.put('/m', answer(0));
    expect(none.bytes).toBe(0);
  });
});

describe('which answers are prepared', () => {
  let clock = 1_000_000;
  let calls = 0;
  const start = () =>
    InProcess.start({
      now: () => clock,
      find: async (request, { cachedOnly }) => {
        calls++;
        const body = Buffer.from(`${request.kind} ${cachedOnly ? 'of the store' : 'of upstream'}\n`);
        if (request.kind === 'mod') return { kind: 'bytes', body, origin: 'store', immutable: true };
        if (cachedOnly) return { kind: 'bytes', body, origin: 'store', immutable: false };
        if (request.path === 'stale.test/m')
          return { kind: 'bytes', body, origin: 'stale', immutable: false, freshUntil: clock + 1e6 };
        return { kind: 'bytes', body, origin: 'cache', immutable: false, freshUntil: clock + 30_000 };
      },
    });
  const callsFor = async (
    server: InProcess,
    target: string,
    headers: Record<string, string> = {},
    method = 'GET',
  ) => {
    calls = 0;
    await (await server.get(target, headers, method)).text();
    return calls;
  };

  it('the exact target that was answered, and no other spelling of it', async () => {
    await using server = await start();
    expect(await callsFor(server, '/a.test/!m/@v/v1.0.0.mod')).toBe(1);
    expect(await callsFor(server, '/a.test/!m/@v/v1.0.0.mod')).toBe(0);
    expect(await callsFor(server, '/a.test/%21m/@v/v1.0.0.mod')).toBe(1);
    expect(await callsFor(server, '/cached-only/a.test/!m/@v/v1.0.0.mod')).toBe(1);
  });

  it('a query string is answered and never prepared, so that it cannot fill the memory', async () => {
    await using server = await start();
    for (let i = 0; i < 3; i++) expect(await callsFor(server, '/a.test/m/@v/v1.0.0.mod?x=1')).toBe(1);
    expect(server.prepared.bytes).toBe(0);
  });

  it('a range, a condition and HEAD go to the routes behind', async () => {
    await using server = await start();
    const target = '/a.test/m/@v/v1.0.0.mod';
    const etag = (await server.get(target)).headers.get('etag') ?? '';
    expect(await callsFor(server, target, { range: 'bytes=0-1' })).toBe(1);
    expect(await callsFor(server, target, { 'if-none-match': etag })).toBe(1);
    expect((await server.get(target, { 'if-none-match': etag })).status).toBe(304);
    expect(await callsFor(server, target, {}, 'HEAD')).toBe(1);
    expect(await callsFor(server, target)).toBe(0);
  });

  it('a refreshable answer only as long as it is fresh', async () => {
    await using server = await start();
    const target = '/a.test/m/@v/list';
    expect(await callsFor(server, target)).toBe(1);
    clock += 29_999;
    expect(await callsFor(server, target)).toBe(0);
    clock += 1;
    expect(await callsFor(server, target)).toBe(1);
  });

  it('a stale one never, and what the store alone says of a list not under the plain target', async () => {
    await using server = await start();
    for (let i = 0; i < 2; i++) expect(await callsFor(server, '/stale.test/m/@v/list')).toBe(1);
    const target = '/b.test/m/@v/list';
    const storeOnly = { 'Disable-Module-Fetch': 'true' };
    expect(await (await server.get(target, storeOnly)).text()).toBe('list of the store\n');
    expect(await (await server.get(target)).text()).toBe('list of upstream\n');
    expect(server.logged.at(-1)).toMatchObject({ from: 'cache' });
  });

  it('a prepared answer has its log line and its count too', async () => {
    await using server = await start();
    const target = '/a.test/m/@v/v1.0.0.mod';
    await server.get(target);
    await server.get(target, { 'user-agent': 'Go-http-client/1.1' });
    expect(server.logged.at(-1)).toMatchObject({
      url: target,
      status: 200,
      from: 'memory',
      agent: 'Go-http-client/1.1',
      bytes: 16,
    });
    expect(await server.metrics.registry.metrics()).not.toContain('gokeep_fast_answers_total 0');
    expect(server.metrics.hot).toMatchObject({ fast: 1, fastBytes: 16 });
  });
});
