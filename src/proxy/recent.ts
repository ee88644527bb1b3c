/** A map of bounded size, and where its values have weights of bounded weight, that forgets what was used longest ago. */
export class Recent<V> {
  readonly #capacity: number;
  readonly #budget: number;
  readonly #weigh: (value: V) => number;
  readonly #entries = new Map<string, V>();
  #weight = 0;

  /** @param budget sum of the weights; a value heavier than that is not kept. */
  constructor(capacity: number, budget = Number.POSITIVE_INFINITY, weigh: (value: V) => number = () => 0) {
    this.#capacity = capacity;
    this.#budget = budget;
    this.#weigh = weigh;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: string, value: V): void {
    this.delete(key);
    this.#entries.set(key, value);
    this.#weight += this.#weigh(value);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity && this.#weight <= this.#budget) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const value = this.#entries.get(key);
    if (value === undefined) return;
    this.#entries.delete(key);
    this.#weight -= this.#weigh(value);
  }
}
