import { writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import type { Bill, ServedModule } from '../audit/bill.ts';
import { cycloneDxText } from '../audit/cyclonedx.ts';
import { spdxText } from '../audit/spdx.ts';
import { billedZip } from '../audit/zip-facts.ts';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import { matchPrefixPatterns } from '../module/pattern.ts';
import type { LogReader } from '../store/log-reader.ts';
import { ModuleStore } from '../store/module-store.ts';
import { VERSION } from '../version.ts';
import { dayOption } from './day-option.ts';
import { openLogReader, openUpstreamReader, readVerifierKey } from './local-log.ts';
import { Progress } from './progress.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

interface SbomOptions extends SharedOptions {
  /** UTC days since 1970. */
  readonly since?: number;
  readonly format: 'cyclonedx' | 'spdx';
  readonly output?: string;
}

const DAY_MS = 86_400_000;

async function sbom(options: SbomOptions): Promise<void> {
  const config = loadLocal(options);
  const bill = await readBill(config, options.since);
  const text = options.format === 'spdx' ? spdxText(bill) : cycloneDxText(bill);
  if (options.output === undefined) process.stdout.write(text);
  else writeOutput(options.output, text);
}

/**
 * What the served table, the log and the store say; beside a running server, whose last seconds it may lack. Whom a module
 * was served to nothing here knows: clients are anonymous.
 */
async function readBill(config: Config, since: number | undefined): Promise<Bill> {
  using log = openLogReader(config);
  using upstream = openUpstreamReader(config);
  using progress = new Progress();
  const { name } = readVerifierKey(config);
  const head = log.publishedHead();
  const isPrivate = (modulePath: string) => matchPrefixPatterns(config.private.join(','), modulePath);
  const store = new ModuleStore(config.data);
  const modules: ServedModule[] = [];
  for (const { kind, path, version, day } of upstream.servedSince(since ?? 0)) {
    // Whoever reads a go.mod alone gets no code of it: `go` does so for most of a module graph.
    if (kind !== 'zip') continue;
    const recorded = findRecord(log, path, version);
    if (recorded === undefined) continue;
    const zip = await billedZip(store.fileName('zip', path, version), path, version);
    modules.push({
      ...recorded,
      isPrivate: isPrivate(path),
      lastServed: day,
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
    at: Math.max(head?.signedAt ?? 0, lastServed * DAY_MS),
    version: VERSION,
    modules,
  };
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
    .addOption(
      new Option('--format <format>', 'CycloneDX 1.6 or SPDX 2.3, in JSON')
        .choices(['cyclonedx', 'spdx'])
        .default('cyclonedx'),
    )
    .option('--output <file>', 'write it to a file instead')
    .action((options: SbomOptions) => sbom(options));
}
