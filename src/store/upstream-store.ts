import { threadEntry } from '../thread-entry.ts';
import type { Tile } from '../tlog/tile.ts';
import { type Database, openDatabase, openForReading, storageError } from './database.ts';
import { type HistoryRow, type HistorySample, HistoryTable } from './history-table.ts';
import type { ServedNote } from './served-to-table.ts';
import { ServedUsage } from './served-usage.ts';
import { Thread } from './thread.ts';
import type { TokenUse } from './token-use-table.ts';
import type { UpstreamChange, UpstreamOperations } from './upstream-thread.ts';
import type { Wish } from './wish-table.ts';

/** A refreshable answer as upstream last gave it. */
export interface RememberedAnswer {
  readonly body: Buffer;
  /** Display name of the upstream. */
  readonly source: string;
  /** Milliseconds since 1970. */
  readonly fetchedAt: number;
}

interface Queued {
  readonly change: UpstreamChange;
  readonly resolve: (applied: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What was learned from outside: foreign tree heads, lookups and tiles, and refreshable answers; and from clients: what
 * they asked for and did not get, on which days each file was served and to whom, and when tokens were used.
 *
 * Guarantee: a promise that has resolved is durable. Losing this store costs requests, not truth, with one exception:
 * the newest head seen of a foreign database is what makes its forks noticeable. Trust: lookups and tiles read back
 * from here are verified again by their reader; answers carry no proof anywhere in Go's design.
 */
export class UpstreamStore {
  readonly #reader: Database;
  readonly #thread: Thread<UpstreamOperations>;
  readonly #onUnreadable: (error: Error) => void;
  readonly #answer;
  readonly #head;
  readonly #lookup;
  readonly #tile;
  readonly #history: HistoryTable;
  #queue: Queued[] = [];
  #draining: Promise<void> | undefined;

  /** @param onUnreadable told of each failed read of what can be asked for again: it counts as not remembered. */
  constructor(file: string, onExit: (error: Error) => void, onUnreadable: (error: Error) => void) {
    this.#onUnreadable = onUnreadable;
    // Created or migrated here: an error while a thread loads reaches nobody as a sentence.
    openDatabase(file, 'upstream').close();
    this.#thread = new Thread<UpstreamOperations>(
      threadEntry('./upstream-thread', import.meta.url),
      { database: file },
      onExit,
    );
    this.#reader = openForReading(file);
    this.#history = new HistoryTable(this.#reader);
    this.#answer = this.#reader.prepare<[string], RememberedAnswer>(
      'SELECT body, source, fetched_at AS fetchedAt FROM answers WHERE key = ?',
    );
    this.#head = this.#reader.prepare<[string], Buffer>('SELECT note FROM heads WHERE database = ?').pluck();
    this.#lookup = this.#reader
      .prepare<[string, string, string], Buffer>(
        'SELECT body FROM lookups WHERE database = ? AND path = ? AND version = ?',
      )
      .pluck();
    this.#tile = this.#reader
      .prepare<[string, number, number, number, number], Buffer>(
        'SELECT data FROM tiles WHERE database = ? AND height = ? AND level = ? AND n = ? AND width = ?',
      )
      .pluck();
  }

  answer(key: string): RememberedAnswer | undefined {
    return this.#readable(() => this.#answer.get(key));
  }

  async keepAnswer(key: string, answer: RememberedAnswer): Promise<void> {
    await this.#apply({ kind: 'answer', key, ...answer });
  }

  /**
   * Adds to the wishes; the oldest beyond what is kept are forgotten. In a transaction of its own, since what cannot be
   * written here must not take along what an answer waits for.
   */
  async keepWishes(wishes: readonly Wish[]): Promise<void> {
    await this.#thread.call('apply', [{ kind: 'wishes', wishes }]);
  }

  /** Moves the days on which files were served; in a transaction of its own, as {@link keepWishes}. */
  async keepServed(files: readonly ServedNote[]): Promise<void> {
    await this.#thread.call('apply', [{ kind: 'served', files }]);
  }

  /** Moves the days on which tokens were last used; in a transaction of its own, as {@link keepWishes}. */
  async keepTokenUses(uses: readonly TokenUse[]): Promise<void> {
    await this.#thread.call('apply', [{ kind: 'token-uses', uses }]);
  }

  /** Adds a sample to its hour and day; in a transaction of its own, as {@link keepWishes}. */
  async keepHistory(sample: HistorySample): Promise<void> {
    await this.#thread.call('apply', [{ kind: 'history', sample }]);
  }

  /** Hours or days as they were sampled, in order. Throws storage_failed. */
  history(span: 'hour' | 'day', from: number, to: number): HistoryRow[] {
    try {
      return this.#history.rows(span, from, to);
    } catch (error) {
      throw storageError(error, 'upstream database: read');
    }
  }

  /** To whom zips were served, for who adds it up. What it reads throws what SQLite throws. */
  servedUsage(): ServedUsage {
    return new ServedUsage(this.#reader);
  }

  /** The newest signed head that was verified of a foreign database, and when it was first seen. Throws storage_failed. */
  newestHead(database: string): { readonly note: Buffer; readonly seenAt: number | undefined } | undefined {
    const note = this.#newestHead(database);
    if (note === undefined) return undefined;
    const seenAt = this.#reader
      .prepare<[string], number | null>('SELECT seen_at FROM heads WHERE database = ?')
      .pluck()
      .get(database);
    return { note, seenAt: seenAt ?? undefined };
  }

  /** The memory of one foreign database, in the shape that its client asks for. */
  databaseMemory(database: string) {
    return {
      latest: async () => this.#newestHead(database),
      advance: (from: Buffer | undefined, to: Buffer) =>
        this.#apply({ kind: 'head', database, from: from ?? null, to }),
      lookup: async (path: string, version: string) =>
        this.#readable(() => this.#lookup.get(database, path, version)),
      keepLookup: async (path: string, version: string, body: Buffer) => {
        await this.#apply({ kind: 'lookup', database, path, version, body });
      },
      tile: async ({ height, level, n, width }: Tile) =>
        this.#readable(() => this.#tile.get(database, height, level, n, width)),
      keepTile: async ({ height, level, n, width }: Tile, data: Buffer) => {
        await this.#apply({ kind: 'tile', database, height, level, n, width, data });
      },
    };
  }

  /** Waits for what was handed over, then closes the files. */
  async close(): Promise<void> {
    await this.#draining;
    this.#reader.close();
    await this.#thread.call('close', null);
    await this.#thread.terminate();
  }

  #readable<T>(read: () => T | undefined): T | undefined {
    try {
      return read();
    } catch (error) {
      this.#onUnreadable(storageError(error, 'upstream database'));
      return undefined;
    }
  }

  /** One that cannot be read is not none: then no fork from it would be noticed. */
  #newestHead(database: string): Buffer | undefined {
    try {
      return this.#head.get(database);
    } catch (error) {
      throw storageError(error, 'upstream database');
    }
  }

  /** Changes made while the thread is busy share the next transaction. */
  #apply(change: UpstreamChange): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ change, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      try {
        const applied = await this.#thread.call(
          'apply',
          batch.map((queued) => queued.change),
        );
        for (const [at, queued] of batch.entries()) queued.resolve(applied[at] ?? false);
      } catch (error) {
        for (const queued of batch) queued.reject(error);
      }
    }
    this.#draining = undefined;
  }
}
