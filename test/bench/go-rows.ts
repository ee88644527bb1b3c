import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BenchServer } from './bench-server.ts';
import { BenchUpstream, type Counts } from './bench-upstream.ts';
import { type Corpus, copyOfData, go, writeMain } from './corpus.ts';
import { ratio, type Row, seconds } from './table.ts';
import { cpuSeconds } from './process-cost.ts';

const REPEATS = 2;
/** One way, so to speak: each answer of the upstream that stands for the internet comes this much later. */
const DELAY_MS = 20;

/** The client's caches are in memory where the system has such a place, so that its disk is not what is measured. */
const CLIENT_ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** Milliseconds that `go mod download` of the whole graph takes, with empty client caches. */
async function download(corpus: Corpus, env: Readonly<Record<string, string>>): Promise<number> {
  const directory = await mkdtemp(path.join(CLIENT_ROOT, 'gokeep-bench-'));
  try {
    await writeMain(directory, corpus.goMod);
    const startedAt = performance.now();
    await go(directory, ['mod', 'download'], env);
    return performance.now() - startedAt;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What disturbs a run only ever makes it slower, so the best of each is compared. An empty client, everything held by the server; beside it the same files by `file://`. */
export async function warmRow(corpus: Corpus, server: BenchServer): Promise<Row> {
  const sumdb = `${server.vkey} ${server.url}/sumdb/${server.databaseName}`;
  const ours: number[] = [];
  const files: number[] = [];
  for (let at = 0; at < REPEATS; at++) {
    files.push(await download(corpus, { GOPROXY: `file://${corpus.download}`, GOSUMDB: sumdb }));
    ours.push(await download(corpus, { GOPROXY: server.url, GOSUMDB: server.vkey }));
  }
  const [mine, theirs] = [Math.min(...ours), Math.min(...files)];
  return {
    work: `warm \`go mod download\`, ${corpus.modules.length} modules`,
    measured: `${seconds(mine)} = ${ratio(mine, theirs)}`,
    beside: `\`file://\` ${seconds(theirs)}`,
    target: '≤ 1.1 ×',
    met: mine <= 1.1 * theirs,
  };
}

const text = (counts: Counts): string =>
  `${counts.info ?? 0} info, ${counts.mod ?? 0} mod, ${counts.zip ?? 0} zip, ${counts.sumdb ?? 0} sumdb`;

/** An empty client and an empty server; beside it the same client straight at the same upstream. */
export async function coldRows(corpus: Corpus, scratch: string): Promise<Row[]> {
  const held = await copyOfData(corpus, path.join(scratch, 'far'));
  await using upstream = await BenchUpstream.start(corpus, held, DELAY_MS);
  const straight: number[] = [];
  const ours: number[] = [];
  let cpu = 0;
  let asked: { straight: Counts; ours: Counts } = { straight: {}, ours: {} };
  for (let at = 0; at < REPEATS; at++) {
    await upstream.counts();
    straight.push(await download(corpus, { GOPROXY: upstream.url, GOSUMDB: 'sum.golang.org' }));
    const straightCounts = await upstream.counts();
    const data = path.join(scratch, `cold-${at}`);
    await mkdir(data);
    const env = { GOKEEP_UPSTREAM: upstream.url, GOKEEP_UPSTREAM_SUMDB: 'sum.golang.org' };
    await using server = await BenchServer.start({ data, env });
    ours.push(await download(corpus, { GOPROXY: server.url, GOSUMDB: server.vkey }));
    cpu = cpuSeconds(server.pids);
    asked = { straight: straightCounts, ours: await upstream.counts() };
  }
  const [mine, theirs] = [Math.min(...ours), Math.min(...straight)];
  const zips = (asked.ours.zip ?? 0) - (asked.straight.zip ?? 0);
  const extra = (asked.ours.mod ?? 0) / (asked.straight.mod ?? 1) - 1;
  return [
    {
      work: `cold, upstream ${DELAY_MS} ms away`,
      measured: `${seconds(mine)} = ${ratio(mine, theirs)} (server CPU ${cpu.toFixed(1)} s)`,
      beside: `straight ${seconds(theirs)}`,
      target: '≤ 1.1 ×',
      met: mine <= 1.1 * theirs,
    },
    {
      work: 'requests upstream for the graph',
      measured: `${text(asked.ours)}; extra zips ${zips}, extra mods ${(extra * 100).toFixed(1)}%`,
      beside: `straight: ${text(asked.straight)}`,
      target: 'no zip unasked, mods ≤ 10%',
      met: zips <= 0 && extra <= 0.1,
    },
  ];
}
