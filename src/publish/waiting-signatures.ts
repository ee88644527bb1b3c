import { GokeepError } from '../errors.ts';

/** How long, in milliseconds, a signature waits for the zip that it is of. */
export const WAITING_MS = 60 * 60_000;
const MOST_OF_A_VERSION = 16;
const MOST_BYTES = 16 * 2 ** 20;

interface Waiting {
  readonly bundles: Set<string>;
  until: number;
}

/**
 * Signatures that came before their zips, in memory: nothing is kept that was not verified, and verified they cannot be yet. After
 * a restart they are sent again. Bounded in number, size and time.
 */
export class WaitingSignatures {
  readonly #now: () => number;
  readonly #waiting = new Map<string, Waiting>();
  #bytes = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * @returns until when it waits, in milliseconds since 1970
   * @throws busy when too many wait
   */
  add(path: string, version: string, bundle: string): number {
    this.#expire();
    const key = `${path}@${version}`;
    const here = this.#waiting.get(key) ?? { bundles: new Set<string>(), until: 0 };
    if (!here.bundles.has(bundle)) {
      if (here.bundles.size >= MOST_OF_A_VERSION || this.#bytes + bundle.length > MOST_BYTES)
        throw new GokeepError(
          'busy',
          `Too many signatures wait for ${key}, or for other versions: send its zip, or come again in an hour.`,
        );
      here.bundles.add(bundle);
      this.#bytes += bundle.length;
    }
    here.until = this.#now() + WAITING_MS;
    this.#waiting.set(key, here);
    return here.until;
  }

  /** Those that wait for this version. */
  of(path: string, version: string): readonly string[] {
    this.#expire();
    return [...(this.#waiting.get(`${path}@${version}`)?.bundles ?? [])];
  }

  drop(path: string, version: string): void {
    this.#remove(`${path}@${version}`);
  }

  #expire(): void {
    const now = this.#now();
    for (const [key, { until }] of this.#waiting) if (until <= now) this.#remove(key);
  }

  #remove(key: string): void {
    for (const bundle of this.#waiting.get(key)?.bundles ?? []) this.#bytes -= bundle.length;
    this.#waiting.delete(key);
  }
}
