import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UpstreamReader } from '../../src/store/upstream-reader.ts';
import { gokeep } from '../cli/program.ts';
import { GoClient, type GoResult } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { UpstreamWorld, WORLD_DATABASE } from '../world/upstream-world.ts';

const DAY = 86_400_000;
/** The first day of the tests, in UTC days since 1970. */
const FIRST = 21_000;

let world: UpstreamWorld;
let directory: string;
let online: GokeepProcess;
let upstream: string;

const data = () => path.join(directory, 'data');
const setClock = (day: number) => writeFile(path.join(directory, 'day'), String(day));

/** The server's clock stands where a file says: at noon of that day. */
async function clockOption(): Promise<string> {
  const file = path.join(directory, 'clock.mjs');
  const day = JSON.stringify(path.join(directory, 'day'));
  await writeFile(
    file,
    `import { readFileSync } from 'node:fs';
Date.now = () => (Number(readFileSync(${day}, 'utf8')) + 0.5) * ${DAY};
`,
  );
  return `--import=${pathToFileURL(file).href}`;
}

async function go(server: GokeepProcess, ...args: string[]): Promise<GoResult> {
  await using client = await GoClient.create({ GOPROXY: server.url, GOSUMDB: server.vkey });
  return await client.run(...args);
}

const servedSince = (day: number): string[] => {
  using reader = new UpstreamReader(path.join(data(), 'upstream.db'));
  return [...reader.servedSince(day)].map((one) => `${one.path}@${one.version}.${one.kind}`);
};

const wishlist = async (...args: string[]): Promise<(string | undefined)[]> => {
  const { code, stdout, stderr } = await gokeep(['bundle', 'wishlist', '--data', data(), ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' ')[0]);
};

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-demand-'));
  world = await UpstreamWorld.start();
  await world.publish({ path: 'example.test/Leaf', version: 'v1.0.0' });
  await world.publish({
    path: 'example.test/tree',
    version: 'v1.0.0',
    require: { 'example.test/Leaf': 'v1.0.0' },
  });
  await world.publish({ path: 'example.test/absent', version: 'v1.0.0' });
  upstream = `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`;
  await setClock(FIRST);
  online = await GokeepProcess.start({
    toml: upstream,
    data: data(),
    env: { NODE_OPTIONS: await clockOption() },
  });
});

afterAll(async () => {
  await online[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

describe('what a real go was served', () => {
  const leaf = ['info', 'mod', 'zip'].map((kind) => `example.test/Leaf@v1.0.0.${kind}`);
  const tree = ['info', 'mod', 'zip'].map((kind) => `example.test/tree@v1.0.0.${kind}`);
  const fast = async () =>
    Number(/^gokeep_fast_answers_total (.+)$/m.exec(await (await online.get('/metrics')).text())?.[1]);

  it('is known by its day, read beside the running server', async () => {
    expect(await go(online, 'mod', 'download', 'example.test/Leaf@v1.0.0')).toMatchObject({ code: 0 });
    await expect.poll(() => servedSince(FIRST), { timeout: 15_000 }).toEqual(leaf);
    expect(servedSince(FIRST + 1)).toEqual([]);
  });

  it('is known by a later day when it came out of memory then', async () => {
    await setClock(FIRST + 2);
    // The server looks at its clock every second.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await go(online, 'mod', 'download', 'example.test/tree@v1.0.0')).toMatchObject({ code: 0 });
    const before = await fast();
    expect(await go(online, 'mod', 'download', 'example.test/Leaf@v1.0.0')).toMatchObject({ code: 0 });
    expect(await fast()).toBeGreaterThanOrEqual(before + 3);
    // Closing writes what waits.
    expect(await online.stop()).toBe(0);
    expect(servedSince(FIRST + 2)).toEqual([...leaf, ...tree]);
  });

  it('is no more than the old day where nobody asked again', async () => {
    await setClock(FIRST + 5);
    online = await GokeepProcess.start({
      toml: upstream,
      data: data(),
      env: { NODE_OPTIONS: await clockOption() },
    });
    expect(await go(online, 'mod', 'download', 'example.test/tree@v1.0.0')).toMatchObject({ code: 0 });
    expect(await online.stop()).toBe(0);
    expect(servedSince(FIRST + 5)).toEqual(tree);
  });
});

describe('what a real go asked for offline and did not get', () => {
  let offline: GokeepProcess;

  beforeAll(async () => {
    await online.stop();
    offline = await GokeepProcess.start({ toml: `offline = true\n${upstream}`, data: data() });
  });

  afterAll(() => offline[Symbol.asyncDispose]());

  it('is told to be on the wish list, and is listed beside the running server', async () => {
    const { code, stderr } = await go(offline, 'mod', 'download', 'example.test/absent@v1.0.0');
    expect(code).toBe(1);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain(
      'example.test/absent@v1.0.0 is not held here, and this gokeep answers from its store only. It goes on the wish list (gokeep bundle wishlist): ask the operator to bring it in.',
    );
    await expect.poll(() => wishlist(), { timeout: 15_000 }).toEqual(['example.test/absent@v1.0.0']);
  });

  it('is uncertain where go only tried the parents of a package path', async () => {
    const { code } = await go(offline, 'get', 'example.test/group/lib/pkg');
    expect(code).toBe(1);
    await expect
      .poll(() => wishlist(), { timeout: 15_000 })
      .toEqual([
        '?example.test@latest',
        'example.test/absent@v1.0.0',
        '?example.test/group@latest',
        '?example.test/group/lib@latest',
        '?example.test/group/lib/pkg@latest',
      ]);
  });

  it('is forgotten beside the running server, which then takes new wishes, from the public database too', async () => {
    expect(await wishlist('--clear')).toHaveLength(5);
    expect(await wishlist()).toEqual([]);
    const lookup = await offline.get(`/sumdb/${WORLD_DATABASE}/lookup/example.test/other@v1.0.0`);
    expect(lookup.status).toBe(404);
    expect((await lookup.text()).replaceAll(/\s+/g, ' ')).toContain('It goes on the wish list');
    // Ended at once: what waits is written.
    expect(await offline.stop()).toBe(0);
    expect(await wishlist()).toEqual(['example.test/other@v1.0.0']);
  });

  it('is left out once it is held', async () => {
    await using later = await GokeepProcess.start({ toml: upstream, data: data() });
    await world.publish({ path: 'example.test/other', version: 'v1.0.0' });
    expect(await go(later, 'mod', 'download', 'example.test/other@v1.0.0')).toMatchObject({ code: 0 });
    expect(await wishlist()).toEqual([]);
  });
});
