import type { ServedMark } from '../proxy/served.ts';
import type { Reads } from './reads.ts';

/** An answer ready to be written: head and body, under the exact request target that asked for it. */
export interface Prepared {
  /** Flat list of names and values, as node's writeHead takes it. */
  readonly headers: readonly string[];
  /** Text is kept as a Latin-1 string: node writes it together with the head, in one call. */
  readonly body: Buffer | string;
  readonly bytes: number;
  /** Milliseconds since 1970 after which it must not be served; Infinity for what never changes. */
  readonly until: number;
  /** When it was prepared: a clock that shows less than this was set back, and `until` means nothing any more. */
  readonly since: number;
  readonly kind: string;
  /** What whoever gets it has to be allowed to read. */
  readonly reads: Reads;
  /** The file of a module version that it is, and what was noted of its being served. */
  readonly served?: ServedMark | undefined;
}

interface Slot {
  readonly prepared: Prepared;
  /** Served since the last sweep came by. */
  used: boolean;
}

/** What a slot costs beside its body: head, key and bookkeeping. */
const OVERHEAD = 600;

/**
 * Prepared answers in memory, within a budget of bytes.
 *
 * Keyed by the raw request target, byte for byte, so that finding one needs no parsing: whatever put it there had
 * parsed, allowed and answered that very target. Eviction is second-chance: a hit sets a flag and moves nothing.
 */
export class PreparedAnswers {
  readonly #budget: number;
  readonly #slots = new Map<string, Slot>();
  #bytes = 0;

  /** @param budget bytes; 0 keeps nothing. */
  constructor(budget: number) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(target: string, now: () => number): Prepared | undefined {
    const slot = this.#slots.get(target);
    if (slot === undefined) return undefined;
    const { since, until } = slot.prepared;
    if (until !== Number.POSITIVE_INFINITY) {
      const time = now();
      if (time >= until || time < since) {
        this.#drop(target, slot);
        return undefined;
      }
    }
    slot.used = true;
    return slot.prepared;
  }

  put(target: string, prepared: Prepared): void {
    const cost = prepared.bytes + target.length + OVERHEAD;
    if (cost > this.#budget / 8) return;
    const before = this.#slots.get(target);
    if (before !== undefined) this.#drop(target, before);
    this.#makeRoom(cost);
    this.#slots.set(target, { prepared, used: false });
    this.#bytes += cost;
  }

  /** Forgets everything: after a change of what may be served. */
  clear(): void {
    this.#slots.clear();
    this.#bytes = 0;
  }

  #makeRoom(cost: number): void {
    for (const [target, slot] of this.#slots) {
      if (this.#bytes + cost <= this.#budget) return;
      if (slot.used) {
        slot.used = false;
        this.#slots.delete(target);
        this.#slots.set(target, slot);
      } else {
        this.#drop(target, slot);
      }
    }
  }

  #drop(target: string, slot: Slot): void {
    this.#slots.delete(target);
    this.#bytes -= slot.prepared.bytes + target.length + OVERHEAD;
  }
}
