import path from 'node:path';
import type { Logger } from 'pino';
import type { Config } from '../config/load.ts';
import type { Metrics } from '../http/counters.ts';
import { LogReader } from '../store/log-reader.ts';
import { incidentEvent, type TrailEvent } from '../store/trail-entry.ts';
import type { Round } from '../trust/monitor.ts';
import { monitorRound } from '../trust/monitor.ts';
import { MonitorRounds } from '../trust/monitor-rounds.ts';
import type { MonitorRound, MonitorStatus } from '../web/status.ts';
import { LOG_DATABASE } from './data-files.ts';
import type { Direct } from './direct-sources.ts';
import { monitorOptions, webhookTeller } from './monitor-parts.ts';
import type { ServedLog } from './own-log.ts';

export interface ServerMonitorParts {
  readonly served: ServedLog;
  readonly direct: Direct;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly note: (event: TrailEvent) => void;
  readonly onHiddenError: (error: unknown, what: string) => void;
}

/**
 * Rounds of the monitor, where `monitor.every` asks for them; answers how they do. Throws bad_config.
 *
 * @param cleanup closes in the reverse of the order in which things are opened here
 */
export function openMonitor(
  config: Config,
  parts: ServerMonitorParts,
  cleanup: AsyncDisposableStack,
): () => MonitorStatus | undefined {
  const { every } = config.monitor;
  // A webhook that cannot work is told at the start, whoever runs the rounds.
  const tell = webhookTeller(config, parts.served.name);
  if (every === undefined) return () => undefined;
  let last: MonitorRound | undefined;
  const { served, direct, metrics, log, onHiddenError } = parts;
  const reader = cleanup.use(new LogReader(path.join(config.data, LOG_DATABASE)));
  const options = monitorOptions(config, {
    log: reader,
    direct,
    asking: direct.private,
    scratch: path.join(config.data, 'direct', 'monitor'),
    onIncident: (incident) => {
      metrics.incidents.inc({ kind: incident.kind });
      log.error(
        { incident },
        'security incident: a repository is no longer what was recorded; nothing changes here',
      );
      parts.note(incidentEvent(incident));
      served.keeper
        .recordIncident(incident)
        .catch((error: unknown) => log.error({ err: error }, 'incident not recorded'));
    },
  });
  cleanup.use(
    new MonitorRounds({
      every,
      round: (signal) => monitorRound(options, signal),
      onRound: (round) => {
        note(metrics, round, Date.now());
        for (const { url, versions, why } of round.troubles)
          log.warn({ repository: url, versions }, `not compared: ${why}`);
        const { repositories, same, untagged, unknown, incidents, fresh, troubles } = round;
        const counted = { repositories, same, untagged, unknown, differ: incidents.length };
        last = { at: Date.now(), ...counted, troubles: troubles.length };
        log.info(
          { ...counted, new: fresh.length, troubles: troubles.length },
          'private repositories compared with the log',
        );
      },
      tell,
      onError: onHiddenError,
    }),
  );
  return () => ({ every, last });
}

function note({ monitored, monitorTroubles, monitorEnded }: Metrics, round: Round, now: number): void {
  const { same, untagged, unknown, incidents, troubles } = round;
  for (const [state, count] of Object.entries({ same, untagged, unknown, differ: incidents.length }))
    monitored.set({ state }, count);
  monitorTroubles.set(troubles.length);
  monitorEnded.set(now / 1000);
}
