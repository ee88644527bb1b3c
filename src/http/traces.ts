import { shownTarget } from './request-log.ts';

/**
 * The base URL `<address>/traced/<id>`, with a random number that only its maker knows: what is asked for below it is answered as without, and
 * its log lines can be read for a while by whoever knows the number. `gokeep doctor trace` has go use such an address.
 */
const TRACED = '/traced/';
const ID_DIGITS = 32;
const TARGET = /^\/traced\/([0-9a-f]{32})(\/.*)$/s;

/** Lines of all traces together; the oldest go first. */
const MOST_LINES = 2_000;
const KEPT_MS = 15 * 60_000;
/** What a hostile target may take of it. */
const LONGEST_TARGET = 2_048;

/** What the log says of one request, less what only the operator is told: details of errors. */
export interface TracedLine {
  readonly time: string;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly bytes: number;
  readonly ms: number;
  readonly from: string;
  readonly client: string;
  readonly user?: string;
  readonly code?: string;
}

/** Cheap, since every request that is not prepared is asked it. */
export const isTraced = (url: string | undefined): boolean => url?.startsWith(TRACED) === true;

/** The target below a traced address, or all of another. */
export function untraced(target: string): string {
  return isTraced(target) ? (TARGET.exec(target)?.[2] ?? target) : target;
}

interface Kept {
  readonly id: string;
  readonly at: number;
  readonly line: TracedLine;
}

/** Log lines of traced requests, in memory alone, bounded in number and time. */
export class Traces {
  readonly #now: () => number;
  #kept: Kept[] = [];

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  add(url: string, line: Omit<TracedLine, 'time' | 'target'>): void {
    const id = TARGET.exec(url)?.[1];
    if (id === undefined) return;
    const at = this.#now();
    const target = shownTarget(url).slice(TRACED.length + ID_DIGITS, LONGEST_TARGET);
    this.#kept.push({ id, at, line: { time: new Date(at).toISOString(), ...line, target } });
    // A quarter at a time, so that a full one costs no copy a request.
    if (this.#kept.length > MOST_LINES * 1.25) this.#kept = this.#kept.slice(-MOST_LINES);
  }

  /** The lines of one trace that are still kept, in the order in which the answers ended. */
  of(id: string): TracedLine[] {
    const since = this.#now() - KEPT_MS;
    this.#kept = this.#kept.filter(({ at }) => at >= since);
    return this.#kept.filter((each) => each.id === id).map(({ line }) => line);
  }
}
