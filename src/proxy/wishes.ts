import { hasCode } from '../errors.ts';
import { NEWEST, WISH_KINDS, type Wish, type WishKind } from '../store/wish-table.ts';
import { Recent } from './recent.ts';
import { notHeldButWished } from './records.ts';
import { WriteBehind } from './write-behind.ts';

/** What a client asked for. `version` is canonical or a query; a `list` and a `latest` have none. */
export type Wished =
  | { readonly kind: 'list' | 'latest'; readonly path: string }
  | {
      readonly kind: Exclude<WishKind, 'list' | 'latest'>;
      readonly path: string;
      readonly version: string;
    };

export interface WishesOptions {
  /** Writes them durably. */
  readonly write: (wishes: readonly Wish[]) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A failure that no client sees. */
  readonly onHiddenError: (error: unknown, what: string) => void;
  /** Milliseconds between two writes. */
  readonly every?: number;
}

/** Milliseconds within which all that one `go` asks about a version is one time asked. */
const ONE_TIME_MS = 60_000;
/** Paths and queries are the clients': how many of them are in memory, and how many of their characters. */
const KNOWN = 10_000;
const KNOWN_CHARACTERS = 2 ** 20;
/** How many wait for the disk. */
const WAITING = 2_000;
const WRITE_MS = 1_000;

/**
 * What was asked of a server that answers from its store only, and is not held: kept for `gokeep bundle wishlist`.
 *
 * Everything in here is what clients say. A question costs a lookup in memory when it was asked within the last minute,
 * and never waits for the disk; memory and disk are bounded, and a flood pushes out what was asked for longest ago.
 */
export class Wishes {
  readonly #now: () => number;
  readonly #known = new Recent<{ since: number; kinds: number; characters: number }>(
    KNOWN,
    KNOWN_CHARACTERS,
    ({ characters }) => characters,
  );
  readonly #written: WriteBehind<Wish>;

  constructor({ write, now, onHiddenError, every = WRITE_MS }: WishesOptions) {
    this.#now = now;
    this.#written = new WriteBehind({
      most: WAITING,
      every,
      write,
      merge: (older, newer) => ({
        ...newer,
        kinds: older.kinds | newer.kinds,
        asked: older.asked + newer.asked,
      }),
      onHiddenError: (error) => onHiddenError(error, 'remembering what was asked for and is not held'),
    });
  }

  /**
   * What to throw instead of an error about this question: where it says that something is not held (not_stored), that goes on
   * the list, and the new error says so. Every other error is given back as it is.
   */
  instead(error: unknown, wished: Wished): unknown {
    if (!hasCode(error, 'not_stored')) return error;
    this.#note(wished);
    return notHeldButWished(wished.path, 'version' in wished ? wished.version : undefined, error);
  }

  /** Writes what waits. */
  close(): Promise<void> {
    return this.#written.close();
  }

  #note(wished: Wished): void {
    const { path } = wished;
    const query = 'version' in wished ? wished.version : NEWEST;
    const bit = WISH_KINDS[wished.kind];
    const key = `${path}@${query}`;
    const now = this.#now();
    const known = this.#known.get(key);
    const age = now - (known?.since ?? Number.NEGATIVE_INFINITY);
    // A clock that was set back makes it another time.
    const again = known !== undefined && age >= 0 && age < ONE_TIME_MS;
    if (again && (known.kinds & bit) !== 0) return;
    this.#known.set(key, {
      since: again ? known.since : now,
      kinds: again ? known.kinds | bit : bit,
      characters: key.length,
    });
    this.#written.put(key, { path, query, kinds: bit, asked: again ? 0 : 1, lastAsked: now });
  }
}
