import { writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import type { Bill, ServedModule } from '../audit/bill.ts';
import { cycloneDxText } from '../audit/cyclonedx.ts';
import { spdxText } from '../audit/spdx.ts';
import { billedZip } from '../audit/zip-facts.ts';
import type { Config } from '../config/load.ts';
import { nearest } from '../config/nearest.ts';
import { GokeepError } from '../errors.ts';
import { matchPrefixPatterns } from '../module/pattern.ts';
import { escapeInvisible, quote } from '../module/quote.ts';
import type { LogReader } from '../store/log-reader.ts';
import { ModuleStore } from '../store/module-store.ts';
import type { ServedTo } from '../store/served-to-table.ts';
import type { UpstreamReader } from '../store/upstream-reader.ts';
import { VERSION } from '../version.ts';
import { dayOption } from './day-option.ts';
import { openLogReader, openUpstreamReader, readVerifierKey } from './local-log.ts';
import { Progress } from './progress.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';
import { storedTokens } from './token.ts';

interface SbomOptions extends SharedOptions {
  /** UTC days since 1970. */
  readonly since?: number;
  /** The name of a client, or the id of a token. */
  readonly to?: string;
  readonly format: 'cyclonedx' | 'spdx';
  readonly output?: string;
}

const DAY_MS = 86_400_000;
/** Of who was served what: a bill is one text in memory. */
const MOST_SERVED = 1_000_000;

async function sbom(options: SbomOptions): Promise<void> {
  const config = loadLocal(options);
  const bill = await readBill(config, options);
  const text = options.format === 'spdx' ? spdxText(bill) : cycloneDxText(bill);
  if (options.output === undefined) process.stdout.write(text);
  else writeOutput(options.output, text);
}

/** What the served tables, the log and the store say; beside a running server, whose last seconds it may lack. */
async function readBill(config: Config, { since, to }: SbomOptions): Promise<Bill> {
  using log = openLogReader(config);
  using upstream = openUpstreamReader(config);
  using progress = new Progress();
  const { name } = readVerifierKey(config);
  const head = log.publishedHead();
  const isPrivate = (modulePath: string) => matchPrefixPatterns(config.private.join(','), modulePath);
  const store = new ModuleStore(config.data);
  const meant = to === undefined ? undefined : clientsMeant(config, upstream, to);
  const isAskedFor = ({ id, last }: ServedTo) => last >= (since ?? 0) && meant?.ids.has(id) !== false;
  const modules: ServedModule[] = [];
  let pairs = 0;
  for (const { kind, path, version, day } of upstream.servedSince(since ?? 0)) {
    // Whoever reads a go.mod alone gets no code of it: `go` does so for most of a module graph.
    if (kind !== 'zip') continue;
    const servedTo = upstream.servedTo(path, version).filter(isAskedFor);
    if (meant !== undefined && servedTo.length === 0) continue;
    const recorded = findRecord(log, path, version);
    if (recorded === undefined) continue;
    pairs += servedTo.length;
    if (pairs > MOST_SERVED) throw tooMany();
    const zip = await billedZip(store.fileName('zip', path, version), path, version);
    modules.push({
      ...recorded,
      isPrivate: isPrivate(path),
      lastServed: meant === undefined ? day : Math.max(...servedTo.map(({ last }) => last)),
      to: servedTo,
      sha256: zip?.sha256,
      licence: zip?.licence,
    });
    progress.show(() => `reading modules: ${modules.length}`);
  }
  const lastServed = modules.reduce((last, module) => Math.max(last, module.lastServed), 0);
  return {
    log: name,
    head: { size: head?.size ?? 0, root: head?.root.toString('base64') ?? '' },
    since,
    to: meant?.name,
    at: Math.max(head?.signedAt ?? 0, lastServed * DAY_MS),
    version: VERSION,
    modules,
  };
}

/** The ids of those whom a name means: a name can have been given to several tokens, one after the other. Throws bad_request. */
function clientsMeant(
  config: Config,
  upstream: UpstreamReader,
  to: string,
): { ids: ReadonlySet<string>; name: string } {
  const tokens = storedTokens(config).map(({ id, name }) => ({ id, name: `token:${name}` }));
  const known = [...upstream.clients(), ...tokens];
  const meant = known.filter(({ id, name }) => id === to || name === to || escapeInvisible(name) === to);
  if (meant[0] !== undefined) return { ids: new Set(meant.map(({ id }) => id)), name: meant[0].name };
  const names = known.map(({ name }) => name);
  const near = names.includes(`token:${to}`) ? `token:${to}` : nearest(to, names);
  throw new GokeepError(
    'bad_request',
    `--to: nothing was served to anybody named ${quote(to)}; ${
      near === undefined
        ? 'names are those in the request log: token:NAME, oidc:SUBJECT, certificate:SUBJECT or anonymous'
        : `did you mean ${quote(near)}?`
    }`,
  );
}

function tooMany(): GokeepError {
  return new GokeepError(
    'too_large',
    `modules were served to more clients than one bill can name (${MOST_SERVED} pairs); ask for fewer by --since or --to`,
  );
}

/** No zip is served without a record; where one lacks, the log is not the one that it was served from. */
function findRecord(log: LogReader, path: string, version: string) {
  const record = log.find(path, version);
  const provenance = record === undefined ? undefined : log.provenance(record.id);
  return record === undefined || provenance === undefined ? undefined : { record, provenance };
}

function writeOutput(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flush: true });
  } catch (error) {
    throw new GokeepError('bad_config', `${file}: cannot be written; name another file by --output`, {
      cause: error,
    });
  }
}

export function addSbom(program: Command): void {
  withSharedOptions(program.command('sbom'))
    .description('list the modules that were served, as a bill of materials')
    .option('--since <date>', 'only what was served on this day (UTC) or later', dayOption)
    .option('--to <name>', 'only what was served to this one, such as token:ci, and nobody else is named')
    .addOption(
      new Option('--format <format>', 'CycloneDX 1.6 or SPDX 2.3, in JSON')
        .choices(['cyclonedx', 'spdx'])
        .default('cyclonedx'),
    )
    .option('--output <file>', 'write it to a file instead')
    .action((options: SbomOptions) => sbom(options));
}
