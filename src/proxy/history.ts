import { type Amounts, type HistorySample, OUTCOMES, type Outcomes } from '../store/history-table.ts';

export interface HistoryOptions {
  /** Requests since the start of the process: numbers that only grow. */
  readonly outcomes: () => Outcomes;
  readonly amounts: () => Amounts;
  /** Writes a sample durably. */
  readonly write: (sample: HistorySample) => Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A failure that no client sees. */
  readonly onHiddenError: (error: unknown, what: string) => void;
  /** Milliseconds between two samples. */
  readonly every?: number;
}

const EVERY_MS = 5 * 60_000;

/**
 * Samples what there is and what was asked, every few minutes and at the end. Nothing is done for a request: the numbers are
 * counted anyway. What could not be written is in the next sample; a crash loses the minutes since the last.
 */
export class History {
  readonly #o: HistoryOptions;
  readonly #timer: NodeJS.Timeout;
  #written: Outcomes = zeros();
  #writing: Promise<void> | undefined;

  constructor(options: HistoryOptions) {
    this.#o = options;
    this.#timer = setInterval(() => void this.sample(), options.every ?? EVERY_MS);
    this.#timer.unref();
  }

  /** What was asked since the last sample that was written. */
  unwritten(): Outcomes {
    const outcomes = this.#o.outcomes();
    return counts((name) => Math.max(outcomes[name] - this.#written[name], 0));
  }

  /** Writes a sample; one at a time. Never rejects. */
  sample(): Promise<void> {
    this.#writing ??= this.#sample().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  /** Writes what there is. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    await this.sample();
  }

  async #sample(): Promise<void> {
    const { outcomes, amounts, write, now, onHiddenError } = this.#o;
    try {
      const seen = { ...outcomes() };
      await write({ at: now(), ...amounts(), ...this.unwritten() });
      this.#written = seen;
    } catch (error) {
      onHiddenError(error, 'remembering how much was asked');
    }
  }
}

export const zeros = (): Outcomes => counts(() => 0);

function counts(of: (name: (typeof OUTCOMES)[number]) => number): Outcomes {
  return Object.fromEntries(OUTCOMES.map((name) => [name, of(name)])) as Outcomes;
}
