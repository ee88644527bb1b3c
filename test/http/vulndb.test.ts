import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VulndbStore } from '../../src/store/vulndb-store.ts';
import { gzipDeterministic } from '../../src/vulndb/gzip.ts';
import { makeDatabase, type MadeVuln } from '../vulndb/made-database.ts';
import { InProcess } from './in-process.ts';
import { rawGet, sendRaw } from './raw-socket.ts';

const VULN: MadeVuln = { id: 'GO-2024-0001', path: 'example.test/a' };
const INDEX = '/vulndb/index/modules.json';

let directory: string;
let store: VulndbStore;
let server: InProcess;

async function publish(snapshot: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  const staged = await store.stage();
  for (const [name, body] of files) {
    await store.put(staged, name, body);
    await store.put(staged, `${name}.gz`, gzipDeterministic(body));
  }
  await store.publish(staged, snapshot);
}

const start = (vulndb: VulndbStore) =>
  InProcess.start({
    vulndb,
    find: async ({ path }) => {
      throw new Error(`${path} is no module`);
    },
  });

const FILES = makeDatabase([VULN]);

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-vulndb-'));
  store = new VulndbStore(directory);
  await publish('first', FILES);
  server = await start(store);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

describe('a vulnerability database', () => {
  it.each([...FILES.keys()])(
    'has %s as it is and as a gzip file, which nobody is told to unpack',
    async (name) => {
      const body = FILES.get(name)!;
      for (const [ending, bytes, type] of [
        ['', body, 'application/json'],
        ['.gz', gzipDeterministic(body), 'application/gzip'],
      ] as const) {
        const got = await server.get(`/vulndb/${name}${ending}`);
        expect(got.status).toBe(200);
        expect(Object.fromEntries(got.headers)).toMatchObject({
          'content-type': type,
          'content-length': String(bytes.length),
          'cache-control': 'public, max-age=300',
          etag: expect.stringMatching(/^"[^"]+"$/) as string,
        });
        expect(got.headers.get('content-encoding')).toBeNull();
        expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
      }
    },
  );

  it('answers HEAD, by which govulncheck asks whether there is a database', async () => {
    const head = await server.get(`${INDEX}.gz`, {}, 'HEAD');
    expect(head.status).toBe(200);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(20);
    expect(await head.text()).toBe('');
    expect((await server.get('/vulndb/ID/GO-2024-0009.json.gz', {}, 'HEAD')).status).toBe(404);
  });

  it('is not sent again to whom has it', async () => {
    const etag = (await server.get(INDEX)).headers.get('etag')!;
    const again = await server.get(INDEX, { 'if-none-match': etag });
    expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
    expect((await server.get(`${INDEX}.gz`, { 'if-none-match': etag })).status).toBe(200);
  });

  it('is served anew from the moment that another one is published', async () => {
    const other = makeDatabase([{ ...VULN, id: 'GO-2024-0002' }]);
    const before = await server.get(INDEX);
    expect(await before.text()).toContain('GO-2024-0001');
    await publish('other', other);
    try {
      const after = await server.get(INDEX, { 'if-none-match': before.headers.get('etag')! });
      expect([after.status, await after.text()]).toEqual([200, String(other.get('index/modules.json'))]);
      expect((await server.get('/vulndb/ID/GO-2024-0001.json')).status).toBe(404);
    } finally {
      await publish('again', FILES);
    }
  });

  it('says 404 and why for a vulnerability that it does not have', async () => {
    const got = await server.get('/vulndb/ID/GO-2024-0009.json');
    expect([got.status, await got.text()]).toEqual([
      404,
      'the vulnerability database imported here has no ID/GO-2024-0009.json',
    ]);
  });

  it.each([
    '/vulndb/',
    '/vulndb/current',
    '/vulndb/index/db.json.gz.gz',
    '/vulndb/index/other.json',
    '/vulndb/ID/..%2f..%2fcurrent',
    '/vulndb/ID/../index/db.json',
    '/vulndb/ID/%2e%2e/index/db.json',
    '/vulndb/../current',
    '/vulndb/index/../../../log',
    '/vulndb/ID/GO-2024%2D0001.json',
    '/vulndb//index/db.json',
    '/vulndb/first/index/db.json',
  ])('has no %s', async (target) => {
    // Raw: fetch would resolve the dots itself.
    const { status, text } = await sendRaw(server.port, rawGet(target));
    expect([status, text.replaceAll('\n', ' ')]).toEqual([
      404,
      expect.stringContaining('is no file of a vulnerability database'),
    ]);
  });

  it('that was never imported is 404 with what to do about it, and is counted as what it is', async () => {
    await using empty = await start(new VulndbStore(path.join(directory, 'nothing')));
    const got = await empty.get(`${INDEX}.gz`);
    expect(got.status).toBe(404);
    expect((await got.text()).replaceAll('\n', ' ')).toBe(
      'no vulnerability database was imported here; make a bundle with --vulndb on the connected side and import it',
    );
    const counted = await empty.metrics.registry.metrics();
    expect(counted).toMatch(/requests_total\{kind="vulndb",status="404"[^}]*\} 1/);
    expect((await empty.get(INDEX, {}, 'POST')).status).toBe(405);
  });
});
