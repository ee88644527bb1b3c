import { workerData } from 'node:worker_threads';
import { asStorageError, isFatal } from './database.ts';
import type { Incident } from './log-writer.ts';
import { ReplicaWriter, type Taken } from './replica-writer.ts';
import { answerCalls } from './thread.ts';

/** What the replica's thread is started with. */
export interface ReplicaThreadData {
  readonly database: string;
}

/** What a bundle left behind, proven, and what its records are to be kept with. */
export interface Take {
  readonly scratchFile: string;
  readonly database: string;
  readonly evidence: string;
  readonly now: number;
}

/** What the replica's thread can be asked. */
export type ReplicaOperations = {
  take: (argument: Take) => Taken;
  incident: (incident: Incident) => void;
  probe: (argument: null) => void;
  close: (argument: null) => void;
};

/**
 * The thread in which a replica's log is written: one transaction holds a whole bundle.
 *
 * After an I/O error the thread ends instead of trying again, as the log's thread does.
 */
let opened: ReplicaWriter | undefined;
/** Opened by the first call and not on loading: an error while a thread loads reaches nobody as a sentence. */
const writer = () => (opened ??= new ReplicaWriter((workerData as ReplicaThreadData).database));

/** The error after which nothing is written any more, not even what was asked before the thread has ended. */
let fatal: Error | undefined;

function orEnd<T>(run: () => T): T {
  if (fatal !== undefined) throw fatal;
  try {
    return run();
  } catch (error) {
    const failure = asStorageError(error, 'replica');
    if (isFatal(failure)) {
      fatal = failure;
      setImmediate(() => process.exit(1));
    }
    throw failure;
  }
}

answerCalls({
  take: ({ scratchFile, database, evidence, now }) =>
    orEnd(() => writer().take(scratchFile, database, evidence, now)),
  incident: (incident) => orEnd(() => writer().recordIncident(incident)),
  probe: () => orEnd(() => writer().probe(Date.now())),
  close: () => {
    if (fatal !== undefined) throw fatal;
    try {
      opened?.checkpoint();
    } catch {
      // A full disk, or somebody who still reads: the write-ahead log keeps everything for the next start.
    }
    opened?.close();
    opened = undefined;
  },
} satisfies ReplicaOperations);
