import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { notHeld } from '../../src/proxy/records.ts';
import { Served } from '../../src/proxy/served.ts';
import { Wishes } from '../../src/proxy/wishes.ts';
import type { ServedOn } from '../../src/store/served-table.ts';
import type { Wish } from '../../src/store/wish-table.ts';
import { InProcess, type InProcessOptions } from './in-process.ts';

const DAY = 86_400_000;

let clock: number;
let wished: Wish[];
let served: ServedOn[];
let closing: (() => Promise<void>)[];

beforeEach(() => {
  clock = 20_000 * DAY;
  wished = [];
  served = [];
  closing = [];
});

afterEach(async () => {
  for (const close of closing.toReversed()) await close();
});

const now = () => clock;
const onHiddenError = (error: unknown) => {
  throw error;
};

/** Where nothing is held, for modules and for lookups. */
async function startOffline() {
  const wishes = new Wishes({
    write: async (more) => {
      wished.push(...more);
    },
    now,
    onHiddenError,
  });
  const notHere = () => Promise.reject(new GokeepError('not_stored', 'we are not to ask for it'));
  const server = await InProcess.start({
    wishes,
    find: (request) =>
      Promise.reject(notHeld(request.path, 'version' in request ? request.version : undefined)),
    databases: [{ name: 'sum.test', lookup: notHere, latest: notHere, tile: notHere }],
  });
  closing.push(() => server[Symbol.asyncDispose]());
  const get = async (target: string, headers?: Record<string, string>) => {
    const response = await server.get(target, headers);
    return { status: response.status, text: (await response.text()).replaceAll('\n', ' ') };
  };
  return { get, wishes };
}

describe('a request for what is not held, offline', () => {
  it.each([
    ['/a.test/!m/@v/v1.0.0.info', 'a.test/M@v1.0.0'],
    ['/a.test/!m/@v/v1.0.0.mod', 'a.test/M@v1.0.0'],
    ['/a.test/!m/@v/v1.0.0.zip', 'a.test/M@v1.0.0'],
    ['/sumdb/sum.test/lookup/a.test/!m@v1.0.0', 'a.test/M@v1.0.0'],
    ['/a.test/!m/@v/main.info', 'a.test/M@main'],
    ['/a.test/!m/@v/list', 'a.test/M@latest'],
    ['/a.test/!m/@latest', 'a.test/M@latest'],
  ])('%s is a wish for %s, and the answer says so', async (target, entry) => {
    const { get, wishes } = await startOffline();
    const { status, text } = await get(target);
    expect(status).toBe(404);
    expect(text).toBe(
      `${entry.replace('@latest', '')} is not held here, and this gokeep answers from its store only. It goes on the wish list (gokeep bundle wishlist): ask the operator to bring it in.`,
    );
    await wishes.close();
    expect(wished.map((one) => `${one.path}@${one.query}`)).toEqual([entry]);
  });

  it.each([
    ['Disable-Module-Fetch', '', { 'disable-module-fetch': 'true' }],
    ['/cached-only/', '/cached-only', {}],
  ])('is none with %s, and its text says nothing of a list', async (_name, base, headers) => {
    const { get, wishes } = await startOffline();
    for (const target of ['/a.test/m/@v/v1.0.0.zip', '/a.test/m/@latest']) {
      const { status, text } = await get(`${base}${target}`, headers);
      expect(status).toBe(404);
      expect(text).toMatch(/Ask its operator to bring it in\.$/);
    }
    if (base === '') await get('/sumdb/sum.test/lookup/a.test/m@v1.0.0', headers);
    await wishes.close();
    expect(wished).toEqual([]);
  });

  it('is none for tiles, tree heads, and what is no module', async () => {
    const { get, wishes } = await startOffline();
    for (const target of [
      '/sumdb/sum.test/latest',
      '/sumdb/sum.test/tile/8/data/000',
      '/sumdb/sum.test/tile/8/0/000',
      '/sumdb/other.test/lookup/a.test/m@v1.0.0',
      '/a.test/m/@v/-x.info',
      '/A.test/m/@latest',
      '/a.test/m',
    ])
      expect((await get(target)).status).toBeGreaterThanOrEqual(400);
    await wishes.close();
    expect(wished).toEqual([]);
  });
});

describe('the days on which files were served', () => {
  async function start(find: InProcessOptions['find'], smallFile?: number) {
    const recorder = new Served({
      write: async (more) => {
        served.push(...more);
      },
      now,
      onHiddenError,
      every: 5,
    });
    const server = await InProcess.start({
      find,
      served: recorder,
      now,
      ...(smallFile ? { smallFile } : {}),
    });
    closing.push(() => server[Symbol.asyncDispose]());
    const flushed = async () => {
      await recorder.close();
      return served.map((one) => `${one.path}@${one.version}.${one.kind} ${one.day}`);
    };
    return { server, recorder, flushed };
  }
  const answered: InProcessOptions['find'] = async (request) => {
    const immutable = request.kind !== 'list' && request.kind !== 'latest';
    return { kind: 'bytes', body: Buffer.from('x'), origin: 'store', immutable };
  };

  it('are those of the three kinds of a version, whoever asked, also in part or not again', async () => {
    const { server, flushed } = await start(answered);
    const zip = await server.get('/a.test/!m/@v/v1.0.0.zip', { range: 'bytes=0-0' });
    expect(zip.status).toBe(206);
    const mod = await server.get('/a.test/!m/@v/v1.1.0.mod', { 'if-none-match': '*' });
    expect(mod.status).toBe(304);
    await server.get('/cached-only/a.test/!m/@v/v1.2.0.info');
    await server.get('/a.test/!m/@v/v1.3.0.info', {}, 'HEAD');
    for (const other of ['@latest', '@v/list']) await server.get(`/a.test/!m/${other}`);
    expect(await flushed()).toEqual([
      'a.test/M@v1.0.0.zip 20000',
      'a.test/M@v1.1.0.mod 20000',
      'a.test/M@v1.2.0.info 20000',
      'a.test/M@v1.3.0.info 20000',
    ]);
  });

  it('are not those of failures, of queries, or of an .info that stands in for one', async () => {
    const { server, flushed } = await start(async (request, o) => {
      if (request.kind === 'mod') throw new GokeepError('not_found', 'none');
      if (request.kind === 'info')
        return { kind: 'bytes', body: Buffer.from('{}'), origin: 'store', immutable: false };
      return answered(request, o);
    });
    expect((await server.get('/a.test/m/@v/v1.0.0.mod')).status).toBe(404);
    expect((await server.get('/a.test/m/@v/v1.0.0.zip', { range: 'bytes=5-9' })).status).toBe(416);
    expect((await server.get('/a.test/m/@v/v1.0.0.info')).status).toBe(200);
    expect((await server.get('/a.test/m/@v/main.info')).status).toBe(200);
    expect(await flushed()).toEqual([]);
  });

  it('go on while answers come out of memory, once each day', async () => {
    let found = 0;
    const { server, recorder, flushed } = await start((request, o) => {
      found++;
      return answered(request, o);
    });
    const target = '/a.test/m/@v/v1.0.0.mod';
    for (let n = 0; n < 3; n++) await server.get(target);
    clock += 3 * DAY;
    await expect.poll(() => recorder.today, { timeout: 5_000 }).toBe(20_003);
    for (let n = 0; n < 3; n++) await server.get(target);
    expect(found).toBe(1);
    expect(await flushed()).toEqual(['a.test/m@v1.0.0.mod 20000', 'a.test/m@v1.0.0.mod 20003']);
  });

  it('are those of large files too, which are never prepared', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'gokeep-served-'));
    closing.push(async () => rmSync(directory, { recursive: true }));
    const file = path.join(directory, 'v1.0.0.zip');
    writeFileSync(file, Buffer.alloc(5_000));
    const { server, flushed } = await start(
      async () => ({ kind: 'file', file, size: 5_000, origin: 'store' }),
      100,
    );
    for (let n = 0; n < 2; n++) await (await server.get('/a.test/m/@v/v1.0.0.zip')).arrayBuffer();
    expect(await flushed()).toEqual(['a.test/m@v1.0.0.zip 20000']);
  });
});
