/** At most `size` holders at a time; the others wait in order. */
export class Limit {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(size: number) {
    this.#free = size;
  }

  /** Waits for a place. Rejects with the signal's reason when it is aborted first. Call the result once to leave. */
  async enter(signal: AbortSignal | undefined): Promise<() => void> {
    signal?.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(signal);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.#leave();
    };
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#free += 1;
    else next(); // the place changes hands and never becomes free
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const admit = (): void => {
      this.#waiting.delete(admit);
      signal?.removeEventListener('abort', give);
      resolve();
    };
    const give = (): void => {
      this.#waiting.delete(admit);
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the caller's own reason
      reject(signal?.reason);
    };
    this.#waiting.add(admit);
    signal?.addEventListener('abort', give, { once: true });
    await promise;
  }
}
