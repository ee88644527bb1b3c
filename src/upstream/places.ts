import { Limit } from './limit.ts';

/**
 * Places for commands: so many in all, and all but one of them for any one host, so that a host that hangs does not keep
 * the others waiting.
 */
export class Places {
  readonly #all: Limit;
  readonly #share: number;
  readonly #hosts = new Map<string, { readonly limit: Limit; inside: number }>();

  constructor(size: number) {
    this.#all = new Limit(size);
    this.#share = Math.max(1, size - 1);
  }

  /** Waits for a place. Rejects with the signal's reason when it is aborted first. Call the result once to leave. */
  async enter(host: string, signal: AbortSignal | undefined): Promise<() => void> {
    const own = this.#hosts.get(host) ?? { limit: new Limit(this.#share), inside: 0 };
    this.#hosts.set(host, own);
    own.inside++;
    const forget = (): void => {
      own.inside--;
      if (own.inside === 0) this.#hosts.delete(host);
    };
    let leaveHost: (() => void) | undefined;
    try {
      leaveHost = await own.limit.enter(signal);
      const leaveAll = await this.#all.enter(signal);
      return () => {
        leaveAll();
        leaveHost?.();
        forget();
      };
    } catch (error) {
      leaveHost?.();
      forget();
      throw error;
    }
  }
}
