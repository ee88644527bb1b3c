export interface WriteBehindOptions<V> {
  /** How many entries wait at most; beyond that the oldest are dropped. */
  readonly most: number;
  /** Milliseconds between two writes. */
  readonly every: number;
  /** Writes entries durably; what it rejects with no client sees. */
  readonly write: (entries: readonly V[]) => Promise<void>;
  /** One entry out of two of the same key. */
  readonly merge: (older: V, newer: V) => V;
  readonly onHiddenError: (error: unknown) => void;
}

/** A storage that failed is left alone for so many turns. */
const PAUSE_TURNS = 12;

/**
 * Entries that wait in memory and are written together, every few seconds and at the end: who puts one in neither waits for
 * the disk nor fails with it. What could not be written waits for a later turn, within the same bound; a crash loses
 * what waits.
 */
export class WriteBehind<V> {
  readonly #o: WriteBehindOptions<V>;
  readonly #timer: NodeJS.Timeout;
  #waiting = new Map<string, V>();
  #writing: Promise<void> | undefined;
  #pausedTurns = 0;

  constructor(options: WriteBehindOptions<V>) {
    this.#o = options;
    this.#timer = setInterval(() => this.#turn(), options.every);
    this.#timer.unref();
  }

  put(key: string, entry: V): void {
    const before = this.#waiting.get(key);
    this.#waiting.set(key, before === undefined ? entry : this.#o.merge(before, entry));
    this.#dropExcess();
    // Half full: what is new would soon push out what is old.
    if (this.#waiting.size >= this.#o.most / 2 && this.#pausedTurns === 0) this.#start();
  }

  /** Writes what waits; resolves when that is done, or has failed. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    this.#start();
    await this.#writing;
  }

  #turn(): void {
    if (this.#pausedTurns > 0) this.#pausedTurns--;
    else this.#start();
  }

  #start(): void {
    if (this.#writing !== undefined || this.#waiting.size === 0) return;
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  async #write(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = new Map();
    try {
      await this.#o.write([...batch.values()]);
    } catch (error) {
      this.#pausedTurns = PAUSE_TURNS;
      this.#putBack(batch);
      this.#o.onHiddenError(error);
    }
  }

  #putBack(batch: Map<string, V>): void {
    const newer = this.#waiting;
    this.#waiting = batch;
    for (const [key, entry] of newer) {
      const before = batch.get(key);
      batch.set(key, before === undefined ? entry : this.#o.merge(before, entry));
    }
    this.#dropExcess();
  }

  #dropExcess(): void {
    for (const oldest of this.#waiting.keys()) {
      if (this.#waiting.size <= this.#o.most) return;
      this.#waiting.delete(oldest);
    }
  }
}
