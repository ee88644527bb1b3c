import path from 'node:path';
import type { Logger } from 'pino';
import { HeadsOnRecord } from '../audit/heads-on-record.ts';
import { RefusalNotes } from '../audit/refusals.ts';
import { AuditTrail } from '../audit/trail.ts';
import { newestRecorded, TrailRecorder } from '../audit/trail-recorder.ts';
import type { Config } from '../config/load.ts';
import type { Metrics } from '../http/counters.ts';
import { LogReader } from '../store/log-reader.ts';
import { EMPTY_TRAIL, GOKEEP, type TrailHead } from '../store/trail-entry.ts';
import { TrailReader, TrailWriter } from '../store/trail-table.ts';
import { LOG_DATABASE } from './data-files.ts';
import { trailFile } from './local-trail.ts';
import type { ServedLog } from './own-log.ts';
import { configuredRights } from './rights.ts';
import { openSigningRules } from './signing-rules.ts';

export interface TrailParts {
  readonly served: ServedLog;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** False in the server of a command, which is there for a moment and changes nothing that this tells of. */
  readonly isLasting: boolean;
  readonly onFatal: (error: Error) => void;
  readonly onHiddenError: (error: unknown, what: string) => void;
}

export interface ServedTrail {
  readonly trail: AuditTrail;
  readonly refusals: RefusalNotes;
  readonly reader: TrailReader;
  /** Where the log has recorded it; undefined in a replica, which signs none. */
  readonly heads: HeadsOnRecord | undefined;
}

/**
 * The audit trail of a server: opened, compared with what the log has recorded of it, and told what the configuration lets whom
 * do, if that has changed.
 *
 * @param cleanup closes what is opened here, in an order in which the last entries are recorded in the log too
 * @throws bad_config, storage_full, storage_failed
 */
export function openTrail(
  config: Config,
  { served, metrics, log, isLasting, onFatal, onHiddenError }: TrailParts,
  cleanup: AsyncDisposableStack,
): ServedTrail {
  const file = trailFile(config);
  const { sequencer } = served;
  const logReader = cleanup.use(new LogReader(path.join(config.data, LOG_DATABASE)));
  // A replica may hold records of its origin's trail, which is not this one.
  const recorded = sequencer === undefined ? EMPTY_TRAIL : newestRecorded(logReader, served.name);
  const reader = cleanup.use(openReader(file));
  const onConflict = ({ n }: TrailHead) => {
    metrics.incidents.inc({ kind: 'audit' });
    log.error(
      { entry: n },
      'the audit trail is not what the log has recorded of it: run `gokeep audit verify`',
    );
  };
  {
    using writer = new TrailWriter(file);
    const { n } = reader.head();
    if (n < recorded.n) {
      log.error(
        { has: n, recorded: recorded.n },
        'the audit trail lacks entries that the log has recorded: it was put back from a backup, or lost',
      );
      metrics.incidents.inc({ kind: 'audit' });
      writer.bridge(recorded, Date.now());
    } else if (recorded.n > 0 && reader.hashAt(recorded.n)?.equals(recorded.hash) !== true)
      onConflict(recorded);
    // Now, and not in the thread: most servers have nothing to tell for a long time, and need none.
    const rights = configuredRights(config, openSigningRules(config));
    if (isLasting && JSON.stringify(reader.newestOf('rights')?.facts) !== JSON.stringify(rights))
      writer.append([{ ...GOKEEP, kind: 'rights', facts: rights }], Date.now());
  }
  if (sequencer !== undefined && isLasting) {
    const recorder = new TrailRecorder(
      {
        logName: served.name,
        sequencer,
        head: () => reader.head(),
        now: Date.now,
        onConflict,
        onHiddenError,
      },
      recorded.n,
    );
    cleanup.use(recorder);
  }
  const trail = cleanup.use(new AuditTrail({ file, now: Date.now, onFatal, onHiddenError }));
  const refusals = new RefusalNotes({ note: (event) => trail.note(event), now: Date.now });
  cleanup.defer(() => refusals.close());
  const published = () => logReader.publishedHead()?.size ?? 0;
  const heads = sequencer === undefined ? undefined : new HeadsOnRecord(logReader, served.name, published);
  return { trail, refusals, reader, heads };
}

/** Makes the database where there is none. */
function openReader(file: string): TrailReader {
  new TrailWriter(file).close();
  return new TrailReader(file);
}
