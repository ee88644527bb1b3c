import path from 'node:path';
import { BenchServer } from './bench-server.ts';
import { GrownLog } from './grown-log.ts';
import { median, ratio, type Row } from './table.ts';

const SMALL = 10_000;
/** Candidates that wait together: as when many clients look up unknown modules. */
const TOGETHER = 2_000;
const LOOKUPS = 20_000;
/** Records that are appended to time it. */
const TIMED = 20_000;

const perSecond = (rate: number): string => `${rate.toFixed(0)} records/s`;

/** Median rate of a few runs, each a fifth of what is timed: one slow fsync is not the log's growth. */
async function appendRate(log: GrownLog): Promise<number> {
  const rates: number[] = [];
  for (let at = 0; at < 5; at++) rates.push(await log.append(TIMED / 5, TOGETHER));
  return median(rates);
}

async function bytesRow(scratch: string, count: number, batch: number, target: number): Promise<Row> {
  const log = await GrownLog.create(path.join(scratch, `bytes-${batch}`));
  await log.append(count, batch);
  const { bytes } = await log.close();
  const each = bytes / count;
  return {
    work:
      batch === 1 ? 'database bytes a record, one by one' : `database bytes a record, batches of ${batch}`,
    measured: `${each.toFixed(0)} bytes`,
    beside: '',
    target: `≤ ${target}`,
    met: each <= target,
  };
}

async function firstAnswer(data: string): Promise<number> {
  const startedAt = performance.now();
  await using server = await BenchServer.start({ data });
  const answer = await fetch(`${server.url}/sumdb/${server.databaseName}/latest`);
  await answer.text();
  return performance.now() - startedAt;
}

/** The log: how fast it takes records, and what its size changes. */
export async function logRows(scratch: string, large: number): Promise<Row[]> {
  const log = await GrownLog.create(path.join(scratch, 'grown'));
  await log.append(SMALL, TOGETHER);
  const early = { lookup: log.lookupUs(LOOKUPS), append: await appendRate(log) };
  await log.append(large - log.size, TOGETHER);
  const late = { lookup: log.lookupUs(LOOKUPS), append: await appendRate(log) };
  await log.close();
  const start = await firstAnswer(log.data);
  const atSize = `a log of ${large.toLocaleString('en')}`;
  return [
    {
      work: 'append, each acknowledged after its commit',
      measured: perSecond(early.append),
      beside: '',
      target: '≥ 5000/s',
      met: early.append >= 5000,
    },
    {
      work: `lookup in ${atSize}, not prepared`,
      measured: `${late.lookup.toFixed(1)} µs = ${ratio(late.lookup, early.lookup)}`,
      beside: `of ${SMALL.toLocaleString('en')}: ${early.lookup.toFixed(1)} µs`,
      target: '≤ 1.5 ×',
      met: late.lookup <= 1.5 * early.lookup,
    },
    {
      work: `append to ${atSize}`,
      measured: `${perSecond(late.append)} = ${ratio(early.append, late.append)}`,
      beside: `of ${SMALL.toLocaleString('en')}: ${perSecond(early.append)}`,
      target: '≤ 1.5 × as long',
      met: early.append <= 1.5 * late.append,
    },
    await bytesRow(scratch, 20_000, 100, 400),
    await bytesRow(scratch, 2_000, 1, 700),
    {
      work: `from start to first answer, ${atSize}`,
      measured: `${start.toFixed(0)} ms`,
      beside: '',
      target: '≤ 1 s',
      met: start <= 1000,
    },
  ];
}
