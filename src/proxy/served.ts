import type { ServedFile, ServedOn } from '../store/served-table.ts';
import { Recent } from './recent.ts';
import { WriteBehind } from './write-behind.ts';

/** One file of a module version, and the last day on which it is known to have been served; -1 before the first. */
export interface ServedMark extends ServedFile {
  day: number;
}

export interface ServedOptions {
  /** Writes them durably. */
  readonly write: (files: readonly ServedOn[]) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A failure that no client sees. */
  readonly onHiddenError: (error: unknown, what: string) => void;
  /** Milliseconds between two writes. */
  readonly every?: number;
}

const DAY_MS = 86_400_000;
/** How often the clock is read for {@link Served.today}. */
const CLOCK_MS = 1_000;
const WRITE_MS = 5_000;
/** How many files wait for the disk. */
const WAITING = 10_000;
/** How many files are known to be written for today already. */
const KNOWN = 20_000;

/**
 * Which files were served on which day, for `gokeep bundle create --served-since`.
 *
 * Every prepared answer carries a mark of its own, so that the one in the hot path costs a comparison of two
 * integers, `mark.day !== served.today`, and calls {@link note} once a day. A crash loses the last seconds before it.
 */
export class Served {
  readonly #now: () => number;
  readonly #clock: NodeJS.Timeout;
  readonly #known = new Recent<number>(KNOWN);
  readonly #written: WriteBehind<ServedOn>;
  #today: number;

  constructor({ write, now, onHiddenError, every = WRITE_MS }: ServedOptions) {
    this.#now = now;
    this.#today = this.#day();
    this.#clock = setInterval(() => {
      this.#today = this.#day();
    }, CLOCK_MS);
    this.#clock.unref();
    this.#written = new WriteBehind({
      most: WAITING,
      every,
      write,
      merge: (older, newer) => (older.day > newer.day ? older : newer),
      onHiddenError: (error) => onHiddenError(error, 'remembering what was served'),
    });
  }

  /** UTC days since 1970, at most a second late. */
  get today(): number {
    return this.#today;
  }

  /** Notes that a file was served today. Its name was checked: the answer was a success. */
  note(mark: ServedMark): void {
    const day = this.#today;
    mark.day = day;
    const { path, version, kind } = mark;
    const key = `${path}@${version}.${kind}`;
    if (this.#known.get(key) === day) return;
    this.#known.set(key, day);
    this.#written.put(key, { path, version, kind, day });
  }

  /** Writes what waits. */
  close(): Promise<void> {
    clearInterval(this.#clock);
    return this.#written.close();
  }

  #day(): number {
    return Math.floor(this.#now() / DAY_MS);
  }
}
