import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { VERSION } from '../../src/version.ts';
import { BenchServer } from './bench-server.ts';
import { BenchUpstream } from './bench-upstream.ts';
import { bundleRows } from './bundle-rows.ts';
import { type Corpus, copyOfData, openCorpus } from './corpus.ts';
import { coldRows, warmRow } from './go-rows.ts';
import { hotRows } from './hot-rows.ts';
import { logRows } from './log-rows.ts';
import { memoryRows } from './memory-rows.ts';
import { publishRows } from './publish-rows.ts';
import { markdown, mb, type Row } from './table.ts';

const PAGE = path.join(import.meta.dirname, '..', '..', 'docs', 'performance.md');
const MARKERS = { begin: '<!-- bench: begin -->', end: '<!-- bench: end -->' };
const PARTS = ['hot', 'warm', 'cold', 'memory', 'bundle', 'log', 'publish'] as const;

function versionOf(program: string, args: readonly string[], pattern: RegExp): string | undefined {
  try {
    // nginx prints its version to stderr.
    const text = execFileSync('sh', ['-c', `"$0" "$@" 2>&1`, program, ...args], { encoding: 'utf8' });
    return pattern.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

/** The table between the markers of docs/performance.md is the newest whole run. */
async function writePage(text: string): Promise<void> {
  const page = await readFile(PAGE, 'utf8');
  const from = page.indexOf(MARKERS.begin);
  const to = page.indexOf(MARKERS.end);
  if (from < 0 || to < from) throw new Error('docs/performance.md has lost its markers');
  const changed = `${page.slice(0, from + MARKERS.begin.length)}\n\n${text}\n\n${page.slice(to)}`;
  await writeFile(PAGE, changed);
}

async function servedRows(parts: ReadonlySet<string>, corpus: Corpus, scratch: string, hasNginx: boolean) {
  const rows: Row[] = [];
  if (!parts.has('hot') && !parts.has('warm')) return rows;
  const near = await copyOfData(corpus, path.join(scratch, 'near'));
  await using upstream = await BenchUpstream.start(corpus, near, 0);
  const data = await copyOfData(corpus, path.join(scratch, 'hot'));
  const env = { GOKEEP_UPSTREAM: upstream.url, GOKEEP_UPSTREAM_SUMDB: 'sum.golang.org' };
  if (parts.has('hot')) rows.push(...(await hotRows({ corpus, data, env, hasNginx })));
  if (parts.has('warm')) {
    await using server = await BenchServer.start({ data, env });
    rows.push(await warmRow(corpus, server));
  }
  return rows;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: PARTS.join(',') },
    records: { type: 'string', default: '1000000' },
  },
});
const parts = new Set(values.only.split(','));
const startedAt = performance.now();
const corpus = await openCorpus();
const runs = path.join(import.meta.dirname, 'corpus', 'runs');
await mkdir(runs, { recursive: true });
const scratch = await mkdtemp(path.join(runs, 'run-'));
try {
  const nginx = versionOf('nginx', ['-v'], /nginx\/(\S+)/);
  const rows: Row[] = [];
  const say = (more: readonly Row[]) => {
    rows.push(...more);
    for (const row of more) console.error(`${row.work}: ${row.measured} (${row.beside || row.target})`);
  };
  say(await servedRows(parts, corpus, scratch, nginx !== undefined));
  if (parts.has('cold')) say(await coldRows(corpus, scratch));
  if (parts.has('memory')) say(await memoryRows(scratch));
  if (parts.has('bundle')) say(await bundleRows(corpus, scratch));
  if (parts.has('log')) say(await logRows(scratch, Number(values.records)));
  if (parts.has('publish')) say(await publishRows(scratch));

  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  const text = [
    `gokeep ${VERSION}, node ${process.versions.node}, ${versionOf('go', ['version'], /(go[0-9]\S*)/) ?? 'no go'}, nginx ${nginx ?? 'not here'}; ` +
      `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${mb(totalmem())} of memory. ` +
      `Corpus: ${corpus.modules.length} modules, ${corpus.targets.mod.length} go.mod files, ${corpus.targets.zip.length} zips of ${mb(corpus.zipBytes)} together. ` +
      `Made by \`npm run bench\` in ${minutes} minutes.`,
    '',
    markdown(rows),
  ].join('\n');
  console.log(text);
  if (PARTS.every((part) => parts.has(part))) await writePage(text);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
