import { constants, setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { GokeepError } from '../errors.ts';
import { deleteCatalogueDatabase, openCatalogueDatabase } from '../store/catalogue-database.ts';
import { CatalogueTable } from '../store/catalogue-table.ts';
import { isDamaged, isDiskFailure } from '../store/database.ts';
import { ModuleStore } from '../store/module-store.ts';
import { Indexing } from './indexing.ts';

/** What the thread is given when it starts. */
export interface IndexerData {
  readonly database: string;
  /** The data directory. */
  readonly data: string;
}

export type ToIndexer =
  | { readonly kind: 'add'; readonly path: string; readonly version: string }
  /** What was read from the database cannot be true. */
  | { readonly kind: 'rebuild' }
  | { readonly kind: 'close' };

export type FromIndexer =
  /** There is a database to read; after it was made again, another one. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'idle' }
  | { readonly kind: 'skipped'; readonly path: string; readonly version: string; readonly reason: string }
  | { readonly kind: 'trouble'; readonly problem: string };

/** After trouble, such as a full disk; and the least between two times that everything is made again. Milliseconds. */
const PAUSE = 60_000;
/** A step is followed by a rest of its own length, and no longer than this. Milliseconds. */
const LONGEST_REST = 250;

/**
 * The thread that reads zips for the catalogue and writes its database: all of it can wait, so it takes at most half of one
 * processor, and what others leave of it.
 */
class IndexerThread {
  readonly #data: IndexerData;
  readonly #post: (message: FromIndexer) => void;
  readonly #closed = new AbortController();
  #indexing: Indexing | undefined;
  #wake = Promise.withResolvers<void>();
  #rebuildsFrom = 0;
  #mustRebuild = false;

  constructor(data: IndexerData, post: (message: FromIndexer) => void) {
    this.#data = data;
    this.#post = post;
  }

  hear(message: ToIndexer): void {
    if (message.kind === 'add') this.#indexing?.add(message.path, message.version);
    if (message.kind === 'rebuild') this.#mustRebuild = true;
    if (message.kind === 'close') this.#closed.abort();
    this.#wake.resolve();
  }

  async run(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#runDatabase();
      } catch (error) {
        this.#mustRebuild ||= isDamaged(error);
        this.#post({ kind: 'trouble', problem: describe(error) });
        // What fsync could not write is not written again by this process.
        await this.#pause(isDiskFailure(error) ? 2 ** 31 - 1 : PAUSE);
      }
    }
  }

  async #runDatabase(): Promise<void> {
    if (this.#mustRebuild) {
      if (Date.now() < this.#rebuildsFrom) await this.#pause(PAUSE);
      this.#rebuildsFrom = Date.now() + PAUSE;
      this.#mustRebuild = false;
      deleteCatalogueDatabase(this.#data.database);
    }
    const db = openCatalogueDatabase(this.#data.database);
    try {
      // What is not durable is read again.
      db.pragma('synchronous = NORMAL');
      const indexing = new Indexing({
        table: new CatalogueTable(db),
        store: new ModuleStore(this.#data.data),
        onSkipped: (path, version, reason) => this.#post({ kind: 'skipped', path, version, reason }),
        rest: (took) => this.#pause(Math.min(took, LONGEST_REST)),
        isStopped: () => this.#isClosed || this.#mustRebuild,
      });
      this.#indexing = indexing;
      this.#post({ kind: 'ready' });
      await indexing.compareAll();
      while (!this.#isClosed && !this.#mustRebuild) {
        await indexing.catchUp();
        if (!indexing.isIdle) continue;
        this.#post({ kind: 'idle' });
        await this.#wake.promise;
        this.#wake = Promise.withResolvers<void>();
      }
    } finally {
      db.close();
    }
  }

  get #isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closed.signal }).catch(() => undefined);
  }
}

function describe(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const cause = error instanceof GokeepError && error.cause !== undefined ? `: ${describe(error.cause)}` : '';
  return text + cause;
}

const port = parentPort;
if (port === null) throw new Error('the indexer runs in a worker thread only');
// On Linux this is the thread's own priority; elsewhere it would be that of all.
if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_LOW);
const thread = new IndexerThread(workerData as IndexerData, (message) => port.postMessage(message));
port.on('message', (message: ToIndexer) => thread.hear(message));
await thread.run();
port.close();
