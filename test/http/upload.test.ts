import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { bundleHandler } from '../../src/http/bundle-handler.ts';
import { type Upload, UPLOAD_LIMITS, uploaded } from '../../src/http/upload.ts';
import { ClosedSite } from '../airgap/closed-site.ts';
import { ingredients, pack } from '../airgap/made-bundle.ts';
import { InProcess } from './in-process.ts';

const MINUTE = 60_000;

describe('an upload by the clock', () => {
  let time = 0;
  afterEach(() => {
    time = 0;
  });

  /** A client that takes `ms` over each chunk of `size` bytes; `work` is the time that we take over one. */
  async function taken(chunks: readonly (readonly [ms: number, size: number])[], work = 0): Promise<number> {
    const request: Upload = {
      async *iterator() {
        for (const [ms, size] of chunks) {
          time += ms;
          yield Buffer.alloc(size);
        }
      },
      destroy: () => undefined,
    };
    let bytes = 0;
    for await (const chunk of uploaded(request, UPLOAD_LIMITS, ended, () => time)) {
      bytes += chunk.length;
      time += work;
    }
    return bytes;
  }
  const times = (count: number, ms: number, size: number) =>
    Array.from({ length: count }, () => [ms, size] as const);
  const ended = (how: string) => new GokeepError('bad_bundle', `the upload ${how}`);
  const slow = { code: 'bad_bundle', message: expect.stringMatching(/slower than 16 KiB a second/) };

  it('that drips is ended after a minute, however often a byte comes', async () => {
    await expect(taken(times(1_000, 20_000, 1))).rejects.toMatchObject(slow);
    expect(time).toBe(MINUTE);
    time = 0;
    await expect(taken(times(1_000_000, 100, 1))).rejects.toMatchObject(slow);
    expect(time).toBe(MINUTE);
  });

  it('is held to the rate in every minute of waiting, and a fast one earns no time for later', async () => {
    await expect(taken([[10, 2 ** 28], [MINUTE, 2 ** 20], ...times(100, 20_000, 1)])).rejects.toMatchObject(
      slow,
    );
    expect(time).toBe(2 * MINUTE + 10);
  });

  it('at the least rate, or short of a minute, is taken whole', async () => {
    expect(await taken(times(300, 1_000, 16 * 1024))).toBe(300 * 16 * 1024);
    expect(await taken(times(59, 1_000, 1))).toBe(59);
  });

  it('has not to answer for the time that we take', async () => {
    expect(await taken(times(1_000, 1, 100), 10 * MINUTE)).toBe(100_000);
  });
});

it('an upload that drips is answered, and the next one is taken', async () => {
  const made = await ingredients();
  const { bytes } = pack(made);
  await using site = await ClosedSite.for(made);
  await using server = await InProcess.start({
    find: () => Promise.reject(new Error('no modules here')),
    bundles: (exchange) =>
      bundleHandler(exchange, site.bundles, { info: () => undefined }, { windowMs: 200 }),
    lingerMs: 300,
  });
  const socket = connect({ port: server.port, host: '127.0.0.1' });
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.write(`PUT /api/v1/bundles HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${bytes.length}\r\n\r\n`);
  let sent = 0;
  const dripping = setInterval(() => socket.write(bytes.subarray(sent, ++sent)), 10);
  await expect.poll(() => text, { timeout: 10_000 }).toContain('came slower than');
  clearInterval(dripping);
  socket.destroy();
  expect(text).toMatch(/^HTTP\/1\.1 422 /);
  const next = await fetch(`${server.url}/api/v1/bundles`, { method: 'PUT', body: bytes });
  expect(next.status).toBe(201);
});
