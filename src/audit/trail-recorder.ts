import type { LogReader } from '../store/log-reader.ts';
import { EMPTY_TRAIL, type TrailHead } from '../store/trail-entry.ts';
import type { Outcome } from '../sumdb/log-engine.ts';
import type { Sequencer } from '../sumdb/sequencer.ts';
import { headRecord, recordedHeads } from './trail-heads.ts';

export interface TrailRecorderOptions {
  readonly logName: string;
  readonly sequencer: Pick<Sequencer, 'add'>;
  /** The newest head of the trail. */
  readonly head: () => TrailHead;
  readonly now: () => number;
  /** Milliseconds between two records. */
  readonly every?: number;
  /** The log has another hash on record for this head: the trail was rewritten. */
  readonly onConflict: (head: TrailHead) => void;
  readonly onHiddenError: (error: unknown, what: string) => void;
}

/** A record for each few minutes in which something happened; what is younger is chained, but not yet recorded. */
const EVERY_MS = 5 * 60_000;

/** The newest head of the trail that the log has recorded. */
export function newestRecorded(log: Pick<LogReader, 'versions' | 'find'>, logName: string): TrailHead {
  return recordedHeads(log, logName).at(-1) ?? EMPTY_TRAIL;
}

/** Records heads of the audit trail in our own log: every few minutes, and at the end. */
export class TrailRecorder implements AsyncDisposable {
  readonly #o: TrailRecorderOptions;
  readonly #timer: NodeJS.Timeout;
  #last: number;
  #recording: Promise<void> = Promise.resolve();

  /** @param last number of the last entry that the log has recorded */
  constructor(options: TrailRecorderOptions, last: number) {
    this.#o = options;
    this.#last = last;
    this.#timer = setInterval(() => void this.record(), options.every ?? EVERY_MS);
    this.#timer.unref();
  }

  /** Resolves when the trail's newest entry is covered by a published head of the log, or that has failed. */
  record(): Promise<void> {
    this.#recording = this.#recording.then(() => this.#record());
    return this.#recording;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.record();
  }

  async #record(): Promise<void> {
    const { logName, sequencer, head, now, onConflict, onHiddenError } = this.#o;
    try {
      const newest = head();
      if (newest.n <= this.#last) return;
      const outcome: Outcome = await sequencer.add(headRecord(logName, newest, now()));
      this.#last = newest.n;
      if (outcome.kind === 'conflict') onConflict(newest);
    } catch (error) {
      onHiddenError(error, 'recording the head of the audit trail');
    }
  }
}
