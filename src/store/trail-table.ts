import { chmodSync, closeSync, openSync } from 'node:fs';
import { asStorageError, type Database, openDatabase, openForReading, storageError } from './database.ts';
import {
  EMPTY_TRAIL,
  entryHash,
  entryText,
  type TrailEntry,
  type TrailEvent,
  type TrailHead,
} from './trail-entry.ts';

/** An entry as it is stored. */
export interface StoredEntry {
  readonly n: number;
  /** The bytes that are hashed. */
  readonly text: string;
  readonly hash: Buffer;
}

/** Entries read at once: between two reads the writer's checkpoints can go on. */
const PAGE = 1_000;

const NEWEST = 'SELECT n, hash FROM entries ORDER BY n DESC LIMIT 1';

/**
 * Adds to the audit trail, from any process: entries of a server and of commands beside it are in one order.
 *
 * Guarantee: what `append` was given is durable (survives kill -9 and power loss) when it returns, all of it or nothing.
 * Trust: whoever can write this file can write another trail into it, but not one with a hash that the transparency log
 * has recorded.
 */
export class TrailWriter implements Disposable {
  readonly #db: Database;

  /** Creates the database where there is none. Throws bad_config, storage_full, storage_failed. */
  constructor(file: string) {
    try {
      // It tells what is private, and who works on it. First: SQLite makes the files beside it with the same mode.
      makePrivate(file);
      chmodSync(file, 0o600);
    } catch (error) {
      throw asStorageError(error, 'audit trail');
    }
    this.#db = openDatabase(file, 'audit');
  }

  /**
   * @param now milliseconds since 1970
   * @throws storage_full, storage_failed
   */
  append(events: readonly TrailEvent[], now: number): TrailHead {
    return this.#write((head) => {
      let last = head;
      for (const event of events) last = this.#add(last, last.n + 1, entryText(last.n + 1, now, event));
      return last;
    });
  }

  /**
   * Goes on behind a head that this trail has not got, with an entry that says so: it was put back from a backup, or is new,
   * and what it lacks cannot be made up for. Does nothing where the trail has come as far.
   */
  bridge(recorded: TrailHead, now: number): TrailHead {
    return this.#write((head) => {
      if (head.n >= recorded.n) return head;
      const facts = { after: head.n, lost: recorded.n - head.n, hash: recorded.hash.toString('base64') };
      const n = recorded.n + 1;
      return this.#add(recorded, n, entryText(n, now, { kind: 'gap', who: 'gokeep', facts }));
    });
  }

  checkpoint(): void {
    this.#db.pragma('wal_checkpoint(TRUNCATE)');
  }

  close(): void {
    this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #add(before: TrailHead, n: number, text: string): TrailHead {
    const hash = entryHash(before.hash, text);
    this.#db.prepare('INSERT INTO entries (n, entry, hash) VALUES (?, ?, ?)').run(n, text, hash);
    return { n, hash };
  }

  #write(add: (head: TrailHead) => TrailHead): TrailHead {
    const run = this.#db.transaction(() => add(this.#db.prepare<[], TrailHead>(NEWEST).get() ?? EMPTY_TRAIL));
    try {
      return run.immediate();
    } catch (error) {
      throw storageError(error, 'audit trail: append');
    }
  }
}

/**
 * Makes the file where there is none. One that is there is not opened: closing it would drop the locks that other connections of this
 * process have on it.
 */
function makePrivate(file: string): void {
  try {
    closeSync(openSync(file, 'ax', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** Reads the audit trail, beside whoever adds to it. Throws storage_failed. */
export class TrailReader implements Disposable {
  readonly #db: Database;

  constructor(file: string) {
    this.#db = openForReading(file);
  }

  head(): TrailHead {
    return this.#read(() => this.#db.prepare<[], TrailHead>(NEWEST).get()) ?? EMPTY_TRAIL;
  }

  /** The hash of one entry. */
  hashAt(n: number): Buffer | undefined {
    return this.#read(() =>
      this.#db.prepare<[number], Buffer>('SELECT hash FROM entries WHERE n = ?').pluck().get(n),
    );
  }

  entry(n: number): StoredEntry | undefined {
    return this.#read(() =>
      this.#db
        .prepare<[number], StoredEntry>('SELECT n, entry AS text, hash FROM entries WHERE n = ?')
        .get(n),
    );
  }

  /** At most `limit` entries with lower numbers, newest first. */
  before(n: number, limit: number): StoredEntry[] {
    return this.#read(() =>
      this.#db
        .prepare<[number, number], StoredEntry>(
          'SELECT n, entry AS text, hash FROM entries WHERE n < ? ORDER BY n DESC LIMIT ?',
        )
        .all(n, limit),
    );
  }

  /** All entries, oldest first, read page by page. */
  *entries(): Generator<StoredEntry> {
    const next = this.#db.prepare<[number], StoredEntry>(
      `SELECT n, entry AS text, hash FROM entries WHERE n > ? ORDER BY n LIMIT ${PAGE}`,
    );
    let last = 0;
    for (;;) {
      const rows = this.#read(() => next.all(last));
      yield* rows;
      const end = rows.at(-1);
      if (end === undefined || rows.length < PAGE) return;
      last = end.n;
    }
  }

  /** The newest entry of a kind; one that is damaged is of none, which verifying tells. */
  newestOf(kind: TrailEvent['kind']): TrailEntry | undefined {
    const text = this.#read(() =>
      this.#db
        .prepare<[string], string>(
          `SELECT entry FROM entries
           WHERE iif(json_valid(entry), entry ->> '$.kind', NULL) = ? ORDER BY n DESC LIMIT 1`,
        )
        .pluck()
        .get(kind),
    );
    return text === undefined ? undefined : (JSON.parse(text) as TrailEntry);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #read<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw storageError(error, 'audit trail: read');
    }
  }
}
