const MINUTE_MS = 60_000;
const MINUTES = 60;

/** A row of numbers a minute, of which the last hour counts: what is older is overwritten. */
export class LastHour<Name extends string> {
  readonly #names: readonly Name[];
  readonly #now: () => number;
  readonly #sums: Readonly<Record<Name, Float64Array>>;
  /** Which minute each row is of. */
  readonly #minutes = new Float64Array(MINUTES).fill(Number.NEGATIVE_INFINITY);

  /** @param now milliseconds that never go back */
  constructor(names: readonly Name[], now: () => number) {
    this.#names = names;
    this.#now = now;
    this.#sums = Object.fromEntries(names.map((name) => [name, new Float64Array(MINUTES)])) as Record<
      Name,
      Float64Array
    >;
  }

  add(name: Name, value = 1): void {
    const minute = Math.floor(this.#now() / MINUTE_MS);
    const at = minute % MINUTES;
    if (this.#minutes[at] !== minute) {
      this.#minutes[at] = minute;
      for (const each of this.#names) this.#sums[each][at] = 0;
    }
    this.#sums[name][at] = (this.#sums[name][at] ?? 0) + value;
  }

  /** What was added in the last hour, to the minute. */
  sum(name: Name): number {
    const oldest = Math.floor(this.#now() / MINUTE_MS) - MINUTES;
    let sum = 0;
    for (const [at, minute] of this.#minutes.entries()) if (minute > oldest) sum += this.#sums[name][at] ?? 0;
    return sum;
  }
}
