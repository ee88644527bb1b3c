import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

let world: UpstreamWorld;
let own: UpstreamWorld;
let data: string;
let toml: string;
let server: GokeepProcess;

beforeAll(async () => {
  data = await mkdtemp(path.join(tmpdir(), 'gokeep-status-'));
  [world, own] = await Promise.all([UpstreamWorld.start(), UpstreamWorld.start()]);
  await world.publish({ path: 'example.test/leaf', version: 'v1.0.0' });
  toml = [
    `[[upstream]]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"`,
    `[[upstream]]\nmatch = ["corp.test"]\nprivate = true\nproxy = "${own.url}"`,
    '[timeouts]\nconnect = "1s"\nhead = "1s"\nbody = "2s"\n',
  ].join('\n');
  server = await GokeepProcess.start({ toml, data });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
  await own[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});

interface Told {
  readonly upstreams: readonly Record<string, unknown>[];
  readonly database: Record<string, unknown>;
  readonly rows: readonly Record<string, unknown>[];
  readonly log: readonly unknown[];
}

const api = async (target: string) => (await (await server.get(`/api/v1/${target}`)).json()) as Told;
const ask = async (target: string) => {
  const answer = await server.get(target);
  await answer.arrayBuffer();
  return answer.status;
};

describe('how upstreams do', () => {
  it('is told as they fail, hang and work again, each by itself', async () => {
    expect((await api('upstreams')).upstreams).toMatchObject([
      { id: '1.1', condition: 'unused', private: false, name: world.url },
      { id: '2.1', condition: 'unused', private: true, name: own.url, match: ['corp.test'] },
    ]);
    const LEAF = '/example.test/leaf/@v/v1.0.0';
    expect(await ask(`${LEAF}.zip`)).toBe(200);
    own.upstream.on('/corp.test/lib/@v/list', { fault: 'status', status: 401, body: 'who are you\n' });
    expect(await ask('/corp.test/lib/@v/list')).toBe(403);
    expect(await api('upstreams')).toMatchObject({
      offline: false,
      upstreams: [
        { condition: 'works', failures: 0 },
        { condition: 'fails', failures: 1, lastFailure: { code: 'upstream_refused' } },
      ],
      database: { forked: false, size: 1, headSeenAt: expect.any(String), health: { condition: 'works' } },
      incidents: 0,
      staleAnswers: 0,
    });
    own.upstream.on('/corp.test/lib/@v/list', { fault: 'hangBeforeHead' });
    expect(await ask('/corp.test/lib/@v/list')).toBe(504);
    expect((await api('upstreams')).upstreams[1]).toMatchObject({
      condition: 'fails',
      lastFailure: { code: 'upstream_timeout' },
    });
    own.upstream.on('/corp.test/lib/@v/list', { fault: 'ok', body: 'v1.0.0\n' });
    expect(await ask('/corp.test/lib/@v/list')).toBe(200);
    expect((await api('upstreams')).upstreams[1]).toMatchObject({
      condition: 'works',
      requests: 3,
      failures: 2,
    });
  });

  it('is in the metrics, which everybody may read, without names', async () => {
    const text = await (await server.get('/metrics')).text();
    expect(text).toContain('gokeep_upstream_up{upstream="2.1",kind="proxy",private="true"} 1');
    expect(text).toContain('gokeep_upstream_failures_total{upstream="2.1",kind="proxy",private="true"} 2');
    expect(text).toContain('gokeep_upstream_log_size 1');
    expect(text).not.toContain(new URL(own.url).host);
    expect(text).not.toContain(new URL(world.url).host);
  });
});

describe('the history', () => {
  it('counts requests of builds by how they ended, and is there after a restart', async () => {
    const LEAF = '/example.test/leaf/@v/v1.0.0';
    // From upstream once, then from memory.
    for (let n = 0; n < 5; n++) expect(await ask(`${LEAF}.mod`)).toBe(200);
    expect(await ask('/example.test/none/@v/list')).toBe(404);
    expect(await ask('/ui/status')).toBe(200);
    expect((await api('history')).rows).toEqual([]);
    await server.stop();
    server = await GokeepProcess.start({ toml, data });
    for (const span of ['hour', 'day']) {
      const { rows, log } = await api(`history?span=${span}`);
      expect(rows).toMatchObject([{ records: 1, requests: { memory: 4, absent: 1, failed: 1, refused: 1 } }]);
      // The head of the audit trail is a record, too.
      expect(log).toHaveLength(2);
    }
    const answer = await server.get('/ui/status', { accept: 'text/html' });
    expect(await answer.text()).toContain('4 from memory');
  });

  it('says who used what', async () => {
    expect(await ask('/example.test/leaf/@v/v1.0.0.zip')).toBe(200);
    expect(await api('usage')).toMatchObject({
      modules: [{ path: 'example.test/leaf', clients: 1, versions: 1, downloads: 1 }],
      clients: [{ name: 'anonymous', modules: 1, downloads: 1 }],
    });
  });
});
