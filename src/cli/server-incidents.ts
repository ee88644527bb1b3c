import type { Logger } from 'pino';
import type { Metrics } from '../http/counters.ts';
import type { IncidentSink } from '../proxy/incidents.ts';
import { Recent } from '../proxy/recent.ts';
import type { Incident } from '../store/log-records.ts';
import { incidentEvent, type TrailEvent } from '../store/trail-entry.ts';

/** Incidents that are known to be on record already; others are recorded again. */
const KEPT_INCIDENTS = 10_000;

/** Of one version: whoever may publish it can send as many other bytes as he likes. */
const MOST_OF_A_VERSION = 20;

/** Counts, logs and records each incident, in the log's database and in the audit trail. */
export function incidentSink(
  metrics: Metrics,
  log: Logger,
  record: (incident: Incident) => Promise<void>,
  note: (event: TrailEvent) => void,
): IncidentSink {
  const recorded = new Recent<true>(KEPT_INCIDENTS);
  const ofVersions = new Recent<number>(KEPT_INCIDENTS);
  return (incident) => {
    metrics.incidents.inc({ kind: incident.kind });
    // Whoever asks again and again for the same bad bytes is counted, but fills neither log nor database.
    const what = [incident.kind, incident.path, incident.version, incident.seen].join(' ');
    if (recorded.get(what) === true) return;
    recorded.set(what, true);
    const version = `${incident.path}@${incident.version}`;
    const count = ofVersions.get(version) ?? 0;
    if (count >= MOST_OF_A_VERSION) return;
    ofVersions.set(version, count + 1);
    log.error({ incident }, 'security incident: nothing was stored or served');
    note(incidentEvent(incident));
    record(incident).catch((error: unknown) => log.error({ err: error }, 'incident not recorded'));
  };
}
