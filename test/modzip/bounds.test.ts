import { expect, it } from 'vitest';
import { deflateRawSync } from 'node:zlib';
import { verifyModuleZip } from '../../src/modzip/verify.ts';
import type { ZipSource } from '../../src/modzip/zip-source.ts';
import { cpuClock } from '../module/cpu-time.ts';
import { memorySource, zipOf } from './zip.ts';

const prefix = 'x.y/z@v1.0.0/';
const mib = 1024 * 1024;

/** Verifies, and tells what it cost beside the zip itself. */
async function cost(source: ZipSource) {
  let read = 0;
  const counting: ZipSource = {
    size: source.size,
    async read(position, length) {
      read += length;
      return source.read(position, length);
    },
  };
  const clock = cpuClock();
  const outcome = await verifyModuleZip(counting, 'x.y/z', 'v1.0.0').catch((error: unknown) => error);
  return { outcome, read, milliseconds: clock() };
}

it('a bomb that tells its size is refused before anything is unpacked', async () => {
  const packed = deflateRawSync(Buffer.alloc(100 * mib));
  const files = Array.from({ length: 6 }, (_, i) => ({ name: `${prefix}${i}`, packed, size: 100 * mib }));
  const { outcome, read } = await cost(memorySource(zipOf(files)));
  expect(outcome).toMatchObject({ code: 'bad_zip', message: /larger than 524288000 bytes together/ });
  expect(read).toBeLessThan(2 * mib);
});

it('a bomb that lies about its size is stopped where the lie shows', async () => {
  const packed = deflateRawSync(Buffer.alloc(400 * mib));
  for (const size of [100, 2 * mib]) {
    const { outcome, milliseconds } = await cost(
      memorySource(zipOf([{ name: `${prefix}a`, packed, size, crc: 1 }])),
    );
    expect(outcome).toMatchObject({ code: 'bad_zip', message: /it is larger than declared/ });
    // Unpacking all of it takes more than a second.
    expect(milliseconds).toBeLessThan(500);
  }
});

it('a file larger than 500 MiB is refused unread', async () => {
  const source: ZipSource = { size: 500 * mib + 1, read: () => Promise.reject(new Error('read')) };
  const { outcome } = await cost(source);
  expect(outcome).toMatchObject({ code: 'bad_zip', message: /it is larger than 524288000 bytes/ });
});

it('a large file is never held whole', async () => {
  const content = Buffer.alloc(200 * mib);
  const source = memorySource(zipOf([{ name: `${prefix}a`, content }]));
  globalThis.gc?.();
  const before = process.memoryUsage();
  let peak = 0;
  const timer = setInterval(() => {
    const now = process.memoryUsage();
    peak = Math.max(peak, now.external + now.heapUsed - before.external - before.heapUsed);
  }, 2);
  const { outcome } = await cost(source);
  clearInterval(timer);
  expect(outcome).toMatchObject({ uncompressedBytes: 200 * mib });
  expect(peak).toBeLessThan(100 * mib);
});

it('a hundred thousand entries cost seconds, and more than a million are refused at once', async () => {
  const many = Array.from({ length: 100_000 }, (_, i) => ({ name: `${prefix}${i % 1000}/${i}` }));
  const { outcome, milliseconds } = await cost(memorySource(zipOf(many)));
  expect(outcome).toMatchObject({ files: 100_000 });
  expect(milliseconds).toBeLessThan(10_000);

  const claims = zipOf(many);
  for (const at of [24, 32]) claims.writeUInt32LE(1_000_001, claims.length - 98 + at);
  expect((await cost(memorySource(claims))).outcome).toMatchObject({ message: /more than 1000000 entries/ });
});

it('names of many elements cost no more than their length', async () => {
  const deep = Array.from({ length: 2000 }, (_, i) => ({ name: `${prefix}${i}/${'a/'.repeat(1900)}b` }));
  const { outcome, milliseconds } = await cost(memorySource(zipOf(deep)));
  expect(outcome).toMatchObject({ code: 'bad_zip', message: /more than 1000000 files and directories/ });
  expect(milliseconds).toBeLessThan(10_000);
});

it('a name longer than any system takes is refused', async () => {
  const { outcome } = await cost(memorySource(zipOf([{ name: `${prefix}${'a'.repeat(5000)}` }])));
  expect(outcome).toMatchObject({ message: /a file name longer than 4096 bytes/ });
});
