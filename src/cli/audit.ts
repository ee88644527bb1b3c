import { existsSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type RecordedHead, recordedHeads, trailPath } from '../audit/trail-heads.ts';
import { filterOf, type TrailFilter } from '../audit/trail-filter.ts';
import { parseEntry, verifyTrail } from '../audit/verify-trail.ts';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import { checkPatterns } from '../module/pattern.ts';
import { TRAIL_KINDS, type TrailEntry } from '../store/trail-entry.ts';
import { TrailReader } from '../store/trail-table.ts';
import { proveInclusion } from '../sumdb/prove-record.ts';
import { dayOption } from './day-option.ts';
import { Findings } from './findings.ts';
import { checkLog } from './fsck.ts';
import { type LocalLog, openLocalLog } from './local-log.ts';
import { trailFile } from './local-trail.ts';
import { exitFound, printJson, printLines } from './output.ts';
import { Progress } from './progress.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

interface ListOptions extends SharedOptions, TrailFilter {
  readonly json?: true;
}

/** Throws bad_config where there is no trail. */
function openTrail(config: Config): TrailReader {
  const file = trailFile(config);
  if (existsSync(file)) return new TrailReader(file);
  throw new GokeepError(
    'bad_config',
    `${config.data}: there is no audit trail here; name the right directory by --data, or start gokeep once`,
  );
}

function list(options: ListOptions): void {
  using trail = openTrail(loadLocal(options));
  const wanted = filterOf(options);
  for (const { n, text, hash } of trail.entries()) {
    const entry = parseEntry(text);
    if (entry === undefined) {
      console.error(`gokeep: entry ${n} is damaged; run gokeep audit verify`);
      continue;
    }
    if (!wanted(entry)) continue;
    // The text that is hashed, as it stands, with its hash: whoever has all lines can follow the chain.
    if (options.json === true) console.log(`${text.slice(0, -1)},"hash":"${hash.toString('base64')}"}`);
    else printLines([entryLine(entry)]);
  }
}

const PLAIN = /^[\w:.,/+=@*-]+$/;

/** One line for a person. What others have written stands in quotes where it is more than a word. */
function entryLine({ n, at, kind, who, from, path, version, facts = {} }: TrailEntry): string {
  const word = (value: unknown) =>
    typeof value === 'string' && PLAIN.test(value) ? value : JSON.stringify(value);
  const subject = path === undefined ? [] : [`${path}${version === undefined ? '' : `@${version}`}`];
  const by = `by ${word(who)}${from === undefined ? '' : ` from ${word(from)}`}`;
  const told = Object.entries(facts).map(([name, value]) => `${name}=${word(value)}`);
  return [n, at, kind, ...subject, by, ...told].join(' ');
}

async function verify(options: SharedOptions & { readonly json?: true }): Promise<void> {
  const config = loadLocal(options);
  using trail = openTrail(config);
  const { heads, problems: unproven } = await headsInLog(config);
  const verdict = verifyTrail(trail.entries(), heads);
  const problems = [...unproven, ...verdict.problems];
  const { entries, last, covered } = verdict;
  if (options.json === true) printJson({ entries, last, covered, problems });
  else printLines([...problems, summary(verdict, problems.length, config.replica)]);
  if (problems.length > 0) exitFound();
}

function summary(
  { entries, last, covered }: { entries: number; last: number; covered: number },
  problems: number,
  isReplica: boolean,
): string {
  const found = problems === 0 ? 'all in order' : `${problems} problems`;
  if (isReplica)
    return `${entries} entries, chained; a replica signs no log that they could be recorded in: ${found}`;
  const open = last - covered;
  const rest =
    open === 0
      ? 'the log covers all of them'
      : `the log covers all up to ${covered}, and not yet the last ${open}`;
  return `${entries} entries; ${rest}: ${found}`;
}

/** The heads that our log has recorded, each proven to be under its newest signed head; none can be missing in a log that is whole. */
async function headsInLog(config: Config): Promise<{ heads: RecordedHead[]; problems: string[] }> {
  if (config.replica) return { heads: [], problems: [] };
  using local = openLocalLog(config);
  const { log, verifier } = local;
  const heads = recordedHeads(log, verifier.name);
  const problems = await problemsOf(local);
  const published = heads.filter(({ version }) => {
    const record = log.find(trailPath(verifier.name), version);
    return record !== undefined && record.id < (log.publishedHead()?.size ?? 0);
  });
  for (const { n, version } of published) {
    try {
      await proveInclusion(log, verifier, trailPath(verifier.name), version);
    } catch (error) {
      if (!(error instanceof GokeepError)) throw error;
      problems.push(`the record of entry ${n} is not proven by the log: ${error.message}`);
    }
  }
  return { heads: published, problems };
}

/** What is wrong with the log itself: a head that was taken out of its database would not be looked for. */
async function problemsOf(local: LocalLog): Promise<string[]> {
  using progress = new Progress();
  const findings = new Findings(true, progress);
  await checkLog(local, findings, progress);
  const problems = findings.shown.map(({ subject, problem }) => `${subject} ${problem}`);
  return findings.omitted === 0 ? problems : [...problems, `${findings.omitted} more problems of the log`];
}

const listOption = (value: string, before: readonly string[] = []): string[] => [
  ...before,
  ...value.split(','),
];

function kindOption(value: string, before?: readonly string[]): string[] {
  for (const kind of value.split(','))
    if (!(TRAIL_KINDS as readonly string[]).includes(kind))
      throw new InvalidArgumentError(`It has to be of ${TRAIL_KINDS.join(', ')}.`);
  return listOption(value, before);
}

function modulesOption(value: string, before?: readonly string[]): string[] {
  try {
    checkPatterns(value.split(','));
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    throw new InvalidArgumentError(error.message);
  }
  return listOption(value, before);
}

export function addAudit(program: Command): void {
  const audit = program
    .command('audit')
    .description('who did what here: the audit trail, beside a running server too');
  withSharedOptions(audit.command('list', { isDefault: true }))
    .description('print entries, oldest first')
    .option('--since <date>', 'from this day on (UTC)', dayOption)
    .option('--until <date>', 'up to this day (UTC)', dayOption)
    .addOption(
      new Option('--kind <kinds>', `of these kinds: ${TRAIL_KINDS.join(', ')}`).argParser(kindOption),
    )
    .option('--who <name>', 'by this one, such as token:ci or local:root')
    .option('--module <patterns>', 'about these modules, as in GOPRIVATE', modulesOption)
    .option('--json', 'print a JSON document for each, one a line')
    .action((options: ListOptions) => list(options));
  withSharedOptions(audit.command('verify'))
    .description('prove that no entry was changed or taken out')
    .option('--json', 'print one JSON document')
    .action((options: SharedOptions & { json?: true }) => verify(options));
}
