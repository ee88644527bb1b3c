const DAY_MS = 86_400_000;
/** How often the clock is read. */
const CLOCK_MS = 1_000;

/** Which day it is, for what asks with every request: a number that is read, and at most a second late. */
export class Today {
  readonly #now: () => number;
  readonly #clock: NodeJS.Timeout;
  #day: number;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now;
    this.#day = this.#read();
    this.#clock = setInterval(() => {
      this.#day = this.#read();
    }, CLOCK_MS);
    this.#clock.unref();
  }

  /** UTC days since 1970. */
  get day(): number {
    return this.#day;
  }

  close(): void {
    clearInterval(this.#clock);
  }

  #read(): number {
    return Math.floor(this.#now() / DAY_MS);
  }
}
