import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readVulndb, type VulndbSourceOptions } from '../../src/upstream/vulndb-source.ts';
import { gzipDeterministic } from '../../src/vulndb/gzip.ts';
import { makeDatabase, type MadeVuln } from '../vulndb/made-database.ts';
import { needs } from '../world/programs.ts';
import { startHttpProxy } from './egress-servers.ts';
import { HostileUpstream, type Reply } from './hostile-upstream.ts';
import { makeTestCa } from './test-ca.ts';

const VULNS: MadeVuln[] = Array.from({ length: 30 }, (_, at) => ({
  id: `GO-2024-${String(at).padStart(4, '0')}`,
  path: `example.test/m${at % 7}`,
}));
const FILES = makeDatabase(VULNS);
/** Published a day later: one vulnerability more, and one that was changed. */
const NEXT_DAY = '2024-05-07T00:00:00Z';
const NEXT = makeDatabase(
  [
    { ...VULNS[0]!, modified: NEXT_DAY, fixed: '1.2.3' },
    ...VULNS.slice(1),
    { id: 'GO-2024-0099', path: 'b.test/b' },
  ],
  NEXT_DAY,
);

let upstream: HostileUpstream;
beforeEach(async () => {
  upstream = await HostileUpstream.start();
});
afterEach(() => upstream[Symbol.asyncDispose]());

async function read(source: string, o: Partial<VulndbSourceOptions> = {}): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const options = { userAgent: 'gokeep/test', pause: 1, pace: { headers: 5_000, whole: 5_000 }, ...o };
  for await (const { name, body } of readVulndb(source, options)) {
    expect(files.has(name)).toBe(false);
    files.set(name, body);
  }
  return files;
}

const sorted = (files: ReadonlyMap<string, Buffer>) =>
  new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));

/** Serves these files below /db, as gzip alone, as JSON alone, or as gzip that the server calls an encoding. */
function serve(files: ReadonlyMap<string, Buffer>, form: 'gzip' | 'json' | 'encoded' = 'gzip'): void {
  for (const [name, body] of files) {
    const target = `/db/${name}`;
    if (form === 'json') upstream.on(target, { fault: 'ok', body });
    else if (form === 'encoded') upstream.on(`${target}.gz`, { fault: 'gzip', body });
    else upstream.on(`${target}.gz`, { fault: 'ok', body: gzipDeterministic(body) });
  }
}

const packed = (body: Buffer): Reply => ({ fault: 'ok', body: gzipDeterministic(body) });
const DB = '/db/index/db.json.gz';
const ENTRY = '/db/ID/GO-2024-0000.json.gz';

describe('a vulnerability database over http', () => {
  it.each(['gzip', 'json', 'encoded'] as const)(
    'is read whole, as its JSON, from a server of %s',
    async (form) => {
      serve(FILES, form);
      const files = await read(`${upstream.url}/db/`);
      expect([...files]).toEqual([...sorted(FILES)]);
      expect([...files.keys()].at(-1)).toBe('index/vulns.json');
      expect(upstream.targets[0]).toBe(DB);
      expect(upstream.targets.at(-1)).toMatch(/^\/db\/index\/db\.json/);
      // Whoever has no gzip is not asked for it 33 times, and nobody has more than eight connections.
      expect(upstream.requests.length).toBeLessThanOrEqual(FILES.size + 2);
      expect(upstream.connections).toBeLessThanOrEqual(8);
    },
  );

  it('is read without index/vulns.json where there is none', async () => {
    const old = new Map(FILES);
    old.delete('index/vulns.json');
    serve(old);
    expect([...(await read(`${upstream.url}/db`))]).toEqual([...sorted(old)]);
  });

  it('that is published anew while it is read is read again, and nothing of the torn copy is given', async () => {
    serve(NEXT);
    for (const name of ['index/modules.json', 'index/vulns.json', 'ID/GO-2024-0000.json']) {
      upstream.on(`/db/${name}.gz`, packed(FILES.get(name)!), packed(NEXT.get(name)!));
    }
    const first = packed(FILES.get('index/db.json')!);
    upstream.on(DB, first, packed(NEXT.get('index/db.json')!));
    expect([...(await read(`${upstream.url}/db`))]).toEqual([...sorted(NEXT)]);
    expect(upstream.targets.filter((target) => target === DB)).toHaveLength(4);
  });

  it('whose parts are of two copies is read again though index/db.json stood still, and refused when it stays so', async () => {
    serve(NEXT);
    const stale = packed(FILES.get('ID/GO-2024-0000.json')!);
    upstream.on(ENTRY, stale, packed(NEXT.get('ID/GO-2024-0000.json')!));
    expect([...(await read(`${upstream.url}/db`))]).toEqual([...sorted(NEXT)]);
    upstream.on(ENTRY, stale);
    await expect(read(`${upstream.url}/db`)).rejects.toMatchObject({
      code: 'upstream_failed',
      message: expect.stringMatching(
        `^No whole vulnerability database could be read from ${upstream.url}/db in 3 attempts;.*ID/GO-2024-0000.json do not agree`,
      ) as string,
    });
  });

  it('that changes all the time is given up after three attempts', async () => {
    serve(FILES);
    const versions = Array.from({ length: 8 }, (_, at) =>
      packed(Buffer.from(`{"modified":"2025-01-0${at + 1}T00:00:00Z"}`)),
    );
    upstream.on(DB, ...versions);
    await expect(read(`${upstream.url}/db`)).rejects.toMatchObject({
      code: 'upstream_failed',
      message: expect.stringContaining('index/db.json changed from 2025-01-05') as string,
    });
    expect(upstream.targets.filter((target) => target === DB)).toHaveLength(6);
  });

  it('that lacks a file its index names is refused, and the file named', async () => {
    serve(FILES);
    upstream.on(ENTRY, { fault: 'status', status: 404 });
    await expect(read(`${upstream.url}/db`)).rejects.toMatchObject({
      code: 'upstream_failed',
      message: expect.stringContaining('ID/GO-2024-0000.json is missing') as string,
    });
  });

  const huge = Buffer.alloc(5 * 2 ** 20, ' ');
  it.each<[string, Reply, RegExp]>([
    ['a login page', { fault: 'html' }, /is not JSON/],
    ['a gzip bomb', packed(huge), /unpacks to more than/],
    ['a gzip bomb called an encoding', { fault: 'gzip', body: huge }, /encoded in a way/],
    [
      'gzip cut short',
      { fault: 'ok', body: gzipDeterministic(huge).subarray(0, 99) },
      /is not a whole gzip file/,
    ],
    ['more bytes than any has', { fault: 'ok', body: huge }, /larger than/],
    ['an endless answer', { fault: 'endlessList' }, /larger than/],
    ['another entry', packed(FILES.get('ID/GO-2024-0001.json')!), /describes "GO-2024-0001" instead/],
    ['a failure', { fault: 'status', status: 500, body: 'out of order\n' }, /status 500 \(out of order\)/],
    ['a refusal', { fault: 'status', status: 403 }, /refuses .* with status 403/],
  ])('is refused, its URL named, when it has %s for an entry', async (_what, reply, why) => {
    serve(FILES);
    upstream.on(ENTRY, reply);
    const error = await read(`${upstream.url}/db`).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: expect.stringMatching(/^upstream_/) as string });
    expect((error as Error).message).toMatch(why);
    expect((error as Error).message).toContain(`${upstream.url}/db`);
  });

  it('is asked for nothing but what ids are, whatever its index says', async () => {
    for (const id of ['../../secret', 'a/b', 'x?y', '', '%2e%2e', 'a\u0000']) {
      const body = JSON.stringify([{ path: 'a', vulns: [{ id, modified: NEXT_DAY }] }]);
      upstream
        .on(DB, packed(FILES.get('index/db.json')!))
        .on('/db/index/modules.json.gz', packed(Buffer.from(body)));
      await expect(read(`${upstream.url}/db`)).rejects.toMatchObject({
        code: 'upstream_failed',
        message: expect.stringContaining('which is no id') as string,
      });
    }
    expect(new Set(upstream.targets)).toEqual(new Set([DB, '/db/index/modules.json.gz']));
  });

  it('is read no further than the cap of all files together', async () => {
    serve(FILES);
    await expect(read(`${upstream.url}/db`, { maxBytes: 12_000 })).rejects.toMatchObject({
      code: 'upstream_failed',
      message: expect.stringContaining('larger than 12000 bytes') as string,
    });
    expect(upstream.requests.length).toBeLessThan(FILES.size);
  });

  it('that hangs is given up at the deadline, or when the caller gives up', async () => {
    serve(FILES);
    upstream.on(ENTRY, { fault: 'hangBeforeHead' });
    const source = `${upstream.url}/db`;
    await expect(read(source, { pace: { headers: 100 } })).rejects.toMatchObject({
      code: 'upstream_timeout',
    });
    const signal = AbortSignal.timeout(100);
    await expect(read(source, { signal })).rejects.toMatchObject({ code: 'busy' });
    // While it waits before the next attempt, too.
    upstream.on(ENTRY, { fault: 'status', status: 404 });
    const waiting = { signal: AbortSignal.timeout(300), pause: 60_000 };
    await expect(read(source, waiting)).rejects.toMatchObject({ code: 'busy' });
  });

  it('that is none says which file is missing where', async () => {
    await expect(read(`${upstream.url}/nothing`)).rejects.toMatchObject({
      code: 'not_found',
      message: `Vulnerability database file index/db.json is not known to ${upstream.url}/nothing.`,
    });
  });

  it.skipIf(!needs('openssl'))(
    'has over https a CA of its own, an egress proxy, and credentials',
    async () => {
      const ca = makeTestCa();
      await using secure = await HostileUpstream.start(ca);
      for (const [name, body] of FILES) secure.on(`/${name}.gz`, packed(body));
      const source = `https://me:secret@127.0.0.1:${secure.port}`;
      await using proxy = await startHttpProxy();
      const egress = { override: `http://127.0.0.1:${proxy.port}` };
      expect((await read(source, { tls: { ca: ca.ca }, egress })).size).toBe(FILES.size);
      expect(proxy.asked[0]).toBe(`CONNECT 127.0.0.1:${secure.port}`);
      expect(secure.requests[0]!.headers['authorization']).toMatch(/^Basic /);
      const refused = await read(source).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'upstream_unreachable' });
      expect(String(refused)).not.toContain('secret');
    },
  );
});

describe('a vulnerability database on disk', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'gokeep-vulndb-'));
    for (const below of ['index', 'ID']) await mkdir(path.join(directory, below));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it.each(['directory', 'file URL'])('is read whole from a %s, plain or gzipped', async (how) => {
    for (const [at, [name, body]] of [...FILES].entries()) {
      const file = path.join(directory, name);
      if (at % 3 > 0) await writeFile(file, body);
      if (at % 3 === 0) await writeFile(`${file}.gz`, gzipDeterministic(body));
      // Beside the plain file nobody looks at it.
      if (at % 3 === 1) await writeFile(`${file}.gz`, 'no gzip');
    }
    const source = how === 'directory' ? directory : pathToFileURL(directory).href;
    expect([...(await read(source))]).toEqual([...sorted(FILES)]);
  });

  it('is refused when it is not whole, and names what is missing and where', async () => {
    await writeFile(path.join(directory, 'index', 'db.json'), FILES.get('index/db.json')!);
    await expect(read(directory)).rejects.toMatchObject({
      code: 'not_found',
      message: `Vulnerability database file index/modules.json is not in the directory ${directory}.`,
    });
    await expect(read(path.join(directory, 'away'))).rejects.toMatchObject({ code: 'upstream_unreachable' });
  });
});

it.each(['ftp://db.test/', 'http://', 'http://u:p@db.test', 'file://host/x', 'C:\\vulndb'])(
  'no vulnerability database is read from %s',
  async (source) => {
    await expect(read(source)).rejects.toMatchObject({ code: 'bad_config' });
  },
);

it('an address that a client named leads to no machine that only the server can reach', async () => {
  serve(FILES);
  const source = `${upstream.url}/db`;
  expect((await read(source)).size).toBe(FILES.size);
  const before = upstream.targets.length;
  for (const named of [source, source.replace('127.0.0.1', 'localhost'), 'http://169.254.169.254/latest'])
    await expect(read(named, { isNamedByClient: true })).rejects.toMatchObject({ code: 'upstream_failed' });
  expect(upstream.targets.length).toBe(before);
  const allowAddresses = ['127.0.0.1'];
  expect((await read(source, { isNamedByClient: true, allowAddresses })).size).toBe(FILES.size);
});
