import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';
import { InProcess } from './in-process.ts';

let world: UpstreamWorld;
let zip: Buffer;

beforeAll(async () => {
  world = await UpstreamWorld.start();
  ({ zip } = await world.publish({
    path: 'example.test/big',
    version: 'v1.0.0',
    files: { 'big.bin': randomBytes(8 * 2 ** 20) },
  }));
});

afterAll(() => world[Symbol.asyncDispose]());

const toml = (more = '') => `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n${more}`;

/** Begins a GET and resolves with its response, unread. */
function begin(url: string, agent?: http.Agent): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    http.get(url, agent === undefined ? {} : { agent }, resolve).on('error', reject);
  });
}

async function rest(response: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('SIGTERM', () => {
  it('lets downloads end, refuses newcomers, closes idle connections, and ends with 0; a second one changes nothing', async () => {
    await using gokeep = await GokeepProcess.start({ toml: toml() });
    const agent = new http.Agent({ keepAlive: true });
    await rest(await begin(`${gokeep.url}/livez`, agent));
    const download = await begin(`${gokeep.url}/example.test/big/@v/v1.0.0.zip`);
    expect(download.statusCode).toBe(200);
    const ended = gokeep.stop('SIGTERM');
    await sleep(300);
    gokeep.child.kill('SIGTERM');
    gokeep.child.kill('SIGINT');
    await expect(gokeep.get('/livez')).rejects.toThrow();
    expect(gokeep.child.exitCode).toBeNull();
    expect((await rest(download)).equals(zip)).toBe(true);
    expect(await ended).toBe(0);
    agent.destroy();
    expect(gokeep.output).toContain('"url":"/example.test/big/@v/v1.0.0.zip","status":200');
  });

  it('lets a miss end that waits for upstream', async () => {
    await using slow = await UpstreamWorld.start();
    const made = await slow.publish({ path: 'example.test/slow', version: 'v1.0.0' });
    const target = '/example.test/slow/@v/v1.0.0.info';
    slow.upstream.on(target, { fault: 'hangBeforeHead' });
    await using gokeep = await GokeepProcess.start({
      toml: `[upstream]\nproxy = "${slow.url}|${world.url}|${slow.url}/again"\nsumdb = "off"\n[timeouts]\nhead = "1s"\n`,
    });
    slow.upstream.on(`/again${target}`, made.info);
    const asked = gokeep.get(target);
    await expect.poll(() => slow.moduleTargets).toContain(target);
    const ended = gokeep.stop('SIGTERM');
    const response = await asked;
    expect(response.status).toBe(200);
    expect(await response.text()).toBe(made.info);
    expect(await ended).toBe(0);
  });

  it('with http.drain_delay /readyz says 503 first, while requests are still taken', async () => {
    await using gokeep = await GokeepProcess.start({ toml: toml('[http]\ndrain_delay = "1500ms"\n') });
    expect((await gokeep.get('/readyz')).status).toBe(200);
    const ended = gokeep.stop('SIGTERM');
    await expect.poll(async () => (await gokeep.get('/readyz')).status).toBe(503);
    expect(await (await gokeep.get('/readyz')).text()).toBe('not ready: shutting down\n');
    expect((await gokeep.get('/livez')).status).toBe(200);
    expect((await gokeep.get('/example.test/big/@v/v1.0.0.info')).status).toBe(200);
    expect(await ended).toBe(0);
  });
});

describe('closing', () => {
  it('cuts what is still under way at the deadline, and the request is told to stop', async () => {
    const told = Promise.withResolvers<string>();
    const server = await InProcess.start({
      drain: 300,
      find: (_request, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            told.resolve('told');
            reject(signal.reason as Error);
          });
        }),
    });
    const asked = server.get('/a.test/m/@v/v1.0.0.mod');
    asked.catch(() => undefined);
    await sleep(50);
    const closed = server[Symbol.asyncDispose]();
    await expect(asked).rejects.toThrow();
    expect(await told.promise).toBe('told');
    await closed;
    await expect.poll(() => server.logged.at(-1)).toMatchObject({ status: 499 });
  });

  it('a connection that falls idle while the server drains does not hold it up', async () => {
    const answers: ((body: string) => void)[] = [];
    const server = await InProcess.start({
      find: async (request) => {
        const body = await new Promise<string>((resolve) => answers.push(resolve));
        return { kind: 'bytes', body: Buffer.from(body + request.kind), origin: 'store', immutable: true };
      },
    });
    const agent = new http.Agent({ keepAlive: true });
    const asked = begin(`${server.url}/a.test/m/@v/v1.0.0.mod`, agent);
    await expect.poll(() => answers.length).toBe(1);
    const begun = performance.now();
    const closed = server[Symbol.asyncDispose]();
    await sleep(100);
    answers[0]?.('late ');
    expect((await rest(await asked)).toString()).toBe('late mod');
    await closed;
    expect(performance.now() - begun).toBeLessThan(4_000);
    agent.destroy();
  });
});
