/**
 * One task for all who want the same thing at the same time.
 *
 * The task is nobody's own: it is aborted only when everybody who waits for it has gone, so a first caller that
 * disconnects takes nobody down. Outcomes are shared, never remembered.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /** Keys under way. */
  get size(): number {
    return this.#flights.size;
  }

  /** @param signal the caller's own: when it aborts, the caller leaves, with the signal's reason. */
  run(key: string, signal: AbortSignal | undefined, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    let flight = this.#flights.get(key);
    if (flight === undefined) {
      flight = this.#start(key, task);
      this.#flights.set(key, flight);
    }
    return join(flight, signal);
  }

  #start(key: string, task: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = {
      controller,
      waiting: 0,
      outcome: task(controller.signal).finally(() => {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
      }),
      leave: () => {
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
        controller.abort(new Error('everybody who asked has gone'));
      },
    };
    // When everybody has left, nobody is there to see the abort's rejection.
    flight.outcome.catch(() => undefined);
    return flight;
  }
}

interface Flight<T> {
  readonly controller: AbortController;
  waiting: number;
  readonly outcome: Promise<T>;
  readonly leave: () => void;
}

function join<T>(flight: Flight<T>, signal: AbortSignal | undefined): Promise<T> {
  flight.waiting++;
  if (signal === undefined) return flight.outcome;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => {
      flight.waiting--;
      if (flight.waiting === 0) flight.leave();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    flight.outcome.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
