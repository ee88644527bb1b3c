import { GokeepError, hasCode } from '../errors.ts';
import { databaseSubject } from './goproxy-client.ts';
import type { GoProxyClient } from './goproxy-client.ts';
import type { ProxySource } from './proxy-source.ts';

/** One entry of the chain, as far as databases are concerned. */
export type DatabaseEntry =
  | { readonly kind: 'proxy'; readonly client: GoProxyClient; readonly fallBackOnError: boolean }
  | { readonly kind: 'direct' }
  | { readonly kind: 'off' };

/** A file of a checksum database: `/lookup/…`, `/tile/…` or `/latest`. Throws not_found, gone or upstream_*. */
type Fetch = (path: string, signal: AbortSignal, maxBytes: number) => Promise<Buffer>;

/** How long, in milliseconds, an answer to `…/supported` holds. */
const ROUTE_LIFETIME = 60 * 60_000;

/**
 * The way to one foreign checksum database, found as cmd/go's dbClient.initBase does: the first proxy that answers
 * `…/sumdb/<name>/supported` with 200 is used for all of it, 404 and 410 lead to the next entry, and `direct` or the
 * end of the list to the database itself. Other failures are fatal unless the entry falls back on errors. Unlike cmd/go,
 * `off` means off.
 */
export class DatabaseRoute {
  readonly #name: string;
  readonly #entries: readonly DatabaseEntry[];
  readonly #openDirect: () => ProxySource;
  /** Opened once: it has connections of its own, and the way is looked for again every hour. */
  #directSource: ProxySource | undefined;
  readonly #now: () => number;
  #found: { readonly fetch: Promise<Fetch>; readonly until: number } | undefined;

  constructor(
    name: string,
    entries: readonly DatabaseEntry[],
    openDirect: () => ProxySource,
    now: () => number = () => performance.now(),
  ) {
    this.#name = name;
    this.#entries = entries;
    this.#openDirect = openDirect;
    this.#now = now;
  }

  readonly fetch: Fetch = async (path, signal, maxBytes) => {
    signal.throwIfAborted();
    const fetch = await this.#route(signal);
    return await fetch(path, signal, maxBytes);
  };

  /** All callers share one probe, so it runs under its own deadlines and no caller's signal can end it. */
  async #route(signal: AbortSignal): Promise<Fetch> {
    if (this.#found === undefined || this.#found.until <= this.#now()) {
      const found = { fetch: this.#probe(), until: this.#now() + ROUTE_LIFETIME };
      this.#found = found;
      found.fetch.catch(() => {
        if (this.#found === found) this.#found = undefined;
      });
    }
    const { fetch } = this.#found;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => {
      const sentence = `Checksum database ${this.#name} could not be asked: the request was given up.`;
      reject(new GokeepError('busy', sentence, { cause: signal.reason }));
    };
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([fetch, aborted]);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  async #probe(): Promise<Fetch> {
    let failure: GokeepError | undefined;
    for (const entry of this.#entries) {
      if (entry.kind === 'off') throw failure ?? this.#isOff();
      if (entry.kind === 'direct') return this.#direct();
      try {
        await entry.client.probeDatabase(this.#name, undefined);
        return (path, signal, maxBytes) => entry.client.fetchDatabase(this.#name, path, signal, maxBytes);
      } catch (error) {
        if (hasCode(error, 'not_found', 'gone')) continue;
        if (!entry.fallBackOnError || !(error instanceof GokeepError)) throw error;
        failure = error;
      }
    }
    if (failure !== undefined) throw failure;
    return this.#direct();
  }

  #direct(): Fetch {
    this.#directSource ??= this.#openDirect();
    const source = this.#directSource;
    return async (path, signal, maxBytes) =>
      await source.read(path, { signal, subject: databaseSubject(this.#name, path), maxBytes });
  }

  #isOff(): GokeepError {
    return new GokeepError(
      'refused',
      `Checksum database ${this.#name} cannot be asked: the list of upstream proxies ends in "off".`,
    );
  }
}
