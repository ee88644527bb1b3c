import { type Command, InvalidArgumentError } from 'commander';
import { GokeepError } from '../errors.ts';
import { checkModuleVersion } from '../module/version.ts';
import { lockDataDirectory, lockMark } from '../store/process-lock.ts';
import { acceptMark, compareMark, markProblem } from '../sumdb/mark-state.ts';
import { formatTlogProof, proveInclusion } from '../sumdb/prove-record.ts';
import { Findings } from './findings.ts';
import { checkLog, notesOn, verdict } from './fsck.ts';
import { openLocalLog, openLogReader, requireOwn } from './local-log.ts';
import { recordLocally } from './local-trail.ts';
import { exitFound, isoTime, printJson, printLines } from './output.ts';
import { Progress } from './progress.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

interface LogOptions extends SharedOptions {
  readonly json?: true;
}

function head(options: LogOptions): void {
  const config = loadLocal(options);
  using log = openLogReader(config);
  const published = log.publishedHead();
  if (published === undefined) {
    const why = config.replica
      ? 'nothing was imported into this replica yet'
      : 'the log has not signed a head yet; start gokeep once';
    throw new GokeepError('bad_config', why);
  }
  const { size, root, note } = published;
  const signedAt = isoTime(published.signedAt);
  if (options.json === true)
    printJson({ size, root: root.toString('base64'), signedAt, note: note.toString() });
  else
    printLines([
      `size ${size}`,
      `root ${root.toString('base64')}`,
      `${config.replica ? 'imported' : 'signed'} ${signedAt}`,
      '',
      note.toString(),
    ]);
}

async function verify(options: LogOptions): Promise<void> {
  using local = openLocalLog(loadLocal(options));
  using progress = new Progress();
  const findings = new Findings(options.json === true, progress);
  const facts = await checkLog(local, findings, progress);
  const notes = notesOn(facts);
  progress.clear();
  if (options.json === true) {
    const { records, heads } = facts;
    const { count, shown, omitted } = findings;
    printJson({ records, heads, problems: count, findings: shown, omitted, notes });
  } else {
    printLines([
      ...notes.map((note) => `note: ${note}`),
      `${facts.records} records under ${facts.heads} heads: ${verdict(findings)}`,
    ]);
  }
  if (findings.count > 0) exitFound();
}

interface ModuleVersion {
  readonly path: string;
  readonly version: string;
}

/** Reads `MODULE@VERSION`; throws what commander turns into a sentence about the argument. */
function moduleVersion(argument: string): ModuleVersion {
  const at = argument.indexOf('@');
  const path = argument.slice(0, Math.max(at, 0));
  const version = argument.slice(at + 1);
  try {
    checkModuleVersion(path, version);
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    throw new InvalidArgumentError(`It has to be MODULE@VERSION. ${error.message}`);
  }
  return { path, version };
}

async function prove({ path, version }: ModuleVersion, options: LogOptions): Promise<void> {
  using local = openLocalLog(loadLocal(options));
  const proof = await proveInclusion(local.log, local.verifier, path, version);
  if (proof === undefined) {
    console.error(`gokeep: the log has no record of ${path}@${version}`);
    exitFound();
  } else if (options.json === true) {
    const { record, head, note } = proof;
    printJson({
      ...record,
      size: head.size,
      root: head.root.toString('base64'),
      hashes: proof.hashes.map((hash) => hash.toString('base64')),
      note: note.toString(),
    });
  } else {
    process.stdout.write(formatTlogProof(proof));
  }
}

function showMark(options: LogOptions & { readonly accept?: true }): void {
  const config = loadLocal(options);
  using local = openLocalLog(config);
  const { mark } = requireOwn(local);
  if (options.accept === true) {
    using _lock = lockDataDirectory(config.data);
    using _mark = lockMark(config.sumdb.mark, config.data);
    recordLocally(config, { kind: 'mark', facts: { accepted: local.log.newestHead()?.size ?? 0 } });
    acceptMark(local.log, mark);
  }
  const comparison = compareMark(local.log, mark);
  const problem = markProblem(comparison);
  const named = (at: { size: number; root: Buffer } | undefined) =>
    at === undefined ? null : { size: at.size, root: at.root.toString('base64') };
  const shown = { mark: named(comparison.mark), newest: named(comparison.newest) };
  const line = (at: { size: number; root: string } | null) =>
    at === null ? 'none' : `${at.size} ${at.root}`;
  if (options.json === true) printJson({ state: comparison.state, ...shown, problem: problem ?? null });
  else {
    printLines([
      `mark ${line(shown.mark)}`,
      `newest head ${line(shown.newest)}`,
      problem === undefined ? 'the mark is where it has to be' : `the high-water mark ${problem}`,
    ]);
  }
  if (problem !== undefined) exitFound();
}

export function addLog(program: Command): void {
  const log = program.command('log').description('look at the transparency log');
  withSharedOptions(log.command('head'))
    .description('print the newest signed head')
    .option('--json', 'print one JSON document')
    .action((options: LogOptions) => head(options));
  withSharedOptions(log.command('verify'))
    .description('check every record, tile and head of the log, and its high-water mark')
    .option('--json', 'print one JSON document')
    .action((options: LogOptions) => verify(options));
  withSharedOptions(log.command('prove'))
    .description('print a proof that a module version is in the log (c2sp.org/tlog-proof)')
    .argument('<module@version>', 'whose record to prove', moduleVersion)
    .option('--json', 'print one JSON document')
    .action((module: ModuleVersion, options: LogOptions) => prove(module, options));
  withSharedOptions(log.command('mark'))
    .description('show where the high-water mark stands')
    .option('--accept', 'set a missing or older mark onto the newest head of this database (server stopped)')
    .option('--json', 'print one JSON document')
    .action((options: LogOptions & { accept?: true }) => showMark(options));
}
