import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import http from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const MiB = 2 ** 20;
let world: UpstreamWorld;
let gokeep: GokeepProcess;
let zip: Buffer;
const BIG = '/example.test/big/@v/v1.0.0.zip';

beforeAll(async () => {
  world = await UpstreamWorld.start();
  ({ zip } = await world.publish({
    path: 'example.test/big',
    version: 'v1.0.0',
    files: { 'big.bin': randomBytes(24 * MiB) },
  }));
  gokeep = await GokeepProcess.start({
    toml: `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n[refresh]\nttl = "1h"\n`,
  });
});

afterAll(async () => {
  await gokeep[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

/** Resident memory of the server in MiB. */
function residentMiB(): number {
  const status = readFileSync(`/proc/${gokeep.child.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+([0-9]+) kB/.exec(status)?.[1]) / 1024;
}

/** Stored files that the server holds open. */
function storedFilesOpen(): number {
  const directory = `/proc/${gokeep.child.pid}/fd`;
  return readdirSync(directory).filter((fd) => {
    try {
      return readlinkSync(`${directory}/${fd}`).includes('/download/');
    } catch {
      return false;
    }
  }).length;
}

/** Downloads and counts, keeping nothing. */
function download(target: string): Promise<{ status: number; bytes: number }> {
  return new Promise((resolve, reject) => {
    http
      .get(`${gokeep.url}${target}`, { agent: false }, (response) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => (bytes += chunk.length));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, bytes }));
        response.on('error', reject);
      })
      .on('error', reject);
  });
}

function ask(target: string): Socket {
  const socket = connect(Number(new URL(gokeep.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
  return socket;
}

describe('many clients, one big zip (case 92)', () => {
  it('is one fetch upstream, and memory does not grow with the number of clients', async () => {
    const idle = residentMiB();
    const downloads = Array.from({ length: 100 }, () => download(BIG));
    let highest = 0;
    const watch = setInterval(() => {
      highest = Math.max(highest, residentMiB());
    }, 50);
    const results = await Promise.all(downloads).finally(() => clearInterval(watch));
    expect(results.every(({ status, bytes }) => status === 200 && bytes === zip.length)).toBe(true);
    expect(world.moduleTargets.filter((target) => target === BIG)).toHaveLength(1);
    // 100 buffers of 256 KiB and what sockets hold; 100 copies of the zip would be 2,400 MiB.
    expect(highest - idle).toBeLessThan(250);
    await expect.poll(storedFilesOpen).toBe(0);
  });

  it('readers that take nothing pin a buffer each, and no more (case 95)', async () => {
    const before = residentMiB();
    const sockets = Array.from({ length: 100 }, () => ask(BIG));
    for (const socket of sockets) socket.pause();
    await expect.poll(storedFilesOpen).toBe(100);
    await sleep(500);
    expect(residentMiB() - before).toBeLessThan(120);
    expect((await gokeep.get('/livez')).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await expect.poll(storedFilesOpen).toBe(0);
  });
});

describe('clients that go away (case 93)', () => {
  /** A version whose go.mod hangs upstream; resolves once upstream has been asked. */
  async function hanging(path: string): Promise<{ target: string; connections: () => number }> {
    await world.publish({ path, version: 'v1.0.0' });
    const target = `/${path}/@v/v1.0.0.info`;
    world.upstream.on(target, { fault: 'hangInBody', body: '{"Ver' });
    return { target, connections: () => world.upstream.targets.filter((asked) => asked === target).length };
  }

  it('the only one that waited: the request upstream is given up, and the next one asks anew', async () => {
    const { target, connections } = await hanging('example.test/alone');
    const socket = ask(target);
    await expect.poll(connections).toBe(1);
    socket.destroy();
    await expect.poll(() => gokeep.output).toContain(`"url":"${target}","status":499`);
    world.upstream.on(target, '{"Version":"v1.0.0"}');
    expect((await gokeep.get(target)).status).toBe(200);
    expect(connections()).toBe(2);
  });

  it('the first of several: the others get their answer from the same request', async () => {
    const made = await world.publish({
      path: 'example.test/several',
      version: 'v1.0.0',
      files: { 'f.bin': randomBytes(4 * MiB) },
    });
    const target = '/example.test/several/@v/v1.0.0.zip';
    world.upstream.on(target, { fault: 'ok', body: made.zip });
    const leader = ask(target);
    const followers = Array.from({ length: 5 }, () => download(target));
    leader.destroy();
    const results = await Promise.all(followers);
    expect(results).toEqual(Array.from({ length: 5 }, () => ({ status: 200, bytes: made.zip.length })));
    expect(world.upstream.targets.filter((asked) => asked === target).length).toBe(1);
  });
});

describe('misses without end (case 91)', () => {
  it('12,000 distinct absences leave memory where it settles, and each is asked of upstream once', async () => {
    const missing = (from: number, count: number) => async () => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
      let next = from;
      const one = (target: string): Promise<number> =>
        new Promise((resolve, reject) => {
          http
            .get(`${gokeep.url}${target}`, { agent }, (response) => {
              response.resume();
              response.on('end', () => resolve(response.statusCode ?? 0));
            })
            .on('error', reject);
        });
      const worker = async (): Promise<void> => {
        for (let i = next++; i < from + count; i = next++) {
          expect(await one(`/absent.test/m${i}/@v/list`)).toBe(404);
        }
      };
      await Promise.all(Array.from({ length: 32 }, worker));
      agent.destroy();
    };
    const before = world.upstream.requests.length;
    await missing(0, 6_000)();
    const settled = residentMiB();
    await missing(6_000, 6_000)();
    expect(residentMiB() - settled).toBeLessThan(120);
    expect(world.upstream.requests.length - before).toBe(12_000);
    await missing(11_000, 500)();
    expect(world.upstream.requests.length - before).toBe(12_000);
  });
});
