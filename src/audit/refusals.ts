import { type GokeepError, hasCode } from '../errors.ts';
import { ANONYMOUS } from '../access/principal.ts';
import { Recent } from '../proxy/recent.ts';
import type { Actor, TrailEvent } from '../store/trail-entry.ts';

/** A request that was refused. */
export interface Refused extends Actor {
  readonly method: string;
  /** Its path, as it came: attacker-controlled. */
  readonly target: string;
  readonly hasCredentials: boolean;
  readonly error: GokeepError;
}

export interface RefusalNotesOptions {
  readonly note: (event: TrailEvent) => void;
  readonly now: () => number;
  /** Entries an hour, of those who are known and again of those who are not. */
  readonly most?: number;
}

const HOUR_MS = 3_600_000;
const MOST_AN_HOUR = 1_000;
const LONGEST_TARGET = 300;
/** Refusals that are known to be in the trail for this hour. */
const KNOWN = 10_000;

/**
 * What of refusals goes into the audit trail: the first of its kind in an hour, and how many more there were. Clients may ask
 * as often as they like, so neither one of them nor all together can fill the disk with entries; and those whom nobody knows cannot
 * push out what a token is refused.
 */
export class RefusalNotes {
  readonly #o: RefusalNotesOptions;
  readonly #most: number;
  #seen = new Recent<true>(KNOWN);
  #hour = -1;
  #written = { known: 0, unknown: 0 };
  #repeated = 0;

  constructor(options: RefusalNotesOptions) {
    this.#o = options;
    this.#most = options.most ?? MOST_AN_HOUR;
  }

  /** A question without credentials is no refusal: that is how `go` asks first. */
  add({ who, from, method, target, hasCredentials, error }: Refused): void {
    if (!isRefusal(error, hasCredentials)) return;
    this.#turn();
    const asked = `${method} ${target.slice(0, LONGEST_TARGET)}`;
    const key = [who, from, error.code, asked].join('\n');
    const whose = who === ANONYMOUS ? 'unknown' : 'known';
    if (this.#seen.get(key) === true || this.#written[whose] >= this.#most) {
      this.#repeated++;
      return;
    }
    this.#seen.set(key, true);
    this.#written[whose]++;
    this.#o.note({ kind: 'refusal', who, from, facts: { asked, code: error.code, why: error.message } });
  }

  /** Says how many were left out. */
  close(): void {
    this.#sum();
  }

  #turn(): void {
    const hour = Math.floor(this.#o.now() / HOUR_MS);
    if (hour === this.#hour) return;
    this.#sum();
    this.#hour = hour;
    this.#written = { known: 0, unknown: 0 };
    this.#seen = new Recent<true>(KNOWN);
  }

  #sum(): void {
    if (this.#repeated === 0) return;
    const since = new Date(this.#hour * HOUR_MS).toISOString();
    this.#o.note({ kind: 'refusal', who: 'gokeep', facts: { since, more: this.#repeated } });
    this.#repeated = 0;
  }
}

function isRefusal(error: GokeepError, hasCredentials: boolean): boolean {
  if (hasCode(error, 'unauthenticated')) return hasCredentials;
  return hasCode(error, 'forbidden', 'refused', 'taken', 'bad_signature');
}
