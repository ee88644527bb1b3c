import type { TokenUse } from '../store/token-use-table.ts';
import { Recent } from './recent.ts';
import { Today } from './today.ts';
import { WriteBehind } from './write-behind.ts';

export interface TokenUsesOptions {
  /** Writes them durably. */
  readonly write: (uses: readonly TokenUse[]) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A failure that no client sees. */
  readonly onHiddenError: (error: unknown, what: string) => void;
  /** Milliseconds between two writes. */
  readonly every?: number;
}

const WRITE_MS = 5_000;
/** Far more than there are tokens in use. */
const WAITING = 10_000;

/** On which day each token was last used, for `gokeep token list`. A crash loses the last seconds before it. */
export class TokenUses {
  readonly #clock: Today;
  readonly #known = new Recent<number>(WAITING);
  readonly #written: WriteBehind<TokenUse>;

  constructor({ write, now, onHiddenError, every = WRITE_MS }: TokenUsesOptions) {
    this.#clock = new Today(now);
    this.#written = new WriteBehind({
      most: WAITING,
      every,
      write,
      merge: (older, newer) => (older.day > newer.day ? older : newer),
      onHiddenError: (error) => onHiddenError(error, 'remembering which tokens were used'),
    });
  }

  /** UTC days since 1970, at most a second late. */
  get today(): number {
    return this.#clock.day;
  }

  /** Notes that a token was used today, by its id. */
  note(token: string): void {
    const day = this.#clock.day;
    if (this.#known.get(token) === day) return;
    this.#known.set(token, day);
    this.#written.put(token, { token, day });
  }

  /** Writes what waits. */
  close(): Promise<void> {
    this.#clock.close();
    return this.#written.close();
  }
}
