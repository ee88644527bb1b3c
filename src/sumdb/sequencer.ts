import { GokeepError } from '../errors.ts';
import type { Incident } from '../store/log-records.ts';
import type { SignedVersion } from '../store/signature-table.ts';
import { Thread } from '../store/thread.ts';
import { threadEntry } from '../thread-entry.ts';
import { formatGoSumRecord } from '../tlog/go-sum-record.ts';
import type { Candidate, Outcome, SignedHead } from './log-engine.ts';
import type { LogKeeper } from './log-keeper.ts';
import type { HostedChange, LogOperations, LogThreadData } from './log-thread.ts';

/** More candidates than this in one batch make everybody in it wait for a long transaction. */
const LARGEST_BATCH = 1_000;
/** More waiting candidates than this and new ones are turned away: memory is bounded. */
const LONGEST_QUEUE = 100_000;

interface Waiting {
  readonly candidate: Candidate;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

export interface SequencerEvents {
  /** A new head is public. */
  readonly onHead: (head: SignedHead) => void;
  /** The log's thread ended after an I/O error: this process must not write the log again. */
  readonly onFatal: (error: Error) => void;
}

/**
 * Collects candidates into batches and has the log's thread append them.
 *
 * There is no timer: a batch goes off the moment the thread is free, and what arrives meanwhile makes the next one. So
 * a lone record waits for one commit, and a burst shares commits and signatures.
 */
export class Sequencer implements LogKeeper {
  readonly #thread: Thread<LogOperations>;
  readonly #events: SequencerEvents;
  readonly #reserved: string | undefined;
  #queue: Waiting[] = [];
  #busy = false;
  #head: SignedHead | undefined;
  #ended: Error | undefined;
  #oldestWaitingSince: number | undefined;

  /** @param reserved the module path under which only heads of the audit trail are recorded */
  constructor(data: LogThreadData, events: SequencerEvents, reserved?: string) {
    this.#events = events;
    this.#reserved = reserved;
    this.#thread = new Thread<LogOperations>(threadEntry('./log-thread', import.meta.url), data, (error) => {
      this.#ended = error;
      events.onFatal(error);
    });
  }

  /** Loads the log. Until this has resolved nothing can be added. Throws log_frozen: see LogEngine.recover. */
  async start(): Promise<SignedHead> {
    const head = await this.#thread.call('recover', null);
    this.#publish(head);
    return this.#head ?? head;
  }

  /**
   * Resolves once the record is covered by a published head, durably. A record that the log already has, with the same
   * hashes, is not added again.
   *
   * Rejects with bad_record, refused, busy, log_frozen, storage_full or storage_failed; after the last three the record may or
   * may not be in the log, and adding it again is safe.
   */
  add(candidate: Candidate): Promise<Outcome> {
    if (this.#ended !== undefined) {
      return Promise.reject(
        new GokeepError('log_frozen', 'the gokeep server cannot write its checksum database; see its log', {
          cause: this.#ended,
        }),
      );
    }
    if (this.#queue.length >= LONGEST_QUEUE) {
      return Promise.reject(
        new GokeepError('busy', 'the gokeep server has too much to do; try again in a moment'),
      );
    }
    if (candidate.path === this.#reserved && candidate.provenance.source !== 'audit') {
      return Promise.reject(
        new GokeepError(
          'refused',
          `${candidate.path} is no module: the audit trail of this gokeep is recorded there.`,
        ),
      );
    }
    try {
      // Here and not in the thread: one that cannot be a record must not fail the batch of the others.
      formatGoSumRecord(candidate.path, candidate.version, candidate.zip, candidate.mod);
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ candidate, resolve, reject });
      this.#oldestWaitingSince ??= Date.now();
      if (!this.#busy) void this.#drain();
    });
  }

  /** Keeps what was seen of a mismatch. */
  async recordIncident(incident: Incident): Promise<void> {
    await this.#thread.call('incident', incident);
  }

  async keepSignatures(versions: readonly SignedVersion[]): Promise<void> {
    await this.#thread.call('signatures', versions);
  }

  /** Notes that a version is hosted here, yanked or no longer yanked. Durable when it resolves. */
  async noteHosted(change: HostedChange): Promise<void> {
    await this.#thread.call('hosted', change);
  }

  /** Rejects when the database cannot be written. */
  async probe(): Promise<void> {
    if (this.#ended !== undefined) throw this.#ended;
    await this.#thread.call('probe', null);
  }

  /** The newest published head. */
  get head(): SignedHead | undefined {
    return this.#head;
  }

  /** Milliseconds that the oldest candidate has waited; 0 when none waits. */
  waitingFor(now: number): number {
    return this.#oldestWaitingSince === undefined ? 0 : now - this.#oldestWaitingSince;
  }

  /** Waits for what was added, then closes the database. */
  async close(): Promise<void> {
    while (this.#busy) await new Promise((resolve) => setTimeout(resolve, 5));
    if (this.#ended === undefined) await this.#thread.call('close', null);
    await this.#thread.terminate();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, LARGEST_BATCH);
      this.#queue = this.#queue.slice(batch.length);
      try {
        const { outcomes, head } = await this.#thread.call(
          'append',
          batch.map((waiting) => waiting.candidate),
        );
        this.#publish(head);
        for (const [at, waiting] of batch.entries()) {
          const outcome = outcomes[at];
          if (outcome === undefined) waiting.reject(new GokeepError('internal', 'the log gave no answer'));
          else waiting.resolve(outcome);
        }
      } catch (error) {
        for (const waiting of batch) waiting.reject(error);
      }
      this.#oldestWaitingSince = this.#queue.length > 0 ? Date.now() : undefined;
    }
    this.#busy = false;
  }

  #publish(head: SignedHead): void {
    if (this.#head !== undefined && head.size <= this.#head.size) return;
    // Structured clone turns Buffers into bare Uint8Arrays.
    this.#head = { ...head, root: Buffer.from(head.root), note: Buffer.from(head.note) };
    this.#events.onHead(this.#head);
  }
}
