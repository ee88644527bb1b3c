import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { zstdCompressSync } from 'node:zlib';
import { Agent } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bundleHandler } from '../../src/http/bundle-handler.ts';
import { generateKey } from '../../src/note/signer.ts';
import { ClosedSite, inPieces } from '../airgap/closed-site.ts';
import { ingredients, type Packed, pack } from '../airgap/made-bundle.ts';
import { makeTestCa } from '../upstream/test-ca.ts';
import { needs } from '../world/programs.ts';
import { InProcess } from './in-process.ts';

/** Far more than what the buffers of a connection hold. */
const LARGE = 64 * 2 ** 20;
const TARGET = '/api/v1/bundles';

let directory: string;
let made: Awaited<ReturnType<typeof ingredients>>;
let good: Packed;
let tls: { cert: string; key: string };
let site: ClosedSite;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-bundles-'));
  made = await ingredients();
  good = pack(made);
  tls = { cert: path.join(directory, 'cert.pem'), key: path.join(directory, 'key.pem') };
  const { cert, key } = makeTestCa();
  await writeFile(tls.cert, cert);
  await writeFile(tls.key, key);
});

afterAll(() => rm(directory, { recursive: true }));

beforeEach(async () => {
  site = await ClosedSite.open([made.own.verifier], [made.own.verifier, made.second.verifier]);
});

afterEach(() => site[Symbol.asyncDispose]());

interface Served {
  readonly over?: 'tls';
  readonly stalledMs?: number;
  readonly lingerMs?: number;
}

const serve = (importer: ClosedSite, { over, stalledMs, lingerMs }: Served = {}) =>
  InProcess.start({
    find: () => Promise.reject(new Error('no modules here')),
    bundles: (exchange) => bundleHandler(exchange, importer.bundles, { info: () => undefined }, stalledMs),
    ...(over === undefined ? {} : { tls }),
    ...(lingerMs === undefined ? {} : { lingerMs }),
  });

interface Said {
  readonly status: number;
  readonly body: string;
}
type Client = (server: InProcess, body: Buffer) => Promise<Said>;

/** What `curl --upload-file` prints; throws where it fails. */
const curl =
  (...options: string[]): Client =>
  async (server, body) => {
    const file = path.join(directory, 'upload');
    await writeFile(file, body);
    const fixed = ['-sSk', '--max-time', '20', '--write-out', '\n%{http_code}', '--upload-file', file];
    const { stdout } = await promisify(execFile)('curl', [...fixed, ...options, `${server.url}${TARGET}`]);
    const at = stdout.lastIndexOf('\n');
    return { status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) };
  };

const head = (length: number, more = '') =>
  `PUT ${TARGET} HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${length}\r\n${more}\r\n`;

const closed = (socket: Socket) =>
  new Promise<void>((resolve) => {
    if (socket.readableEnded) socket.end();
    else socket.once('end', () => socket.end());
    socket.once('close', () => resolve());
  });

/** A connection that an end from the other side does not end. */
const open = ({ port }: InProcess) => connect({ port, host: '127.0.0.1', allowHalfOpen: true });

/** Sends everything before it reads anything, as the HTTP clients of many languages do. */
const patient: Client = async (server, body) => {
  const socket = open(server);
  socket.pause();
  await once(socket, 'connect');
  socket.write(head(body.length, 'Connection: close\r\n'));
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.write(body, () => resolve());
  });
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  socket.end();
  const text = Buffer.concat(chunks).toString();
  return {
    status: Number(/^HTTP\/1\.1 ([0-9]{3})/.exec(text)?.[1]),
    body: text.slice(text.indexOf('\r\n\r\n') + 4),
  };
};

/** As `gokeep bundle import` hands a bundle to the running server. */
const handedOver: Client = async (server, body) => {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { rejectUnauthorized: false } });
  try {
    const answer = await agent.request({
      origin: server.url,
      path: TARGET,
      method: 'PUT',
      body: Readable.from(inPieces(body, 2 ** 20), { objectMode: false }),
    });
    return { status: answer.statusCode, body: await answer.body.text() };
  } finally {
    await agent.destroy();
  }
};

const followed = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(LARGE, 'x')]);

describe.each([
  ['curl', curl(), {}],
  ['curl, chunked', curl('--header', 'Transfer-Encoding: chunked', '--header', 'Expect:'), {}],
  ['curl over TLS with HTTP/1.1', curl('--http1.1'), { over: 'tls' }],
  ['curl over TLS with HTTP/2', curl('--http2'), { over: 'tls' }],
  ['gokeep bundle import', handedOver, {}],
  ['gokeep bundle import over TLS', handedOver, { over: 'tls' }],
  ['a client that sends all before it reads', patient, {}],
] as const)('%s reads the answer to a large upload that', (name, send, served) => {
  const skipped = name.startsWith('curl') && !needs('curl');

  it.skipIf(skipped)('nobody is trusted for', async () => {
    await using nobody = await ClosedSite.open([], []);
    await using server = await serve(nobody, served);
    const { status, body } = await send(server, followed(good.bytes));
    expect(status).toBe(403);
    expect(body.replaceAll(/\s+/g, ' ')).toContain('into bundles.trust');
  });

  it.skipIf(skipped)('is signed by a stranger', async () => {
    await using server = await serve(site, served);
    const stranger = pack({ ...made, skey: generateKey('stranger.test', Buffer.alloc(32, 9)).skey });
    const { status, body } = await send(server, followed(stranger.bytes));
    expect(status).toBe(422);
    expect(body).toContain('stranger.test');
  });

  it.skipIf(skipped)('was imported already', async () => {
    await site.import(good.bytes);
    await using server = await serve(site, served);
    const { status, body } = await send(server, followed(good.bytes));
    expect(status).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ id: good.id, added: false });
  });

  it.skipIf(skipped)('comes beside another', async () => {
    await using server = await serve(site, served);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const first = site.bundles.run(
      (async function* () {
        await released;
        yield good.bytes;
      })(),
    );
    const { status, body } = await send(server, followed(good.bytes));
    expect(status).toBe(503);
    expect(body).toContain('another bundle is being imported');
    release();
    expect(await first).toMatchObject({ added: true });
  });

  it.skipIf(skipped)('is found bad in the middle', async () => {
    await using server = await serve(site, served);
    const { status, body } = await send(server, followed(good.bytes.subarray(0, -1024)));
    expect(status).toBe(422);
    expect(body).toContain('damaged');
    site.expectUnchanged();
  });

  it.skipIf(skipped)('leaves no connection behind', async () => {
    await using nobody = await ClosedSite.open([], []);
    await using server = await serve(nobody, served);
    await send(server, followed(good.bytes));
    await expect.poll(() => connections(server)).toBe(0);
  });
});

const connections = (server: InProcess): Promise<number> =>
  new Promise((resolve) => server.app.server.getConnections((_error, count) => resolve(count)));

describe('an upload', () => {
  it('that is compressed and was imported already is let run to its end', async () => {
    await site.import(good.bytes);
    await using server = await serve(site);
    const { status, body } = await patient(
      server,
      zstdCompressSync(Buffer.concat([good.bytes, randomBytes(LARGE)])),
    );
    expect(status).toBe(200);
    expect(body).toContain('"added":false');
  });

  it('that is taken whole leaves its connection to the next request', async () => {
    await using server = await serve(site);
    const socket = open(server);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write(head(good.bytes.length));
    socket.write(good.bytes);
    await expect.poll(() => text).toContain('"added":true');
    expect(text).not.toContain('Connection: close');
    socket.write('GET /livez HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await expect.poll(() => text.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
    socket.destroy();
  });

  it('that brings nothing more is ended, and the next one is taken', async () => {
    await using server = await serve(site, { stalledMs: 100 });
    const socket = open(server);
    socket.on('error', () => undefined);
    socket.write(head(good.bytes.length));
    socket.write(good.bytes.subarray(0, good.bytes.length >> 1));
    await closed(socket);
    await expect.poll(() => server.logged).toHaveLength(1);
    site.expectUnchanged();
    expect((await patient(server, good.bytes)).status).toBe(201);
  });

  it('that breaks off is sent again and goes on', async () => {
    await using server = await serve(site);
    const socket = open(server);
    await once(socket, 'connect');
    socket.write(head(good.bytes.length));
    socket.write(good.bytes.subarray(0, -2000));
    await expect.poll(() => site.hashed.length).toBeGreaterThan(0);
    socket.destroy();
    await expect.poll(() => server.logged).toHaveLength(1);
    site.expectUnchanged();
    expect((await patient(server, good.bytes)).status).toBe(201);
    expect(site.hashed).toHaveLength(2);
  });

  it('that goes on and on behind its answer is ended', async () => {
    await using nobody = await ClosedSite.open([], []);
    await using server = await serve(nobody, { lingerMs: 300 });
    const socket = open(server);
    socket.on('error', () => undefined);
    socket.on('data', () => undefined);
    socket.write(head(2 ** 40));
    const sending = setInterval(() => socket.write('x'.repeat(1000)), 10);
    const startedAt = performance.now();
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    clearInterval(sending);
    expect(performance.now() - startedAt).toBeGreaterThan(250);
    await expect.poll(() => connections(server)).toBe(0);
  });

  it('that was answered early is followed by no other request', async () => {
    await using nobody = await ClosedSite.open([], []);
    await using server = await serve(nobody);
    const socket = open(server);
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.write(head(10));
    await expect.poll(() => text).toContain('bundles.trust');
    socket.write('0123456789GET /livez HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await closed(socket);
    expect(server.logged).toHaveLength(1);
  });
});
