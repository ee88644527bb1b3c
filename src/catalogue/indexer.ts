import { Worker } from 'node:worker_threads';
import { threadEntry } from '../thread-entry.ts';
import type { FromIndexer, IndexerData, ToIndexer } from './indexer-thread.ts';

export interface IndexerOptions extends IndexerData {
  /** There is a database to read, or another one in the place of the last. */
  readonly onReady: () => void;
  /** All that is held is in it. */
  readonly onIdle?: () => void;
  /** A zip that cannot be read; told once of each. */
  readonly onSkipped: (path: string, version: string, reason: string) => void;
  /** What keeps the catalogue from being filled; it is tried again. */
  readonly onTrouble: (problem: string) => void;
}

/** Before a thread that ended is started again, in milliseconds: doubled each time. */
const FIRST_RESTART = 1000;
const LONGEST_RESTART = 600_000;

/**
 * Fills the catalogue in a thread of its own: with what the store holds when it starts, and with what is added afterwards. What
 * happens in it never reaches a request: a thread that ends, of a zip made for that, is started again and leaves it alone.
 */
export class Indexer implements AsyncDisposable {
  readonly #o: IndexerOptions;
  #worker: Worker | undefined;
  #ended: Promise<void> = Promise.resolve();
  #restart: NodeJS.Timeout | undefined;
  #restartIn = FIRST_RESTART;
  #closing = false;

  constructor(o: IndexerOptions) {
    this.#o = o;
  }

  /** Begins with all that is held. Once. */
  start(): void {
    if (this.#worker === undefined && !this.#closing) this.#start();
  }

  /** Tells that a file of a version has its name now. One that is told while the thread is down is found when it starts. */
  add(path: string, version: string): void {
    this.#tell({ kind: 'add', path, version });
  }

  /** Has the database made again, since what was read from it cannot be true. */
  rebuild(): void {
    this.#tell({ kind: 'rebuild' });
  }

  /** Ends after the zip that is being read. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#restart);
    this.#tell({ kind: 'close' });
    await this.#ended;
  }

  #tell(message: ToIndexer): void {
    this.#worker?.postMessage(message);
  }

  #start(): void {
    const { database, data } = this.#o;
    const worker = new Worker(threadEntry('./indexer-thread', import.meta.url), {
      workerData: { database, data } satisfies IndexerData,
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    const ended = Promise.withResolvers<void>();
    this.#worker = worker;
    this.#ended = ended.promise;
    let problem = 'its thread ended';
    worker.on('message', (message: FromIndexer) => this.#hear(message));
    worker.on('error', (error) => {
      problem = error instanceof Error ? error.message : String(error);
    });
    worker.on('exit', () => {
      this.#worker = undefined;
      ended.resolve();
      if (this.#closing) return;
      this.#o.onTrouble(problem);
      this.#restart = setTimeout(() => this.#start(), this.#restartIn).unref();
      this.#restartIn = Math.min(2 * this.#restartIn, LONGEST_RESTART);
    });
  }

  #hear(message: FromIndexer): void {
    switch (message.kind) {
      case 'ready':
        this.#o.onReady();
        break;
      case 'idle':
        this.#restartIn = FIRST_RESTART;
        this.#o.onIdle?.();
        break;
      case 'skipped':
        this.#o.onSkipped(message.path, message.version, message.reason);
        break;
      case 'trouble':
        this.#o.onTrouble(message.problem);
        break;
    }
  }
}
