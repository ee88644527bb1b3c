import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GoClient, type GoResult } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import type { MadeModule } from '../world/modules.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const PRIVATE = 'corp.test/lib';

let world: UpstreamWorld;
let own: UpstreamWorld;
let tree: MadeModule;
let online: GokeepProcess;
let settings: string;
let goCache: string;

const worldVkey = (): string => world.vkey;

beforeAll(async () => {
  goCache = await mkdtemp(path.join(tmpdir(), 'gokeep-gocache-'));
  world = await UpstreamWorld.start();
  own = await UpstreamWorld.start();
  await own.publish({ path: PRIVATE, version: 'v1.0.0' }, { inDatabase: false });
  await world.publish({ path: 'example.test/leaf', version: 'v1.0.0' });
  await world.publish({ path: 'example.test/leaf', version: 'v1.1.0' });
  await world.publish({ path: 'example.test/Upper/letter', version: 'v0.3.0-RC.1' });
  tree = await world.publish({
    path: 'example.test/tree/v2',
    version: 'v2.1.0',
    require: { 'example.test/leaf': 'v1.0.0', 'example.test/Upper/letter': 'v0.3.0-RC.1' },
  });
  settings = [
    'private = ["corp.test"]',
    `[[upstream]]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"`,
    `[[upstream]]\nmatch = ["corp.test"]\nprivate = true\nproxy = "${own.url}"`,
    '[refresh]\nttl = "200ms"',
    '[timeouts]\nconnect = "1s"\nhead = "2s"\nbody = "3s"\n',
  ].join('\n');
  online = await GokeepProcess.start({ toml: settings });
});

afterAll(async () => {
  await online[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await own[Symbol.asyncDispose]();
  await rm(goCache, { recursive: true, force: true });
});

/** A client that has never seen any module builds the same program; only what the compiler made is shared. */
async function build(server: GokeepProcess, gosumdb: string, withPrivate: boolean): Promise<void> {
  await using client = await GoClient.create({ GOPROXY: server.url, GOSUMDB: gosumdb, GOCACHE: goCache });
  const modules = [`${tree.path}@${tree.version}`, ...(withPrivate ? [`${PRIVATE}@v1.0.0`] : [])];
  const imports = [tree.path, ...(withPrivate ? [PRIVATE] : [])];
  await client.write(
    'main.go',
    `package main\n\n${imports.map((name) => `import _ "${name}"\n`).join('')}\nfunc main() {}\n`,
  );
  expect(await client.run('get', ...modules)).toMatchObject({ code: 0 });
  expect(await client.run('build', '-o', 'program', '.')).toMatchObject({ code: 0, stderr: '' });
  expect((await client.run('mod', 'verify')).stdout).toContain('all modules verified');
}

async function go(server: GokeepProcess, ...args: string[]): Promise<GoResult> {
  await using client = await GoClient.create({ GOPROXY: server.url, GOSUMDB: server.vkey });
  return await client.run(...args);
}

/** Everything that upstream says is a reset connection. */
function unplug(): void {
  for (const { upstream } of [world, own]) upstream.otherwise = () => ({ fault: 'reset' });
}

describe('with upstream unplugged and the clients’ caches gone', () => {
  beforeAll(async () => {
    await build(online, online.vkey, true);
    await build(online, worldVkey(), false);
    // Asked for by nobody yet: one version whose zip is not held, and one of which only the record is known.
    expect((await online.get('/example.test/leaf/@v/v1.1.0.mod')).status).toBe(200);
    unplug();
  });

  it('the same build works with our own database', async () => {
    await build(online, online.vkey, true);
  });

  it('the same build works with the public database, proxied', async () => {
    await build(online, worldVkey(), false);
  });

  it('what was never seen is trouble, not an absence', async () => {
    const missing = await online.get('/example.test/leaf/@v/v1.1.0.zip');
    expect(missing.status).toBe(502);
    expect((await missing.text()).replaceAll(/\s+/g, ' ')).toContain('example.test/leaf@v1.1.0');
  });

  it('a list that was never asked for is what is held, and says that it is stale', async () => {
    const list = await online.get('/example.test/tree/v2/@v/list');
    expect({ status: list.status, text: await list.text() }).toEqual({ status: 200, text: 'v2.1.0\n' });
    expect(list.headers.get('x-gokeep-from')).toBe('stale');
  });

  describe('Disable-Module-Fetch and /cached-only/', () => {
    it.each([
      ['the header', '', { 'disable-module-fetch': 'true' }],
      ['the base URL', '/cached-only', {}],
    ])('%s answers from the store only', async (_name, base, headers: Record<string, string>) => {
      const before = world.upstream.targets.length + own.upstream.targets.length;
      const get = async (target: string) => {
        const response = await online.get(`${base}${target}`, headers);
        return { status: response.status, text: await response.text() };
      };
      expect(await get('/example.test/leaf/@v/v1.0.0.zip')).toMatchObject({ status: 200 });
      expect(await get('/example.test/leaf/@v/v1.0.0.info')).toMatchObject({ status: 200 });
      expect(await get('/example.test/leaf/@v/list')).toEqual({ status: 200, text: 'v1.0.0\n' });
      expect((await get('/example.test/leaf/@latest')).text).toContain('"v1.0.0"');
      expect((await get('/example.test/leaf/@v/v1.info')).text).toContain('"v1.0.0"');
      for (const target of [
        '/example.test/leaf/@v/v1.1.0.zip',
        '/example.test/never/@v/list',
        '/example.test/never/@latest',
        '/example.test/never/@v/v1.0.0.info',
        '/example.test/never/@v/v1.0.0.mod',
        '/example.test/leaf/@v/main.info',
      ]) {
        const { status, text } = await get(target);
        expect({ target, status }).toEqual({ target, status: 404 });
        expect(text.replaceAll(/\s+/g, ' ')).toContain('is not held here');
      }
      expect(world.upstream.targets.length + own.upstream.targets.length).toBe(before);
    });

    it('the base URL serves a real go', async () => {
      await using client = await GoClient.create({
        GOPROXY: `${online.url}/cached-only/`,
        GOSUMDB: online.gosumdbWithUrl,
      });
      expect(await client.run('get', `${tree.path}@latest`)).toMatchObject({ code: 0 });
    });
  });
});

describe('started again with offline = true', () => {
  let offline: GokeepProcess;
  let asked: number;

  beforeAll(async () => {
    await online.stop();
    offline = await GokeepProcess.start({ toml: `offline = true\n${settings}`, data: online.data });
    asked = world.upstream.targets.length + own.upstream.targets.length;
  });

  afterAll(async () => {
    await offline[Symbol.asyncDispose]();
  });

  it('the same build works with our own database, reached through GOPROXY or by its address', async () => {
    await build(offline, offline.vkey, true);
    await build(offline, offline.gosumdbWithUrl, true);
  });

  it('the same build works with the public database, proxied', async () => {
    await build(offline, worldVkey(), false);
  });

  it('list, @latest and queries are what is held with zip and record', async () => {
    expect(await go(offline, 'list', '-m', '-versions', 'example.test/leaf')).toMatchObject({
      code: 0,
      stdout: 'example.test/leaf v1.0.0\n',
    });
    for (const query of ['latest', 'v1', 'upgrade', '<v1.9.0']) {
      const { stdout } = await go(offline, 'list', '-m', `example.test/leaf@${query}`);
      expect({ query, stdout }).toEqual({ query, stdout: 'example.test/leaf v1.0.0\n' });
    }
    expect((await go(offline, 'list', '-m', `${PRIVATE}@latest`)).stdout).toBe(`${PRIVATE} v1.0.0\n`);
  });

  it('what is not held is 404, so that a next proxy is asked, and the text says why', async () => {
    for (const args of [
      ['list', '-m', 'example.test/never@latest'],
      ['list', '-m', 'example.test/never@v1.0.0'],
      ['mod', 'download', 'example.test/leaf@v1.1.0'],
      ['list', '-m', 'example.test/leaf@v9.9.9'],
    ]) {
      const { code, stderr } = await go(offline, ...args);
      expect(code).toBe(1);
      expect(stderr).toContain('404 Not Found');
      const said = stderr.replaceAll(/\s+/g, ' ');
      expect(said).toContain('server response:');
      expect(said).toContain(`${args.at(-1)!.replace('@latest', '')} is not held here`);
      expect(said).toContain(
        'It goes on the wish list (gokeep bundle wishlist): ask the operator to bring it in.',
      );
    }
  });

  it('both databases answer for what they hold, and say 404 for the rest', async () => {
    const names = [offline.vkey.split('+')[0]!, 'localhost.localdev/sumdb'];
    for (const name of names) {
      const status = async (target: string) => (await offline.get(`/sumdb/${name}/${target}`)).status;
      expect(await status('supported')).toBe(200);
      expect(await status('latest')).toBe(200);
      expect(await status('lookup/example.test/leaf@v1.0.0')).toBe(200);
      expect(await status('lookup/example.test/never@v1.0.0')).toBe(404);
    }
  });

  it('nothing was asked upstream', () => {
    expect(world.upstream.targets.length + own.upstream.targets.length).toBe(asked);
  });

  it('file:// on the store works without us', async () => {
    await using client = await GoClient.create({
      GOPROXY: `file://${offline.data}/download`,
      GOSUMDB: offline.gosumdbWithUrl,
    });
    expect(await client.run('get', `${tree.path}@latest`, `${PRIVATE}@latest`)).toMatchObject({ code: 0 });
  });
});
