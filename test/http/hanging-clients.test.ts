import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeTestCa } from '../upstream/test-ca.ts';
import { needs } from '../world/programs.ts';
import { InProcess } from './in-process.ts';

const SIZE = 8 * 2 ** 20;
let directory: string;
let file: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-hanging-'));
  file = path.join(directory, 'a.zip');
  await writeFile(file, randomBytes(SIZE));
});

afterAll(() => rm(directory, { recursive: true }));

const zipServer = () =>
  InProcess.start({ memory: 0, find: async () => ({ kind: 'file', file, size: SIZE, origin: 'store' }) });

const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`;

/** A connection that has sent this and reads nothing. */
async function mute(port: number, sent: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  await once(socket, 'connect');
  socket.write(sent);
  return socket;
}

async function timesOpen(): Promise<number> {
  const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
  return (await Promise.all(links)).filter((target) => target === file).length;
}

const connections = (server: InProcess): Promise<number> =>
  new Promise((resolve) => server.app.server.getConnections((_error, count) => resolve(count)));

describe('a client that sends requests ahead', () => {
  it('is ended when there are too many, and no file stays open', async () => {
    await using server = await zipServer();
    const socket = await mute(server.port, get('/a.test/m/@v/v1.0.0.zip').repeat(1000));
    let most = 0;
    for (let i = 0; i < 20; i++) {
      most = Math.max(most, await timesOpen());
      await sleep(20);
    }
    expect(most).toBeLessThanOrEqual(16);
    await expect.poll(() => connections(server)).toBe(0);
    await expect.poll(timesOpen).toBe(0);
    socket.destroy();
  });

  it('and goes leaves no file open, and every answer is told so', async () => {
    await using server = await zipServer();
    const socket = await mute(server.port, get('/a.test/m/@v/v1.0.0.zip').repeat(10));
    await expect.poll(timesOpen).toBe(10);
    socket.destroy();
    await expect.poll(timesOpen).toBe(0);
    await expect.poll(() => server.logged.map((line) => line['status'])).toEqual(Array(10).fill(499));
  });

  it('is answered in order as long as they are few', async () => {
    await using server = await InProcess.start({
      memory: 0,
      find: async (request) => {
        await sleep(Math.random() * 20);
        const body = Buffer.from(`<${'version' in request ? request.version : ''}>`);
        return { kind: 'bytes', body, origin: 'store', immutable: true };
      },
    });
    const versions = Array.from({ length: 16 }, (_, i) => `v1.0.${i}`);
    const socket = connect(server.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    for (let round = 1; round <= 3; round++) {
      socket.write(versions.map((version) => get(`/a.test/m/@v/${version}.mod`)).join(''));
      await expect.poll(() => [...text.matchAll(/<(.*?)>/g)].length).toBe(16 * round);
    }
    expect([...text.matchAll(/<(.*?)>/g)].map((match) => match[1])).toEqual([
      ...versions,
      ...versions,
      ...versions,
    ]);
    socket.destroy();
  });
});

describe('a client that never reads', () => {
  const body = Buffer.alloc(SIZE, 'a');
  const find = async () => ({ kind: 'bytes', body, origin: 'store', immutable: true }) as const;

  it.each([
    ['an answer just found', 0],
    ['a prepared answer', 2 ** 27],
  ])('of %s is ended', async (_what, memory) => {
    await using server = await InProcess.start({ memory, find, stalledAfter: 300 });
    await (await server.get('/a.test/m/@v/list')).arrayBuffer();
    const begun = await connections(server);
    const socket = await mute(server.port, get('/a.test/m/@v/list'));
    await expect.poll(() => connections(server)).toBe(begun + 1);
    await expect.poll(() => connections(server), { timeout: 5_000 }).toBeLessThanOrEqual(begun);
    socket.destroy();
  });

  it('is not who reads slowly, nor who waits for us', async () => {
    // Megabytes stand in the kernel before the server sees that any were read: the whole has to be large against those.
    const large = Buffer.alloc(8 * SIZE, 'a');
    await using server = await InProcess.start({
      memory: 0,
      stalledAfter: 1_000,
      find: async () => {
        await sleep(2_200);
        return { kind: 'bytes', body: large, origin: 'store', immutable: true };
      },
    });
    const socket = await mute(server.port, get('/a.test/m/@v/list'));
    let got = 0;
    while (got < large.length && !socket.destroyed) {
      await sleep(3);
      got += (socket.read() as Buffer | null)?.length ?? 0;
    }
    expect(got).toBeGreaterThan(large.length);
    socket.destroy();
  });

  describe.skipIf(!needs('openssl'))('over TLS (needs openssl)', () => {
    const start = async () => {
      const { ca, cert, key } = makeTestCa();
      const files = { cert: path.join(directory, 'a.pem'), key: path.join(directory, 'a.key') };
      await writeFile(files.cert, cert);
      await writeFile(files.key, key);
      return { ca, server: await InProcess.start({ tls: files, memory: 0, find, stalledAfter: 300 }) };
    };

    it('is ended on HTTP/1.1', async () => {
      const { ca, server: started } = await start();
      await using server = started;
      const socket = tls.connect({ port: server.port, host: '127.0.0.1', ca });
      socket.on('error', () => undefined);
      await once(socket, 'secureConnect');
      socket.write(get('/a.test/m/@v/list'));
      socket.pause();
      expect(await connections(server)).toBe(1);
      await expect.poll(() => connections(server), { timeout: 5_000 }).toBe(0);
      socket.destroy();
    });

    it('has its stream ended on HTTP/2, and no other', async () => {
      const { ca, server: started } = await start();
      await using server = started;
      const client = http2.connect(server.url, { ca });
      const stuck = client.request({ ':path': '/a.test/m/@v/list' });
      stuck.on('error', () => undefined);
      stuck.pause();
      await once(stuck, 'response');
      await once(stuck, 'close');
      expect(stuck.rstCode).toBe(http2.constants.NGHTTP2_CANCEL);
      const other = client.request({ ':path': '/livez' });
      other.resume();
      await once(other, 'end');
      client.destroy();
    });

    it('is ended on HTTP/2 when its connection takes nothing either', async () => {
      const { ca, server: started } = await start();
      await using server = started;
      let session: http2.ServerHttp2Session | undefined;
      server.app.server.on('session', (opened: http2.ServerHttp2Session) => (session = opened));
      const socket = tls.connect({ port: server.port, host: '127.0.0.1', ca, ALPNProtocols: ['h2'] });
      socket.on('error', () => undefined);
      await once(socket, 'secureConnect');
      const client = http2.connect(server.url, {
        createConnection: () => socket,
        settings: { initialWindowSize: 2 ** 30 },
      });
      client.on('error', () => undefined);
      client.setLocalWindowSize(2 ** 30);
      const stuck = client.request({ ':path': '/a.test/m/@v/list' });
      stuck.on('error', () => undefined);
      await once(stuck, 'response');
      // Stops reading below HTTP/2, which has windows enough.
      (socket as unknown as { _handle: { readStop(): void } })._handle.readStop();
      expect(await connections(server)).toBe(1);
      await sleep(1_000);
      // What node emits after KEEP_ALIVE_MS without activity.
      session?.emit('timeout');
      await expect.poll(() => connections(server), { timeout: 5_000 }).toBe(0);
      client.destroy();
      socket.destroy();
    });
  });
});
