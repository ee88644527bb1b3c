import { setTimeout as sleep } from 'node:timers/promises';
import { GokeepError, hasCode } from '../errors.ts';
import { formatModuleRequest, type ModuleRequest } from '../module/request-path.ts';
import type { UpstreamStore } from '../store/upstream-store.ts';
import type { FetchedBody } from '../upstream/chain.ts';
import type { Routing } from '../upstream/routing.ts';
import { SharedWork } from '../upstream/shared-work.ts';
import type { Answer } from './answer.ts';
import type { HeldModules } from './held.ts';
import type { FindOptions } from './module-files.ts';
import { Recent } from './recent.ts';
import { notHeld } from './records.ts';

/** `list`, `@latest`, and `.info` of a query such as a branch. */
export type RefreshableRequest = Exclude<ModuleRequest, { kind: 'mod' | 'zip' }>;

/** What upstream last said: an answer, or authentically that there is none. Times in ms since 1970. */
interface Known {
  readonly body: Buffer | undefined;
  readonly absence: Absence | undefined;
  readonly fetchedAt: number;
  /** After a failure: not to be asked again before this. */
  readonly retryAt: number;
}

/** What is left of an authentic 404 or 410: an error would keep its stack and its causes alive, 20,000 times. */
type Absence = Pick<GokeepError, 'code' | 'message' | 'verbatim'>;

export interface RefreshableOptions {
  readonly routing: Routing;
  readonly remembered: UpstreamStore;
  readonly held: HeldModules;
  readonly offline: boolean;
  /** Milliseconds that an answer may be given again without asking upstream. */
  readonly ttl: number;
  readonly now: () => number;
  /** A failure that no client sees: of a background refresh, or of remembering an answer. */
  readonly onHiddenError: (error: unknown, what: string) => void;
}

/** How many distinct answers are kept in memory; the rest are read back from disk or asked for again. */
const KEPT = 20_000;
/** And how many bytes of them: a list may have 16 MiB, and who owns a module can make it that long. */
const KEPT_BYTES = 64 * 2 ** 20;
/** How long a client waits for an upstream that hangs when an older answer could be given. */
const PATIENCE_MS = 3_000;
/** How long a failing upstream is left alone for one request, while an older answer is given. */
const RETRY_MS = 10_000;

/**
 * Answers that may change: given from memory for half their TTL; in the second half given too, while upstream is asked
 * in the background; beyond it, upstream is asked first, and an older answer, marked stale, is given when it fails.
 *
 * An authentic absence is kept like an answer: `go get` asks for every parent of a package path, and a new tag becomes
 * visible within the TTL either way. A failure is never kept as an absence.
 */
export class Refreshable {
  readonly #o: RefreshableOptions;
  readonly #known = new Recent<Known>(
    KEPT,
    KEPT_BYTES,
    ({ body, absence }) => body?.length ?? absence?.verbatim?.length ?? 0,
  );
  readonly #flights = new SharedWork<Known>();
  /** All who wait for one question get the same error; it is reported once. */
  readonly #reported = new WeakSet<object>();

  constructor(options: RefreshableOptions) {
    this.#o = options;
  }

  async find(request: RefreshableRequest, o: FindOptions): Promise<Answer> {
    if (this.#o.offline || o.cachedOnly) return this.#fromStore(request);
    const key = formatModuleRequest(request);
    const known = this.#known.get(key) ?? this.#readBack(key);
    const age = known === undefined ? Number.POSITIVE_INFINITY : this.#o.now() - known.fetchedAt;
    if (known !== undefined && age >= 0 && age < this.#o.ttl) {
      if (age >= this.#o.ttl / 2) this.#refreshInBackground(key, request);
      return this.#give(known, 'cache');
    }
    // Between 0 and the longest wait: after a clock was set back, no answer stays stale until it has caught up.
    const wait = (known?.retryAt ?? 0) - this.#o.now();
    if (known?.body !== undefined && wait > 0 && wait <= RETRY_MS) return this.#give(known, 'stale');
    return this.#ask(key, request, known, o.signal);
  }

  async #ask(
    key: string,
    request: RefreshableRequest,
    known: Known | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    const older = known?.body === undefined ? undefined : known;
    const fresh = this.#flights.do(key, older === undefined ? signal : undefined, (shared) =>
      this.#fetch(key, request, shared),
    );
    try {
      if (older === undefined) return this.#give(await fresh, 'upstream');
      const patience = new AbortController();
      const timeout = sleep(PATIENCE_MS, undefined, { signal: patience.signal, ref: false }).catch(
        () => undefined,
      );
      const first = await Promise.race([fresh, timeout]).finally(() => patience.abort());
      if (first !== undefined) return this.#give(first, 'upstream');
      fresh.catch((error: unknown) => this.#reportOnce(error, key));
      // Those who come next are not to wait for the same silence; what upstream says after all replaces this.
      if ((this.#known.get(key)?.fetchedAt ?? older.fetchedAt) === older.fetchedAt)
        this.#retryLater(key, older);
      return this.#give(older, 'stale');
    } catch (error) {
      if (hasCode(error, 'not_found', 'gone', 'refused') || signal.aborted) throw error;
      const stale = older ?? (await this.#heldInstead(request));
      if (stale === undefined) throw error;
      this.#reportOnce(error, key);
      this.#retryLater(key, stale);
      return this.#give(stale, 'stale');
    }
  }

  async #fetch(key: string, request: RefreshableRequest, signal: AbortSignal): Promise<Known> {
    let fetched: FetchedBody;
    try {
      fetched = await this.#o.routing.chainFor(request.path).fetch(request, { signal });
    } catch (error) {
      if (!hasCode(error, 'not_found', 'gone')) throw error;
      const { code, message, verbatim } = error;
      const absence: Absence = { code, message, verbatim };
      const absent = { body: undefined, absence, fetchedAt: this.#o.now(), retryAt: 0 };
      this.#known.set(key, absent);
      return absent;
    }
    const fetchedAt = this.#o.now();
    const fresh = { body: fetched.body, absence: undefined, fetchedAt, retryAt: 0 };
    const before = this.#o.remembered.answer(key);
    this.#known.set(key, fresh);
    if (before?.body.equals(fetched.body) !== true) {
      // Remembering is for a later day without upstream; this answer does not wait for it, nor fail with it.
      this.#o.remembered
        .keepAnswer(key, { body: fetched.body, source: fetched.source, fetchedAt })
        .catch((error: unknown) => this.#o.onHiddenError(error, `remembering ${key}`));
    }
    return fresh;
  }

  #refreshInBackground(key: string, request: RefreshableRequest): void {
    this.#flights
      .do(key, undefined, (signal) => this.#fetch(key, request, signal))
      .catch((error: unknown) => this.#reportOnce(error, key));
  }

  #retryLater(key: string, stale: Known): void {
    this.#known.set(key, { ...stale, retryAt: this.#o.now() + Math.min(RETRY_MS, this.#o.ttl) });
  }

  #reportOnce(error: unknown, key: string): void {
    if (error instanceof Error) {
      if (this.#reported.has(error)) return;
      this.#reported.add(error);
    }
    this.#o.onHiddenError(error, `refreshing ${key}`);
  }

  #give(known: Known, origin: 'cache' | 'upstream' | 'stale'): Answer {
    if (known.body === undefined) {
      const { code, message, verbatim } = known.absence ?? notHeld('this module');
      throw new GokeepError(code, message, verbatim === undefined ? {} : { verbatim });
    }
    const answer = { kind: 'bytes', body: known.body, origin, immutable: false } as const;
    return origin === 'stale' ? answer : { ...answer, freshUntil: known.fetchedAt + this.#o.ttl / 2 };
  }

  #readBack(key: string): Known | undefined {
    const remembered = this.#o.remembered.answer(key);
    if (remembered === undefined) return undefined;
    return { body: remembered.body, absence: undefined, fetchedAt: remembered.fetchedAt, retryAt: 0 };
  }

  async #heldInstead(request: RefreshableRequest): Promise<Known | undefined> {
    const body = await this.#heldBody(request);
    return body === undefined ? undefined : { body, absence: undefined, fetchedAt: 0, retryAt: 0 };
  }

  #heldBody(request: RefreshableRequest): Promise<Buffer | undefined> {
    const { held } = this.#o;
    if (request.kind === 'info') return held.query(request.path, request.version);
    return request.kind === 'list' ? held.list(request.path) : held.latest(request.path);
  }

  /** Without upstream: what the store holds; for a branch or commit, what upstream once said it is. */
  async #fromStore(request: RefreshableRequest): Promise<Answer> {
    const body = await this.#heldBody(request);
    if (body !== undefined) return { kind: 'bytes', body, origin: 'store', immutable: false };
    const known = request.kind === 'info' ? this.#readBack(formatModuleRequest(request)) : undefined;
    if (known?.body === undefined) {
      throw notHeld(request.path, request.kind === 'info' ? request.version : undefined);
    }
    return { kind: 'bytes', body: known.body, origin: 'store', immutable: false };
  }
}
