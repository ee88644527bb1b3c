import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import type { Incident } from '../store/log-records.ts';
import { LogWriter } from '../store/log-writer.ts';
import { isDataDirectoryLocked, lockDataDirectory } from '../store/process-lock.ts';
import { incidentEvent } from '../store/trail-entry.ts';
import { monitorRound, type Round } from '../trust/monitor.ts';
import { LOG_DATABASE } from './data-files.ts';
import { openDirect } from './direct-sources.ts';
import { incidentLine } from './incident-line.ts';
import { openLogReader, readVerifierKey } from './local-log.ts';
import { recordLocally } from './local-trail.ts';
import { monitorOptions, webhookTeller } from './monitor-parts.ts';
import { exitFound, isoTime, printJson, printLines } from './output.ts';
import { Progress } from './progress.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

/** Where nothing differs, but not all could be compared. */
const EXIT_NOT_COMPARED = 2;

async function monitor(options: SharedOptions & { readonly json?: true }): Promise<void> {
  const config = loadLocal(options);
  if (config.offline) {
    throw new GokeepError(
      'bad_config',
      'offline: this gokeep asks nobody, so it cannot ask repositories either',
    );
  }
  // A running server is the one writer of its log, and tells the webhook of what its own rounds find.
  const looksOnly = isDataDirectoryLocked(config.data);
  const { round, notes } = await runRound(config, looksOnly);
  const fresh = new Set(round.fresh);
  if (options.json === true) {
    const incidents = round.incidents.map((each) => ({
      ...each,
      at: isoTime(each.at),
      new: fresh.has(each),
    }));
    printJson({ ...counts(round), incidents, troubles: round.troubles, recorded: !looksOnly, notes });
  } else {
    printLines([
      ...round.incidents.map((each) => `${incidentLine(each, true)}${fresh.has(each) ? '' : ' (known)'}`),
      ...round.troubles.map(({ url, why }) => `not compared: ${url}: ${why}`),
      ...notes.map((note) => `note: ${note}`),
      summary(round),
    ]);
  }
  if (round.incidents.length > 0) exitFound();
  else if (round.troubles.length > 0) process.exitCode = EXIT_NOT_COMPARED;
}

async function runRound(config: Config, looksOnly: boolean): Promise<{ round: Round; notes: string[] }> {
  using cleanup = new DisposableStack();
  if (!looksOnly) cleanup.use(lockDataDirectory(config.data));
  const log = cleanup.use(openLogReader(config));
  const writer = looksOnly ? undefined : cleanup.use(new LogWriter(path.join(config.data, LOG_DATABASE)));
  const progress = cleanup.use(new Progress());
  // Of its own: git and go of a running server are at work in the server's.
  const parent = path.join(config.data, 'direct');
  mkdirSync(parent, { recursive: true, mode: 0o750 });
  const directory = mkdtempSync(path.join(parent, 'monitor-'));
  cleanup.defer(() => rmSync(directory, { recursive: true, force: true }));
  const direct = openDirect(config);
  const tell = looksOnly ? undefined : webhookTeller(config, readVerifierKey(config).name);
  const options = monitorOptions(config, {
    log,
    direct,
    asking: direct.privateAt(path.join(directory, 'ask')),
    scratch: path.join(directory, 'look'),
    onIncident: (incident) => {
      if (writer === undefined) return;
      recordLocally(config, incidentEvent(incident));
      writer.recordIncident(incident);
    },
  });
  const interrupted = new AbortController();
  const { signal } = interrupted;
  // git has a process group of its own, which has to be ended too.
  const end = () =>
    interrupted.abort(new GokeepError('busy', 'interrupted: not all repositories were compared'));
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, end);
    cleanup.defer(() => process.off(name, end));
  }
  const round = await monitorRound(
    { ...options, progress: (done, all) => progress.show(() => `asking repositories: ${done} of ${all}`) },
    signal,
  );
  progress.clear();
  const notes: string[] = [];
  if (looksOnly && round.fresh.length > 0)
    notes.push('a server runs here, so nothing was recorded: its own rounds do that (monitor.every)');
  if (tell !== undefined && round.fresh.length > 0) notes.push(...(await told(tell, round.fresh, signal)));
  return { round, notes };
}

/** What is on record already is told to nobody again, so a failure is worth a line. */
async function told(
  tell: (incidents: readonly Incident[], signal: AbortSignal) => Promise<void>,
  incidents: readonly Incident[],
  signal: AbortSignal,
): Promise<string[]> {
  try {
    await tell(incidents, signal);
    return [];
  } catch (error) {
    if (error instanceof GokeepError) return [error.message];
    throw error;
  }
}

function counts({ repositories, same, untagged, unknown }: Round) {
  return { repositories, same, untagged, unknown };
}

function summary(round: Round): string {
  const { repositories, same, untagged, unknown, incidents, troubles } = round;
  const left = troubles.reduce((sum, { versions }) => sum + versions, 0);
  return [
    `${repositories} ${repositories === 1 ? 'repository' : 'repositories'}`,
    `${same} tags as recorded`,
    ...(untagged === 0 ? [] : [`${untagged} commits without a tag`]),
    ...(unknown === 0 ? [] : [`${unknown} versions of which the commit is not known`]),
    ...(left === 0 ? [] : [`${left} versions not compared`]),
    incidents.length === 0
      ? 'nothing differs'
      : `${incidents.length} differ, ${round.fresh.length} of them new`,
  ].join(', ');
}

export function addMonitor(program: Command): void {
  withSharedOptions(program.command('monitor'))
    .description('compare the private versions on record with their repositories, once')
    .option('--json', 'print one JSON document')
    .action((options: SharedOptions & { json?: true }) => monitor(options));
}
