import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostileUpstream } from '../upstream/hostile-upstream.ts';
import { makeTestCa } from '../upstream/test-ca.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { needs } from '../world/programs.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

let world: UpstreamWorld;

beforeAll(async () => {
  world = await UpstreamWorld.start();
  await world.publish({ path: 'example.test/held', version: 'v1.0.0' });
  await world.publish({ path: 'example.test/new', version: 'v1.0.0' });
});

afterAll(() => world[Symbol.asyncDispose]());

const settings = (more = '') => `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n${more}`;

describe('a disk that is nearly full (case 79)', () => {
  it('what is held is served, nothing new is taken in, and clients and /readyz say why', async () => {
    await using first = await GokeepProcess.start({ toml: settings() });
    const kinds = ['info', 'mod', 'zip'];
    for (const kind of kinds)
      expect((await first.get(`/example.test/held/@v/v1.0.0.${kind}`)).status).toBe(200);
    await first.stop();
    await using full = await GokeepProcess.start({
      data: first.data,
      toml: settings('[cache]\ndisk_reserve = "1000000GB"\n'),
    });
    for (const kind of kinds) {
      expect((await full.get(`/example.test/held/@v/v1.0.0.${kind}`)).status).toBe(200);
      const refused = await full.get(`/example.test/new/@v/v1.0.0.${kind}`);
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toBe('5');
      expect(await refused.text()).toContain('nearly full');
    }
    expect((await full.get('/example.test/new/@v/list')).status).toBe(200);
    const ready = await full.get('/readyz');
    expect(ready.status).toBe(503);
    expect(await ready.text()).toBe('not ready: the disk reserve is used up\n');
    expect((await full.get('/livez')).status).toBe(200);
  });
});

describe.skipIf(!needs('openssl'))('credentials of an upstream (case 85, needs openssl)', () => {
  it('stand in no log line, no answer and no metric, whatever upstream does', async () => {
    const { ca, cert, key } = makeTestCa();
    await using upstream = await HostileUpstream.start({ cert, key });
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-secret-'));
    await writeFile(path.join(directory, 'ca.pem'), ca);
    const secret = 's3cret-of-upstream';
    const proxy = upstream.url.replace('://', `://user:${secret}@`);
    await using gokeep = await GokeepProcess.start({
      toml: `[upstream]\nproxy = "${proxy}"\nsumdb = "off"\nca = "${directory}/ca.pem"\n`,
    });
    const seen: string[] = [];
    for (const fault of ['status', 'closeUnanswered', 'garbage', 'truncated', 'redirect', 'html'] as const) {
      const target = `/example.test/${fault.toLowerCase()}/@v/list`;
      const location = `https://user:${secret}@127.0.0.1:1/`;
      upstream.on(target, { fault, status: fault === 'redirect' ? 302 : 500, location });
      const response = await gokeep.get(target);
      expect(response.status).toBe(502);
      seen.push(await response.text());
    }
    seen.push(await (await gokeep.get('/metrics')).text(), await (await gokeep.get('/')).text());
    await gokeep.stop();
    seen.push(gokeep.output);
    expect(gokeep.output).toContain('/example.test/garbage/@v/list');
    const encoded = Buffer.from(`user:${secret}`).toString('base64');
    for (const text of seen) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(encoded);
    }
    expect(upstream.requests[0]?.headers['authorization']).toBe(`Basic ${encoded}`);
    await rm(directory, { recursive: true });
  });
});

describe('the event loop (case 94)', () => {
  it('goes on answering while a large zip is unpacked and hashed', async () => {
    await world.publish({
      path: 'example.test/large',
      version: 'v1.0.0',
      // A kilobyte over and over: small to send, large to unpack.
      files: { 'f.bin': Buffer.alloc(160 * 2 ** 20, randomBytes(1024)) },
    });
    await using gokeep = await GokeepProcess.start({ toml: settings() });
    await gokeep.get('/example.test/held/@v/v1.0.0.mod');
    let running = true;
    const began = performance.now();
    const big = gokeep.get('/example.test/large/@v/v1.0.0.zip').then(async (response) => {
      const took = performance.now() - began;
      running = false;
      await response.arrayBuffer();
      return { status: response.status, took };
    });
    const waits: number[] = [];
    const keepAsking = async (): Promise<void> => {
      for (;;) {
        const asked = performance.now();
        await (await gokeep.get('/example.test/held/@v/v1.0.0.mod')).text();
        waits.push(performance.now() - asked);
        if (!running) return;
      }
    };
    await keepAsking();
    const { status, took } = await big;
    expect(status).toBe(200);
    const slowest = waits.sort((a, b) => a - b).at(Math.floor(waits.length * 0.99)) ?? 0;
    expect(waits.length).toBeGreaterThan(10);
    expect(slowest).toBeLessThan(took / 4);
  });
});

describe('X-Forwarded-For', () => {
  it('is logged when it comes from a front server that is trusted', async () => {
    await using trusting = await GokeepProcess.start({
      toml: settings('[http]\ntrust_proxy = ["127.0.0.0/8"]\n'),
    });
    await using wary = await GokeepProcess.start({ toml: settings() });
    for (const gokeep of [trusting, wary]) {
      await gokeep.get('/livez', { 'x-forwarded-for': '198.51.100.1, 203.0.113.5' });
      await gokeep.stop();
    }
    expect(trusting.output).toContain('"client":"203.0.113.5"');
    expect(wary.output).toContain('"client":"127.0.0.1"');
    expect(wary.output).not.toContain('203.0.113.5');
  });

  it('a malformed CIDR in http.trust_proxy is named at the start', async () => {
    const start = GokeepProcess.start({ toml: settings('[http]\ntrust_proxy = ["10.0.0.0/99"]\n') });
    await expect(start).rejects.toThrow(/http\.trust_proxy: "10\.0\.0\.0\/99" is no CIDR/);
  });
});
