import { GokeepError } from '../errors.ts';

/**
 * The clock of one exchange: an abort signal that follows the caller's, a deadline and a minimum rate. Its reason
 * is always a GokeepError: busy when the caller gave up, what `end` was given, else upstream_timeout.
 */
export class Watch {
  readonly #controller = new AbortController();
  #start: number | undefined;
  readonly #sentence: string;
  readonly #caller: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;
  #meter: NodeJS.Timeout | undefined;
  #bytes = 0;

  constructor(subject: string, from: string, caller: AbortSignal | undefined) {
    this.#sentence = `${subject} could not be fetched from ${from}: `;
    this.#caller = caller;
    if (caller?.aborted === true) this.#giveUp();
    else caller?.addEventListener('abort', this.#giveUp, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Sets, or moves, the deadline: so many milliseconds after the first one was set. */
  deadline(milliseconds: number, why: string): void {
    clearTimeout(this.#timer);
    this.#start ??= performance.now();
    const left = Math.max(0, milliseconds - (performance.now() - this.#start));
    this.#timer = setTimeout(() => this.#timeOut(why), left);
  }

  /** Sets a minimum rate over consecutive windows (milliseconds), beside the deadline. */
  rate(minimum: { readonly bytesPerSecond: number; readonly window: number }): void {
    const needed = Math.ceil((minimum.bytesPerSecond * minimum.window) / 1000);
    this.#meter = setInterval(() => {
      if (this.#bytes < needed) this.#timeOut('it is sending too slowly');
      this.#bytes = 0;
    }, minimum.window);
  }

  /** Ends the exchange for a reason of its own. */
  end(error: GokeepError): void {
    this.#controller.abort(error);
  }

  count(bytes: number): void {
    this.#bytes += bytes;
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#meter);
    this.#caller?.removeEventListener('abort', this.#giveUp);
  }

  readonly #giveUp = (): void => {
    this.#controller.abort(
      new GokeepError('busy', `${this.#sentence}the request was given up.`, { cause: this.#caller?.reason }),
    );
  };

  #timeOut(why: string): void {
    this.#controller.abort(new GokeepError('upstream_timeout', `${this.#sentence}${why}; try again later.`));
  }
}
