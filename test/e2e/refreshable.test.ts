import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Reply } from '../upstream/hostile-upstream.ts';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const TTL = 1_000;

let world: UpstreamWorld;
let gokeep: GokeepProcess;

beforeAll(async () => {
  world = await UpstreamWorld.start();
  gokeep = await GokeepProcess.start({
    toml: [
      `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"`,
      `[refresh]\nttl = "${TTL}ms"`,
      '[timeouts]\nconnect = "1s"\nhead = "20s"\nbody = "30s"\n',
    ].join('\n'),
  });
});

afterAll(async () => {
  await gokeep[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

async function get(target: string) {
  const startedAt = performance.now();
  const response = await gokeep.get(target);
  const text = await response.text();
  return {
    status: response.status,
    text,
    from: response.headers.get('x-gokeep-from'),
    warning: response.headers.get('warning'),
    cacheControl: response.headers.get('cache-control'),
    milliseconds: performance.now() - startedAt,
  };
}

const asked = (target: string): number => world.upstream.targets.filter((seen) => seen === target).length;

async function staleAnswers(): Promise<number> {
  const metrics = await (await gokeep.get('/metrics')).text();
  return Number(/^gokeep_stale_answers_total (\d+)$/m.exec(metrics)?.[1] ?? 0);
}

/** The three kinds of answer that may change, of one module; each as it is before and after a new tag. */
async function publishOld(path: string): Promise<{ targets: string[]; publishNew: () => Promise<void> }> {
  await world.publish({ path, version: 'v1.0.0' });
  const branch = `/${path}/@v/main.info`;
  world.upstream.on(branch, '{"Version":"v1.0.0"}');
  return {
    targets: [`/${path}/@v/list`, `/${path}/@latest`, branch],
    publishNew: async () => {
      await world.publish({ path, version: 'v1.1.0' });
      world.upstream.on(branch, '{"Version":"v1.1.0"}');
    },
  };
}

describe('a new tag', () => {
  it('is visible within the TTL, in list, @latest and the branch', async () => {
    const { targets, publishNew } = await publishOld('fresh.test/tag');
    for (const target of targets) expect((await get(target)).text).toContain('v1.0.0');
    await publishNew();
    const tagged = performance.now();
    for (const target of targets) {
      await expect
        .poll(async () => (await get(target)).text, { interval: 50, timeout: 5_000 })
        .toContain('v1.1.0');
    }
    expect(performance.now() - tagged).toBeLessThan(TTL + 500);
  });

  it('is visible to go within the TTL, also where there was no module at all', async () => {
    const path = 'fresh.test/new';
    const list = async () => {
      await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
      return await client.run('list', '-m', '-versions', path);
    };
    expect((await list()).stderr).toContain('404 Not Found');
    await world.publish({ path, version: 'v1.0.0' });
    await sleep(TTL + 50);
    expect((await list()).stdout).toBe(`${path} v1.0.0\n`);
    await world.publish({ path, version: 'v1.0.1' });
    await sleep(TTL + 50);
    expect((await list()).stdout).toBe(`${path} v1.0.0 v1.0.1\n`);
  });

  it('costs upstream one request a TTL, however many clients ask', async () => {
    const { targets } = await publishOld('fresh.test/many');
    for (const target of targets) {
      await Promise.all(Array.from({ length: 20 }, () => get(target)));
      expect((await get(target)).status).toBe(200);
      expect(asked(target)).toBe(1);
    }
  });

  it('an absence is asked for again after the TTL only', async () => {
    const target = '/fresh.test/absent/@v/list';
    for (let n = 0; n < 5; n++) expect((await get(target)).status).toBe(404);
    expect(asked(target)).toBe(1);
    await sleep(TTL + 50);
    expect((await get(target)).status).toBe(404);
    expect(asked(target)).toBe(2);
  });
});

describe('when upstream is down', () => {
  const faults: readonly Reply[] = [
    { fault: 'status', status: 500 },
    { fault: 'status', status: 503 },
    { fault: 'status', status: 429 },
    { fault: 'html' },
    { fault: 'truncated' },
    { fault: 'garbage' },
    { fault: 'reset' },
  ];

  it.each(faults)('the older answer is given, marked and counted: $fault $status', async (reply) => {
    const path = `stale.test/${reply.fault}${reply.status ?? ''}`.toLowerCase();
    const { targets } = await publishOld(path);
    const first = await Promise.all(targets.map(get));
    await sleep(TTL + 50);
    for (const target of targets) world.upstream.on(target, reply);
    const before = await staleAnswers();
    const stale = await Promise.all(targets.map(get));
    expect(stale.map(({ status, text }) => ({ status, text }))).toEqual(
      first.map(({ text }) => ({ status: 200, text })),
    );
    for (const { from, warning, cacheControl } of stale) {
      expect({ from, warning, cacheControl }).toEqual({
        from: 'stale',
        warning: '110 - "Response is Stale"',
        cacheControl: 'no-store',
      });
    }
    expect(await staleAnswers()).toBe(before + targets.length);
    for (const { from, warning } of first)
      expect({ from, warning }).toEqual({ from: 'upstream', warning: null });
  });

  it('a hanging upstream delays the older answer by seconds, not by its deadline', async () => {
    const { targets } = await publishOld('stale.test/hanging');
    await Promise.all(targets.map(get));
    await sleep(TTL + 50);
    for (const target of targets) world.upstream.on(target, { fault: 'hangBeforeHead' });
    for (const { status, text, from, milliseconds } of await Promise.all(targets.map(get))) {
      expect({ status, from }).toEqual({ status: 200, from: 'stale' });
      expect(text).toContain('v1.0.0');
      expect(milliseconds).toBeLessThan(8_000);
    }
  });

  it('is not asked again with every request', async () => {
    const { targets } = await publishOld('stale.test/patient');
    const [target] = targets as [string];
    await get(target);
    await sleep(TTL + 50);
    world.upstream.on(target, { fault: 'status', status: 500 });
    for (let n = 0; n < 10; n++) expect((await get(target)).from).toBe('stale');
    expect(asked(target)).toBe(2);
  });

  it('a failure is no absence, and the next request asks again', async () => {
    const path = 'stale.test/unknown';
    const { targets } = await publishOld(path);
    const scripted = world.upstream;
    for (const target of targets) {
      scripted.on(target, { fault: 'status', status: 500 });
      expect((await get(target)).status).toBe(502);
      scripted.on(target, '{"Version":"v1.0.0"}');
      if (target.endsWith('list')) scripted.on(target, 'v1.0.0\n');
      expect(await get(target)).toMatchObject({ status: 200, from: 'upstream' });
    }
  });

  it('an absence that upstream truly states takes the older answer away', async () => {
    const { targets } = await publishOld('stale.test/removed');
    for (const target of targets) expect((await get(target)).status).toBe(200);
    await sleep(TTL + 50);
    for (const target of targets) {
      world.upstream.on(target, { fault: 'status', status: 410, body: 'taken down\n' });
      expect(await get(target)).toMatchObject({ status: 410, text: 'taken down\n' });
    }
  });

  it('go works on with what was known, and so it does after a restart of gokeep', async () => {
    const { targets } = await publishOld('stale.test/restart');
    await Promise.all(targets.map(get));
    await using copy = await GokeepProcess.start({
      toml: `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n[refresh]\nttl = "${TTL}ms"\n`,
    });
    for (const target of targets) expect((await copy.get(target)).status).toBe(200);
    await copy.stop();
    await sleep(TTL);
    for (const target of targets) world.upstream.on(target, { fault: 'reset' });
    await using again = await GokeepProcess.start({
      toml: `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n[refresh]\nttl = "${TTL}ms"\n`,
      data: copy.data,
    });
    for (const target of targets) {
      const response = await again.get(target);
      expect(response.status).toBe(200);
      expect(response.headers.get('x-gokeep-from')).toBe('stale');
    }
    await using client = await GoClient.create({ GOPROXY: again.url, GOSUMDB: again.vkey });
    expect((await client.run('list', '-m', '-versions', 'stale.test/restart')).stdout).toBe(
      'stale.test/restart v1.0.0\n',
    );
  });
});
