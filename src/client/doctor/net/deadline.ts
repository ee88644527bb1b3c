/** Milliseconds that one step may take. What is left of the whole run may be less. */
export const STEP = { dns: 2_000, connect: 2_000, tls: 2_000, answer: 3_000 } as const;

/** The time that a run has in all. */
export class Budget {
  readonly #until: number;

  constructor(ms: number) {
    this.#until = performance.now() + ms;
  }

  /** Milliseconds left, at most `most`, at least one. */
  left(most = Number.POSITIVE_INFINITY): number {
    return Math.max(1, Math.min(most, this.#until - performance.now()));
  }
}

/** Settles as `work` does, or rejects when its time is over; `giveUp` then ends what is under way. */
export async function within<T>(ms: number, work: Promise<T>, giveUp: () => void = () => {}): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      giveUp();
      reject(new Overdue(ms));
    }, ms);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** A step took longer than it may. */
export class Overdue extends Error {
  constructor(ms: number) {
    super(`no answer within ${(ms / 1000).toFixed(1)} s`);
  }
}
