import { workerData } from 'node:worker_threads';
import { asStorageError, isFatal } from './database.ts';
import { FailStop } from './fail-stop.ts';
import type { Incident } from './log-records.ts';
import { ReplicaWriter, type Taken } from './replica-writer.ts';
import type { SignedVersion } from './signature-table.ts';
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
  signatures: (versions: readonly SignedVersion[]) => void;
  incident: (incident: Incident) => void;
  probe: (argument: null) => void;
  close: (argument: null) => void;
};

/** The thread in which a replica's log is written: one transaction holds a whole bundle. */
const failStop = new FailStop((error) => asStorageError(error, 'replica'), isFatal);

/** Opened by the first call and not on loading: an error while a thread loads reaches nobody as a sentence. */
let opened: ReplicaWriter | undefined;
const writer = () => (opened ??= new ReplicaWriter((workerData as ReplicaThreadData).database));

answerCalls({
  take: ({ scratchFile, database, evidence, now }) =>
    failStop.run(() => writer().take(scratchFile, database, evidence, now)),
  signatures: (versions) => failStop.run(() => writer().signatures.keep(versions)),
  incident: (incident) => failStop.run(() => writer().recordIncident(incident)),
  probe: () => failStop.run(() => writer().probe(Date.now())),
  close: () => {
    failStop.close(opened);
    opened = undefined;
  },
} satisfies ReplicaOperations);
