/**
 * One piece of work a key at a time, shared by all who ask for it meanwhile.
 *
 * The work goes on as long as somebody waits: one asker giving up does not take it from the others, and when the last
 * one has given up it is aborted. Nothing outlives its settling, so that failures are never remembered.
 */
export class SharedWork<T> {
  readonly #running = new Map<string, Running<T>>();

  /** Rejects with the signal's reason when this asker gives up first; an asker without a signal never does. */
  async do(
    key: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const running = this.#running.get(key) ?? this.#start(key, work);
    running.askers++;
    const { promise: gaveUp, reject } = Promise.withResolvers<never>();
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the asker's own reason
    const giveUp = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([running.result, gaveUp]);
    } finally {
      signal?.removeEventListener('abort', giveUp);
      running.askers--;
      if (running.askers === 0) {
        running.controller.abort();
        this.#forget(key, running);
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Running<T> {
    const controller = new AbortController();
    const running: Running<T> = { controller, askers: 0, result: work(controller.signal) };
    this.#running.set(key, running);
    const forget = (): void => this.#forget(key, running);
    // Both outcomes are handled here, so that work which nobody waits for any more cannot end the process.
    running.result.then(forget, forget);
    return running;
  }

  #forget(key: string, running: Running<T>): void {
    if (this.#running.get(key) === running) this.#running.delete(key);
  }
}

interface Running<T> {
  readonly controller: AbortController;
  readonly result: Promise<T>;
  askers: number;
}
