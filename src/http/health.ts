import { statfs } from 'node:fs/promises';
import type { LogKeeper } from '../sumdb/log-keeper.ts';

export interface HealthOptions {
  readonly keeper: LogKeeper;
  readonly data: string;
  readonly diskReserve: number;
  readonly now: () => number;
}

/** A record should be in a signed head long before this. */
const SLOW_LOG_MS = 30_000;
/** How long a probe of the database is believed: `/readyz` may be asked by many. */
const BELIEVE_MS = 1_000;

/** Whether this server should be sent requests. Upstream has no part in it: cached answers need none. */
export class Health {
  readonly #o: HealthOptions;
  #draining = false;
  #probe: { readonly at: number; readonly problem: Promise<string | undefined> } | undefined;

  constructor(options: HealthOptions) {
    this.#o = options;
  }

  /** From now on the answer is "shutting down". */
  drain(): void {
    this.#draining = true;
  }

  /** What is wrong, a few words each; empty when ready. */
  async problems(): Promise<string[]> {
    const { keeper, now } = this.#o;
    const found = [await this.#databaseProblem(), await this.#diskProblem()];
    if (this.#draining) found.push('shutting down');
    // A replica is not ready before the first import: until then every build would fail on it.
    if (keeper.head === undefined) found.push('the checksum database has no signed head');
    if (keeper.waitingFor(now()) > SLOW_LOG_MS) found.push('records wait too long for a signed head');
    return found.filter((problem) => problem !== undefined);
  }

  #databaseProblem(): Promise<string | undefined> {
    const at = this.#o.now();
    if (this.#probe === undefined || Math.abs(at - this.#probe.at) > BELIEVE_MS) {
      const problem = this.#o.keeper.probe().then(
        () => undefined,
        () => 'the database cannot be written',
      );
      this.#probe = { at, problem };
    }
    return this.#probe.problem;
  }

  async #diskProblem(): Promise<string | undefined> {
    try {
      const { bavail, bsize } = await statfs(this.#o.data);
      return bavail * bsize < this.#o.diskReserve ? 'the disk reserve is used up' : undefined;
    } catch {
      return 'the data directory cannot be read';
    }
  }
}
