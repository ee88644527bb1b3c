import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/load.ts';
import { checkStore, fileSubject } from '../proxy/check-store.ts';
import { ZipVerifier } from '../proxy/zip-verifier.ts';
import { checkSignatures } from '../publish/check-signatures.ts';
import { ModuleStore } from '../store/module-store.ts';
import { isDataDirectoryLocked, lockDataDirectory } from '../store/process-lock.ts';
import type { Finding, LogFacts } from '../sumdb/audit.ts';
import { auditLog } from '../sumdb/audit-log.ts';
import { auditReplica } from '../sumdb/audit-replica.ts';
import { Findings } from './findings.ts';
import { type LocalLog, openLocalLog } from './local-log.ts';
import { exitFound, printJson, printLines } from './output.ts';
import { Progress } from './progress.ts';
import { openSigningRules } from './signing-rules.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

interface FsckOptions extends SharedOptions {
  readonly json?: true;
  readonly repair?: true;
}

async function fsck(options: FsckOptions): Promise<void> {
  const config = loadLocal(options);
  const rules = openSigningRules(config);
  using local = openLocalLog(config);
  using _lock = options.repair === true ? lockDataDirectory(config.data) : undefined;
  using progress = new Progress();
  const findings = new Findings(options.json === true, progress);
  const facts = await checkLog(local, findings, progress);
  const notes = notesOn(facts);
  const repair = options.repair === true && findings.count === 0;
  if (options.repair === true && !repair)
    notes.push('the log itself is damaged, so no file was judged by it: nothing was moved');

  await using zips = new ZipVerifier(availableParallelism());
  const store = new ModuleStore(config.data);
  const damaged = new Set<string>();
  if (options.repair === true) await store.clearTemporary();
  const stored = await checkStore({
    store,
    log: local.log,
    zips,
    concurrency: availableParallelism() * 2,
    repairIn: repair ? config.data : undefined,
    report: (finding, movedTo) => {
      if (finding.kind === 'zip') damaged.add(finding.subject);
      findings.add(finding, movedTo === undefined ? undefined : path.relative(config.data, movedTo));
    },
    progress: (files) => progress.show(() => `checking files: ${files}`),
  });
  const signatures = await checkSignatures({
    log: local.log,
    store,
    rules,
    isDamaged: (modulePath, version) => damaged.has(fileSubject('zip', modulePath, version)),
    report: (finding) => findings.add(finding),
    progress: (done) => progress.show(() => `checking signatures: ${done}`),
  });
  notes.push(...stored.strays.map((file) => `${path.relative(config.data, file)} is no file of the store`));
  const lists = repair ? 'was written anew' : 'lacks versions held; `gokeep fsck --repair` writes it anew';
  notes.push(
    ...stored.outdatedLists.map(
      (module) => `the list of ${module}, which only GOPROXY=file:// reads, ${lists}`,
    ),
  );
  if (options.repair !== true) notes.push(...leftovers(config));
  progress.clear();

  if (options.json === true) {
    const { modules, files } = stored;
    const { records, heads } = facts;
    const { count, shown, omitted } = findings;
    printJson({
      records,
      heads,
      modules,
      files,
      signatures,
      problems: count,
      findings: shown,
      omitted,
      notes,
    });
  } else {
    printLines([
      ...notes.map((note) => `note: ${note}`),
      `${facts.records} records under ${facts.heads} heads, ${stored.files} files of ${stored.modules} modules${counted(signatures)}: ${verdict(findings)}`,
    ]);
  }
  if (findings.count > 0) exitFound();
}

function counted(signatures: number): string {
  return signatures === 0 ? '' : `, ${signatures} ${signatures === 1 ? 'signature' : 'signatures'}`;
}

/** The log's part of the check, for `fsck` and for `log verify`. */
export async function checkLog(local: LocalLog, findings: Findings, progress: Progress): Promise<LogFacts> {
  const { log, verifier, own } = local;
  const common = {
    log,
    verifier,
    report: (finding: Finding) => findings.add(finding),
    progress: (done: number, total: number) =>
      progress.show(() => `checking the log: ${done} of ${total} records`),
  };
  return own === undefined ? auditReplica(common) : auditLog({ ...common, mark: own.mark });
}

/** What is worth saying of a log and is no damage. */
export function notesOn(facts: LogFacts): string[] {
  return facts.waiting ? ['the newest head is not signed yet; the server does that when it goes on'] : [];
}

/** The end of the last line. */
export function verdict(findings: Findings): string {
  if (findings.count === 0) return 'all in order';
  const omitted = findings.omitted === 0 ? '' : `, ${findings.omitted} of them not shown`;
  return `${findings.count} ${findings.count === 1 ? 'problem' : 'problems'}${omitted}`;
}

/** Temporary files that nobody is writing any more. */
function leftovers(config: Config): string[] {
  if (isDataDirectoryLocked(config.data)) return [];
  const temporary = path.join(config.data, 'tmp');
  const names = [
    ...(existsSync(temporary) ? readdirSync(temporary).map((name) => path.join('tmp', name)) : []),
    ...readdirSync(config.data).filter((name) => name.endsWith('.tmp')),
  ];
  return names.length === 0
    ? []
    : [`${names.length} temporary files were left by an interrupted process, the first being ${names[0]}`];
}

export function addFsck(program: Command): void {
  withSharedOptions(program.command('fsck'))
    .description(
      'check every stored file and signature against its record, and the whole log against every head ever signed',
    )
    .option(
      '--repair',
      'move files that do not match into damaged/, so that they are fetched anew (server stopped)',
    )
    .option('--deep', 'hash every stored file again, which is done with or without this option')
    .option('--json', 'print one JSON document')
    .action((options: FsckOptions) => fsck(options));
}
