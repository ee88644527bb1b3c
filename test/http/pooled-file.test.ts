import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PooledFiles } from '../../src/http/pooled-file.ts';

const CHUNK = 256 * 1024;
const content = randomBytes(3 * CHUNK + 1234);
let directory: string;
let file: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-pooled-'));
  file = path.join(directory, 'a.zip');
  await writeFile(file, content);
});

afterAll(() => rm(directory, { recursive: true }));

/** Keeps a copy of what it is given; `delay` ms for each chunk. */
class Collector extends Writable {
  readonly chunks: Buffer[] = [];
  readonly #delay: number;
  constructor(delay = 0) {
    super();
    this.#delay = delay;
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    // Copied late: a buffer that was reused too early would show here.
    setTimeout(() => {
      this.chunks.push(Buffer.from(chunk));
      done();
    }, this.#delay);
  }
}

/** How often this process holds a file open. */
async function timesOpen(): Promise<number> {
  const { readlink } = await import('node:fs/promises');
  const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
  return (await Promise.all(links)).filter((target) => target === file).length;
}

describe('PooledFiles', () => {
  it.each([
    [0, content.length - 1],
    [0, 0],
    [CHUNK - 1, CHUNK],
    [5, CHUNK + 4],
    [content.length - 1, content.length - 1],
    [CHUNK, 2 * CHUNK - 1],
  ])('writes bytes %d to %d', async (first, last) => {
    const to = new Collector();
    expect(await new PooledFiles().pipe(file, first, last, to)).toBe(last + 1 - first);
    expect(Buffer.concat(to.chunks).equals(content.subarray(first, last + 1))).toBe(true);
  });

  it('never mixes readers that share the pool', async () => {
    const files = new PooledFiles();
    const readers = Array.from({ length: 20 }, (_, i) => ({ to: new Collector(i % 4), first: i * 1000 }));
    await Promise.all(readers.map(({ to, first }) => files.pipe(file, first, content.length - 1, to)));
    for (const { to, first } of readers) {
      expect(Buffer.concat(to.chunks).equals(content.subarray(first))).toBe(true);
    }
  });

  it('fails when the file turns out shorter than it was', async () => {
    const short = path.join(directory, 'short.zip');
    await writeFile(short, content);
    await truncate(short, CHUNK + 1);
    const piped = new PooledFiles().pipe(short, 0, content.length - 1, new Collector());
    await expect(piped).rejects.toMatchObject({ code: 'storage_failed' });
  });

  it('gives up and closes the file when the reader goes, and when it takes nothing', async () => {
    const outcomes: string[] = [];
    const files = new PooledFiles(300);
    const server = createServer((_request: IncomingMessage, response: ServerResponse) => {
      const big = async () => {
        for (let i = 0; i < 200; i++) await files.pipe(file, 0, content.length - 1, response);
      };
      big().then(
        () => outcomes.push('done'),
        () => outcomes.push('gone'),
      );
    }).listen(0, '127.0.0.1');
    try {
      await sleep(20);
      const open = (): ReturnType<typeof connect> => {
        const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
        return socket;
      };
      const leaves = open();
      leaves.once('data', () => leaves.destroy());
      const stalls = open();
      stalls.pause();
      await sleep(1_200);
      expect(outcomes).toEqual(['gone', 'gone']);
      expect(await timesOpen()).toBe(0);
      stalls.destroy();
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
