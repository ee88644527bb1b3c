import type { Incident } from '../store/log-records.ts';
import type { Round } from './monitor.ts';

export interface MonitorRoundsOptions {
  /** Milliseconds from the end of a round to the next. */
  readonly every: number;
  readonly round: (signal: AbortSignal) => Promise<Round>;
  readonly onRound: (round: Round) => void;
  /** Tells somebody of new incidents; undefined where nobody wants to be told. */
  readonly tell: ((incidents: readonly Incident[], signal: AbortSignal) => Promise<void>) | undefined;
  /** What failed that nobody waits for. */
  readonly onError: (error: unknown, what: string) => void;
}

/** A server that is started anew every few hours shall have rounds all the same; one that is being started has other work. */
const FIRST_MS = 60_000;
/** What could not be told waits for the end of the next round; a person finds the rest in the log. */
const MOST_UNTOLD = 1_000;

/** Rounds of the monitor inside a server, one after the other, until it is disposed of. */
export class MonitorRounds implements AsyncDisposable {
  readonly #o: MonitorRoundsOptions;
  readonly #ending = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #untold: Incident[] = [];

  constructor(options: MonitorRoundsOptions) {
    this.#o = options;
    this.#next(Math.min(options.every, FIRST_MS));
  }

  /** Gives up a round that is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    this.#ending.abort(new Error('the server is being closed'));
    await this.#running;
  }

  #next(wait: number): void {
    if (this.#ending.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#round().finally(() => this.#next(this.#o.every));
    }, wait);
    this.#timer.unref();
  }

  async #round(): Promise<void> {
    const { round, onRound, onError } = this.#o;
    const { signal } = this.#ending;
    try {
      const result = await round(signal);
      onRound(result);
      this.#untold = [...this.#untold, ...result.fresh].slice(-MOST_UNTOLD);
    } catch (error) {
      if (!signal.aborted) onError(error, 'a round of the monitor');
    }
    await this.#tell(signal);
  }

  async #tell(signal: AbortSignal): Promise<void> {
    const { tell, onError } = this.#o;
    if (tell === undefined) this.#untold = [];
    if (tell === undefined || this.#untold.length === 0 || signal.aborted) return;
    try {
      await tell(this.#untold, signal);
      this.#untold = [];
    } catch (error) {
      if (!signal.aborted) onError(error, 'telling the webhook');
    }
  }
}
