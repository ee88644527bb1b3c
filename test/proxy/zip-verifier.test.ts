import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import threads from 'node:worker_threads';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ZipVerifier } from '../../src/proxy/zip-verifier.ts';
import { zipOf } from '../modzip/zip.ts';

const MODULE = 'example.test/a';
const VERSION = 'v1.0.0';

let directory: string;
let small: string;
let big: string;

/** Few bytes that take a worker a second or more to unpack and hash. */
function bigZip(): Buffer {
  const content = Buffer.alloc(32 * 2 ** 20);
  const file = { packed: deflateRawSync(content), size: content.length, crc: crc32(content) };
  return zipOf(Array.from({ length: 15 }, (_, n) => ({ ...file, name: `${MODULE}@${VERSION}/${n}.txt` })));
}

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-verifier-'));
  small = path.join(directory, 'small.zip');
  big = path.join(directory, 'big.zip');
  writeFileSync(small, zipOf([{ name: `${MODULE}@${VERSION}/a.go`, content: Buffer.from('package a\n') }]));
  writeFileSync(big, bigZip());
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('zips that wait for a worker', () => {
  it('are checked although the worker before them was killed', async () => {
    await using zips = new ZipVerifier(1);
    const expected = await zips.verify(small, MODULE, VERSION);
    const controller = new AbortController();
    const aborted = expect(zips.verify(big, MODULE, VERSION, controller.signal)).rejects.toThrow('enough');
    const waiting = [1, 2, 3].map(() => zips.verify(small, MODULE, VERSION, new AbortController().signal));
    setTimeout(() => controller.abort(new Error('enough')), 50);
    await aborted;
    expect(await Promise.all(waiting)).toEqual([expected, expected, expected]);
  });

  it('end with an error when no worker can be started, and the next one starts anew', async () => {
    await using zips = new ZipVerifier(1);
    const { Worker } = threads;
    const broken = vi.spyOn(threads, 'Worker').mockImplementation(
      class extends Worker {
        constructor() {
          super(new URL('file:///nowhere/worker.js'));
        }
      },
    );
    try {
      await expect(zips.verify(small, MODULE, VERSION)).rejects.toMatchObject({ code: 'internal' });
    } finally {
      broken.mockRestore();
    }
    expect(await zips.verify(small, MODULE, VERSION)).toMatchObject({ h1: expect.stringMatching(/^h1:/) });
  });

  it('end with an error when the pool is closed', async () => {
    const zips = new ZipVerifier(1);
    await zips.verify(small, MODULE, VERSION);
    const all = [big, small, small].map((file) => zips.verify(file, MODULE, VERSION));
    const settled = Promise.allSettled(all);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await zips[Symbol.asyncDispose]();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });
});
