import { workerData } from 'node:worker_threads';
import { parseSigner } from '../note/signer.ts';
import { HighWaterMark } from '../store/high-water-mark.ts';
import { asStorageError, isFatal } from '../store/database.ts';
import { FailStop } from '../store/fail-stop.ts';
import type { Incident } from '../store/log-records.ts';
import { LogWriter } from '../store/log-writer.ts';
import type { SignedVersion } from '../store/signature-table.ts';
import { answerCalls } from '../store/thread.ts';
import { type Candidate, LogEngine, type Outcome, type SignedHead } from './log-engine.ts';

/** What the log's thread is started with. */
export interface LogThreadData {
  readonly database: string;
  readonly mark: string;
  readonly skey: string;
  /** A log has begun under this key before: an empty database is a lost one. */
  readonly keyWasUsed?: boolean;
}

/** What is noted of a version that a publisher brought. Times in ms since 1970. */
export type HostedChange =
  | { readonly kind: 'host'; readonly path: string; readonly version: string; readonly now: number }
  | {
      readonly kind: 'yank';
      readonly path: string;
      readonly version: string;
      readonly reason: string;
      readonly now: number;
    }
  | { readonly kind: 'unyank'; readonly path: string; readonly version: string };

/** What the log's thread can be asked. */
export type LogOperations = {
  recover: (argument: null) => SignedHead;
  append: (batch: readonly Candidate[]) => { outcomes: Outcome[]; head: SignedHead };
  incident: (incident: Incident) => void;
  hosted: (change: HostedChange) => void;
  signatures: (versions: readonly SignedVersion[]) => void;
  probe: (argument: null) => void;
  close: (argument: null) => void;
};

/**
 * The thread in which the log is written: commits wait for the disk and a signature takes milliseconds, neither of
 * which the event loop that serves hits should.
 *
 * After an I/O error the thread ends instead of trying again: once fsync has failed, the kernel may report pages as
 * clean that never reached the disk, and a second fsync would claim that they did.
 */
const data = workerData as LogThreadData;

function open(): { writer: LogWriter; engine: LogEngine } {
  const signer = parseSigner(data.skey);
  const writer = new LogWriter(data.database);
  const mark = new HighWaterMark(data.mark, signer.name);
  const engine = new LogEngine(writer, mark, signer, Date.now, data.keyWasUsed !== true);
  return { writer, engine };
}

/** Opened by the first call and not on loading: an error while a thread loads reaches nobody as a sentence. */
let opened: ReturnType<typeof open> | undefined;
const log = () => (opened ??= open());

const failStop = new FailStop((error) => asStorageError(error, 'log database'), isFatal);

function noteHosted({ hosted }: LogWriter, change: HostedChange): void {
  const { path, version } = change;
  switch (change.kind) {
    case 'host':
      return hosted.host(path, version, change.now);
    case 'yank':
      return hosted.yank(path, version, change.reason, change.now);
    case 'unyank':
      return hosted.unyank(path, version);
  }
}

answerCalls({
  recover: () => failStop.run(() => log().engine.recover()),
  append: (batch) => failStop.run(() => log().engine.append(batch)),
  incident: (incident) => failStop.run(() => log().writer.recordIncident(incident)),
  hosted: (change) => failStop.run(() => noteHosted(log().writer, change)),
  signatures: (versions) => failStop.run(() => log().writer.signatures.keep(versions)),
  probe: () => failStop.run(() => log().writer.probe(Date.now())),
  close: () => {
    failStop.close(opened?.writer);
    opened = undefined;
  },
} satisfies LogOperations);
