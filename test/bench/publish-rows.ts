import { randomBytes } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { zipOf } from '../modzip/zip.ts';
import { BenchServer } from './bench-server.ts';
import { median, type Row } from './table.ts';

const ROUNDS = 15;
/** Before the first is timed: the worker that judges zips has started. */
const WARM_UP = 3;
const FILES = 50;
const FILE_SIZE = 100 * 1024;
const MODULE = 'bench.test/published';
const TARGET = 3;

/** A zip of 5 MB that cannot be compressed. */
function zipNumber(n: number): Buffer {
  const root = `${MODULE}@v1.0.${n}`;
  const files = Array.from({ length: FILES }, (_, i) => ({
    name: `${root}/f${i}.bin`,
    content: randomBytes(FILE_SIZE),
  }));
  return zipOf([{ name: `${root}/go.mod`, content: Buffer.from(`module ${MODULE}\n`) }, ...files]);
}

/** The least that makes a file durable: write, sync, name, sync the name. */
async function writeDurably(directory: string, name: string, bytes: Buffer): Promise<number> {
  const startedAt = performance.now();
  const temporary = path.join(directory, `${name}.tmp`);
  const handle = await open(temporary, 'wx');
  await handle.writeFile(bytes);
  await handle.sync();
  await handle.close();
  await rename(temporary, path.join(directory, name));
  const parent = await open(directory, 'r');
  await parent.sync();
  await parent.close();
  return performance.now() - startedAt;
}

/** A publish of 5 MB, from the first byte sent to the answer, beside the same bytes written durably to the same disk. */
export async function publishRows(scratch: string): Promise<Row[]> {
  const data = path.join(scratch, 'publish');
  const beside = path.join(scratch, 'publish-beside');
  await mkdir(beside, { recursive: true });
  const env = { GOKEEP_PRIVATE: 'bench.test', GOKEEP_UPSTREAM: 'off', GOKEEP_UPSTREAM_SUMDB: 'off' };
  await using server = await BenchServer.start({ data, env });
  const published: number[] = [];
  const written: number[] = [];
  for (let n = 0; n < WARM_UP + ROUNDS; n++) {
    const zip = zipNumber(n);
    const startedAt = performance.now();
    const answer = await fetch(`${server.url}/${MODULE}/@v/v1.0.${n}.zip`, { method: 'PUT', body: zip });
    await answer.arrayBuffer();
    const took = performance.now() - startedAt;
    if (answer.status !== 201) throw new Error(`a publish was answered with ${answer.status}`);
    const alone = await writeDurably(beside, `${n}.zip`, zip);
    if (n < WARM_UP) continue;
    published.push(took);
    written.push(alone);
  }
  const [ours, theirs] = [median(published), median(written)];
  return [
    {
      work: 'publish of 5 MB, logged and durable',
      measured: `${ours.toFixed(0)} ms`,
      beside: `written durably ${theirs.toFixed(0)} ms`,
      target: `≤ ${TARGET} ×`,
      met: ours <= TARGET * theirs,
    },
  ];
}
