import { randomBytes } from 'node:crypto';
import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BenchServer } from './bench-server.ts';
import { load } from './load.ts';
import { residentBytes } from './process-cost.ts';
import { mb, type Row } from './table.ts';

const MB = 2 ** 20;
const BIG = 200 * MB;
const CLIENTS = 100;

/** What the server keeps in memory, idle and with many slow downloads of one big zip. */
export async function memoryRows(scratch: string): Promise<Row[]> {
  const data = path.join(scratch, 'memory');
  const versions = path.join(data, 'download', 'example.test', 'big', '@v');
  await mkdir(versions, { recursive: true });
  const zip = path.join(versions, 'v1.0.0.zip');
  for (let at = 0; at < BIG; at += MB) await appendFile(zip, randomBytes(MB));
  await using server = await BenchServer.start({ data, env: { GOKEEP_OFFLINE: 'true' } });
  await sleep(2_000);
  const idle = residentBytes(server.pid).now;
  const targets = ['/example.test/big/@v/v1.0.0.zip'];
  const big = await load(server, { targets, requests: CLIENTS, connections: CLIENTS });
  const { peak } = residentBytes(server.pid);
  const rate = (big.bytes / MB / big.wallMs) * 1000;
  return [
    {
      work: 'resident memory, idle',
      measured: mb(idle),
      beside: '',
      target: '≤ 150 MB',
      met: idle <= 150 * MB,
    },
    {
      work: `resident memory, ${CLIENTS} clients download a ${mb(BIG)} zip`,
      measured: `${mb(peak)} at most (${rate.toFixed(0)} MB/s)`,
      beside: '',
      target: '≤ 250 MB',
      met: peak <= 250 * MB,
    },
  ];
}
