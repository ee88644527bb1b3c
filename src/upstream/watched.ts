import { type ErrorCode, GokeepError } from '../errors.ts';
import { LastHour } from './last-hour.ts';
import { reasonIn } from './reason.ts';

/** What an upstream is, as the configuration has it. */
export interface UpstreamName {
  /** `1.2`: the second entry of the first list. Says nothing about who it is. */
  readonly id: string;
  readonly kind: 'proxy' | 'direct' | 'off' | 'database';
  /** For people who may read everything: no credentials, no query, no path on disk. */
  readonly display: string;
  /** Serves private paths: its name is nobody else's business. */
  readonly private: boolean;
  /** GOPRIVATE patterns of the paths that it serves; empty: all of its kind. */
  readonly match: readonly string[];
}

/** `unused`: it was not asked since the start. `waiting`: a request waits for longer than an answer ever takes. */
export type UpstreamCondition = 'works' | 'fails' | 'waiting' | 'unused';

/** How one upstream does. Times in ms since 1970, durations in ms. */
export interface UpstreamHealth extends UpstreamName {
  readonly condition: UpstreamCondition;
  readonly lastSuccess: number | undefined;
  readonly lastFailure:
    | { readonly at: number; readonly code: ErrorCode; readonly reason: string }
    | undefined;
  /** Requests that wait for it now, and how long the oldest does. */
  readonly waiting: number;
  readonly waitsFor: number;
  /** Over the last hour; latency is of requests that were answered. */
  readonly requests: number;
  readonly failures: number;
  /** Requests that went on to the next entry of the list. */
  readonly fellThrough: number;
  readonly latency: number | undefined;
  readonly slowest: number | undefined;
}

export interface Clocks {
  /** Milliseconds since 1970, for people. */
  readonly now: () => number;
  /** Milliseconds that never go back. */
  readonly monotonic: () => number;
}

const COUNTS = ['requests', 'failures', 'fellThrough', 'answered', 'ms'] as const;

/** A request that waits longer says that something is wrong. Lists of large modules take a second or two. */
const LONG_MS = 10_000;
/** Of a reason, in characters: it holds what an upstream said. */
const LONGEST_REASON = 300;

/** The upstream has answered, whatever it said. */
const ANSWERS: ReadonlySet<ErrorCode> = new Set(['not_found', 'gone']);
const FAILURES: ReadonlySet<ErrorCode> = new Set([
  'upstream_refused',
  'upstream_failed',
  'upstream_unreachable',
  'upstream_timeout',
  'loop',
  'no_go',
]);

/**
 * One upstream, watched while it is asked. What it costs is a few numbers a request that leaves this server, and nothing for
 * one that is answered here; what it holds does not grow. After a restart nothing is known.
 */
export class WatchedUpstream {
  readonly name: UpstreamName;
  readonly #clocks: Clocks;
  readonly #hour: LastHour<(typeof COUNTS)[number]>;
  /** When each request that waits was begun, oldest first. */
  readonly #waiting = new Set<{ readonly since: number }>();
  /** Since the start. */
  readonly #totals: Record<(typeof COUNTS)[number], number> = {
    requests: 0,
    failures: 0,
    fellThrough: 0,
    answered: 0,
    ms: 0,
  };
  #lastSuccess: number | undefined;
  #lastFailure: UpstreamHealth['lastFailure'];
  #isFailing = false;
  /** Of each minute's slowest the last hour's is not kept: one that was long ago is forgotten after an hour. */
  #slowest = { ms: 0, at: Number.NEGATIVE_INFINITY };

  constructor(name: UpstreamName, clocks: Clocks) {
    this.name = name;
    this.#clocks = clocks;
    this.#hour = new LastHour(COUNTS, clocks.monotonic);
  }

  /** Asks it, and notes how it went. */
  async ask<T>(work: () => Promise<T>): Promise<T> {
    const asked = { since: this.#clocks.monotonic() };
    this.#waiting.add(asked);
    try {
      const result = await work();
      this.#answer(asked.since);
      return result;
    } catch (error) {
      // What is wrong on our side, or given up by the client, says nothing about it.
      if (error instanceof GokeepError && ANSWERS.has(error.code)) this.#answer(asked.since);
      else if (error instanceof GokeepError && FAILURES.has(error.code)) this.#fail(error);
      throw error;
    } finally {
      this.#waiting.delete(asked);
    }
  }

  /** Since the start; `ms` is the time that its answers took. */
  get totals(): Readonly<Record<(typeof COUNTS)[number], number>> {
    return this.#totals;
  }

  /** Notes that a request goes on to the next entry of the list. */
  fallThrough(): void {
    this.#add('fellThrough');
  }

  health(): UpstreamHealth {
    const monotonic = this.#clocks.monotonic();
    const [oldest] = this.#waiting;
    const waitsFor = oldest === undefined ? 0 : monotonic - oldest.since;
    const answered = this.#hour.sum('answered');
    const isRecent = monotonic - this.#slowest.at < 3_600_000;
    return {
      ...this.name,
      condition: this.#condition(waitsFor),
      lastSuccess: this.#lastSuccess,
      lastFailure: this.#lastFailure,
      waiting: this.#waiting.size,
      waitsFor,
      requests: this.#hour.sum('requests'),
      failures: this.#hour.sum('failures'),
      fellThrough: this.#hour.sum('fellThrough'),
      latency: answered === 0 ? undefined : this.#hour.sum('ms') / answered,
      slowest: answered === 0 || !isRecent ? undefined : this.#slowest.ms,
    };
  }

  #condition(waitsFor: number): UpstreamCondition {
    if (this.#isFailing) return 'fails';
    if (waitsFor > LONG_MS) return 'waiting';
    return this.#lastSuccess === undefined ? 'unused' : 'works';
  }

  #answer(since: number): void {
    const monotonic = this.#clocks.monotonic();
    const ms = monotonic - since;
    this.#isFailing = false;
    this.#lastSuccess = this.#clocks.now();
    this.#add('requests');
    this.#add('answered');
    this.#add('ms', ms);
    if (ms >= this.#slowest.ms || monotonic - this.#slowest.at >= 3_600_000)
      this.#slowest = { ms, at: monotonic };
  }

  #add(name: (typeof COUNTS)[number], value = 1): void {
    this.#hour.add(name, value);
    this.#totals[name] += value;
  }

  #fail({ code, message }: GokeepError): void {
    this.#isFailing = true;
    // The message is for people already; that it names no secret is made sure of once more.
    this.#lastFailure = { at: this.#clocks.now(), code, reason: reasonIn(message, [], LONGEST_REASON) };
    this.#add('requests');
    this.#add('failures');
  }
}
