import { GokeepError } from '../errors.ts';
import { Thread } from '../store/thread.ts';
import type { TrailEvent, TrailHead } from '../store/trail-entry.ts';
import type { TrailOperations } from '../store/trail-thread.ts';
import { threadEntry } from '../thread-entry.ts';

/** Whoever changes something records it here first. */
export interface TrailSink {
  /** Durable when it resolves. Rejects with storage_full or storage_failed: then the change must not be made. */
  record(event: TrailEvent): Promise<void>;
}

export interface AuditTrailOptions {
  /** The database; it exists. */
  readonly file: string;
  readonly now: () => number;
  /** The trail can no longer be written by this process: it has to end. */
  readonly onFatal: (error: Error) => void;
  /** What was only noted could not be written. */
  readonly onHiddenError: (error: unknown, what: string) => void;
}

interface Waiting {
  readonly event: TrailEvent;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** More notes than this at a time are not worth the memory: whoever makes so many is counted and logged anyway. */
const MOST_WAITING = 10_000;

/**
 * A server's side of the audit trail: events wait for the commit before theirs and are then written together, in a thread of
 * their own, which is started by the first of them.
 */
export class AuditTrail implements TrailSink, AsyncDisposable {
  readonly #o: AuditTrailOptions;
  #thread: Thread<TrailOperations> | undefined;
  #queue: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #ended: Error | undefined;

  constructor(options: AuditTrailOptions) {
    this.#o = options;
  }

  record(event: TrailEvent): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#queue.push({ event, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Records what nobody waits for: it has happened already, or was refused. */
  note(event: TrailEvent): void {
    if (this.#queue.length >= MOST_WAITING) {
      this.#o.onHiddenError(new GokeepError('busy', 'too much waits for the audit trail'), 'audit trail');
      return;
    }
    this.record(event).catch((error: unknown) => this.#o.onHiddenError(error, 'audit trail'));
  }

  /** Writes what waits, then closes the database. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#draining;
    if (this.#thread === undefined) return;
    if (this.#ended === undefined) await this.#thread.call('close', null);
    await this.#thread.terminate();
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      try {
        await this.#append(batch.map(({ event }) => event));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#draining = undefined;
  }

  #append(events: readonly TrailEvent[]): Promise<TrailHead> {
    const { file, now, onFatal } = this.#o;
    this.#thread ??= new Thread<TrailOperations>(
      threadEntry('../store/trail-thread', import.meta.url),
      { database: file },
      (error) => {
        this.#ended = error;
        onFatal(error);
      },
    );
    return this.#thread.call('append', { events, now: now() });
  }
}
