import { GokeepError, hasCode } from '../errors.ts';
import { reasonIn } from './reason.ts';

interface Failing {
  readonly code: 'upstream_timeout' | 'upstream_unreachable';
  /** Milliseconds, on the clock given. */
  readonly until: number;
  /** What it failed with, for people. */
  readonly why: string;
  probing: boolean;
}

/** A host that could not be reached, and has not answered since. */
export interface FailingHost {
  readonly host: string;
  readonly code: Failing['code'];
  readonly why: string;
  /** Milliseconds for which it is not asked; 0: the next request finds out. */
  readonly heldBack: number;
}

const REMEMBERED = 1_000;
const RETRY_MS = 30_000;
/** In characters. */
const LONGEST_REASON = 300;

/** What work tells about itself. */
export interface Attempt {
  /** To be called when it begins, after any queueing. Throws while one of its hosts is failing. */
  readonly start: () => void;
  /** To be called before throwing, with the host that failed or answered, where it is known to be one alone. */
  readonly name: (host: string) => void;
}

/**
 * Hosts that could not be reached or did not answer within the deadline. For half a minute they are not asked; then one
 * request finds out for all. So a host that hangs costs its deadline once and not once for each client, and never looks
 * like an absence. A request that hangs while the host answers others says nothing about the host: it may just be large.
 */
export class FailingHosts {
  readonly #now: () => number;
  readonly #failing = new Map<string, Failing>();
  readonly #answered = new Map<string, number>();

  /** @param now milliseconds that never go back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Does work that asks `hosts`. Throws what they failed with, without doing it, while one of them is failing. */
  async attempt<T>(
    hosts: readonly [string, ...string[]],
    subject: string,
    work: (attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    this.#refuse(hosts, subject);
    let named: string | undefined;
    let startedAt = this.#now();
    let probes: readonly Failing[] = [];
    const start = (): void => {
      this.#refuse(hosts, subject);
      startedAt = this.#now();
      probes = hosts.map((host) => this.#failing.get(host)).filter((failing) => failing !== undefined);
      for (const failing of probes) failing.probing = true;
    };
    try {
      const result = await work({
        start,
        name: (host) => {
          named = host;
        },
      });
      this.#answer(hosts);
      return result;
    } catch (error) {
      if (hasCode(error, 'upstream_timeout', 'upstream_unreachable')) {
        const host = named ?? hosts[0];
        if ((this.#answered.get(host) ?? -1) < startedAt) this.#fail(host, error);
      } else if (hasCode(error, 'not_found', 'upstream_refused')) {
        this.#answer(named === undefined ? hosts : [named]);
      }
      throw error;
    } finally {
      for (const failing of probes) failing.probing = false;
    }
  }

  /** Those that have not answered since they failed, the latest first; at most a thousand. */
  failing(): FailingHost[] {
    const now = this.#now();
    return [...this.#failing]
      .map(([host, { code, why, until }]) => ({ host, code, why, heldBack: Math.max(until - now, 0) }))
      .toReversed();
  }

  #refuse(hosts: readonly string[], subject: string): void {
    for (const host of hosts) {
      const failing = this.#failing.get(host);
      if (failing === undefined) continue;
      const wait = failing.until - this.#now();
      if (wait <= 0 && !failing.probing) continue;
      const again = wait > 0 ? `in ${Math.ceil(wait / 1000)} s` : 'at this moment';
      throw new GokeepError(
        failing.code,
        `${subject} could not be fetched from its repository: ${host.replace(/^https:\/\//, '')} did not answer a moment ago, and is asked again ${again}.`,
      );
    }
  }

  #fail(host: string, error: GokeepError): void {
    const code = error.code === 'upstream_timeout' ? 'upstream_timeout' : 'upstream_unreachable';
    this.#failing.delete(host);
    this.#failing.set(host, {
      code,
      until: this.#now() + RETRY_MS,
      why: reasonIn(error.message, [], LONGEST_REASON),
      probing: false,
    });
    forgetOldest(this.#failing);
  }

  #answer(hosts: readonly string[]): void {
    for (const host of hosts) {
      this.#failing.delete(host);
      this.#answered.delete(host);
      this.#answered.set(host, this.#now());
    }
    forgetOldest(this.#answered);
  }
}

/** Clients choose the names. */
function forgetOldest(map: Map<string, unknown>): void {
  const [oldest] = map.keys();
  if (map.size > REMEMBERED && oldest !== undefined) map.delete(oldest);
}
