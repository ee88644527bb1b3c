import { setTimeout as sleep } from 'node:timers/promises';

import { request } from 'undici';
import type { Dispatcher } from 'undici';

import { GokeepError } from '../errors.ts';
import { Dispatchers } from './dispatchers.ts';
import type { DispatcherSettings } from './dispatchers.ts';
import { Limit } from './limit.ts';
import type { Credentials } from './proxy-list.ts';
import { redirectTarget } from './redirect.ts';
import { isUnanswered, transportError } from './transport-error.ts';
import { Watch } from './watch.ts';

/** Times in milliseconds. */
export interface Pace {
  /** From the start until the headers of the final answer: connecting, retries and redirects included. */
  readonly headers: number;
  /** From the start until the end of a small body. */
  readonly whole: number;
  /** From the start until the end of a zip. */
  readonly zip: number;
  /** A zip is given up when fewer bytes a second than this arrive in a window. */
  readonly minimumRate: { readonly bytesPerSecond: number; readonly window: number };
}

export const DEFAULT_PACE: Pace = {
  // Generous, because a proxy upstream may have to fetch the module itself before its first byte.
  headers: 60_000,
  whole: 90_000,
  zip: 30 * 60_000,
  minimumRate: { bytesPerSecond: 1024, window: 30_000 },
};

export interface TransportSettings extends DispatcherSettings {
  /** Only this origin gets the credentials, and only it may have any address, unless a client of ours has named it. */
  readonly origin: string;
  readonly isNamedByClient?: boolean | undefined;
  readonly credentials: Credentials | undefined;
  /** `gokeep/<version>` */
  readonly userAgent: string;
  /** Our pseudonym for the Via header (RFC 9110, section 7.6.3), by which a request that comes back is known. */
  readonly via: string;
  readonly pace: Pace;
}

export interface ExchangeOptions {
  readonly signal?: AbortSignal | undefined;
  /** What is fetched, as it begins a sentence: `Module example.com/m@v1.0.0`. */
  readonly subject: string;
  /** The upstream's display name. */
  readonly from: string;
  /** Which deadline the body has; a zip has a minimum rate as well. */
  readonly body: 'whole' | 'zip';
}

/** The head of a final (not redirecting) answer and its body, to be read once. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Body bytes as they came. Throws upstream_failed beyond `maxBytes`. */
  chunks(maxBytes: number): AsyncGenerator<Buffer>;
}

const MAX_REDIRECTS = 5;
const MAX_ATTEMPTS = 3;
const SHORT_BODY = 16 * 1024;
const FIRST_BACK_OFF = 100;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * HTTP GET to one upstream.
 *
 * Everything that comes back is attacker-controlled: redirects are followed by hand, nothing is decompressed, all
 * sizes are capped by the reader and all times bounded here. A request is repeated only when no response to it
 * arrived at all, never on a status.
 */
export class Transport {
  readonly #settings: TransportSettings;
  readonly #dispatchers: Dispatchers;
  readonly #limit: Limit;
  readonly #authorization: string | undefined;

  /** Throws bad_config. */
  constructor(settings: TransportSettings) {
    this.#settings = settings;
    this.#dispatchers = new Dispatchers(settings);
    this.#limit = new Limit(settings.maxConcurrent);
    const { credentials } = settings;
    this.#authorization =
      credentials === undefined
        ? undefined
        : `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
  }

  /**
   * Gets a URL and gives the answer, whatever its status, to `use`; resolves with what that returns. The connection
   * is given up when `use` leaves body bytes unread. Throws upstream_timeout, upstream_unreachable,
   * upstream_failed, busy (aborted by the caller), and what `use` throws.
   */
  async exchange<T>(url: URL, options: ExchangeOptions, use: (answer: Answer) => Promise<T>): Promise<T> {
    const { subject, from } = options;
    const watch = new Watch(subject, from, options.signal);
    let leave: (() => void) | undefined;
    let body: Dispatcher.ResponseData['body'] | undefined;
    try {
      leave = await this.#limit.enter(watch.signal);
      const { pace } = this.#settings;
      watch.deadline(pace.headers, 'it did not answer in time');
      const response = await this.#follow(url, watch.signal, options);
      body = response.body;
      watch.deadline(options.body === 'zip' ? pace.zip : pace.whole, 'its answer took too long');
      if (options.body === 'zip') watch.rate(pace.minimumRate);
      return await use(answerOf(response, watch, options));
    } catch (error) {
      // What `use` concluded stands, even when the clock ran out meanwhile: a 404 whose text never ends is a 404.
      if (error instanceof GokeepError || !watch.signal.aborted) throw transportError(error, subject, from);
      throw watch.signal.reason;
    } finally {
      watch.stop();
      // Unread bytes of an answer nobody wants: closing is cheaper than reading what upstream may never end.
      body?.on('error', () => {}).destroy();
      leave?.();
    }
  }

  async close(): Promise<void> {
    await this.#dispatchers.close();
  }

  async #follow(start: URL, signal: AbortSignal, options: ExchangeOptions): Promise<Dispatcher.ResponseData> {
    const seen = new Set([start.href]);
    for (let url = start; ; ) {
      const response = await this.#ask(url, signal);
      if (!REDIRECTS.has(response.statusCode)) return response;
      await discard(response, signal);
      const target = redirectTarget(url, response.headers['location'], options);
      if (seen.has(target.href)) throw redirectError(options, 'it redirects in a circle');
      if (seen.size > MAX_REDIRECTS)
        throw redirectError(options, `it redirects more than ${MAX_REDIRECTS} times`);
      seen.add(target.href);
      url = target;
    }
  }

  async #ask(url: URL, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const trusted = url.origin === this.#settings.origin;
    const headers: Record<string, string> = {
      'user-agent': this.#settings.userAgent,
      via: `1.1 ${this.#settings.via}`,
      accept: '*/*',
      'accept-encoding': 'identity',
    };
    if (trusted && this.#authorization !== undefined) headers['authorization'] = this.#authorization;
    const dispatcher = this.#dispatchers.for(url, !trusted || this.#settings.isNamedByClient === true);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await request(url, { method: 'GET', headers, dispatcher, signal });
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || signal.aborted || !isUnanswered(error)) throw error;
        await sleep(FIRST_BACK_OFF * 2 ** (attempt - 1) * (0.5 + Math.random()), undefined, { signal });
      }
    }
  }
}

/** Reads away a short body, so that its connection can be used again; gives the connection up otherwise. */
async function discard(response: Dispatcher.ResponseData, signal: AbortSignal): Promise<void> {
  const length = Number(response.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  response.body.on('error', () => {});
  if (length <= SHORT_BODY) await response.body.dump({ limit: SHORT_BODY, signal });
  else response.body.destroy();
}

function answerOf(response: Dispatcher.ResponseData, watch: Watch, options: ExchangeOptions): Answer {
  return {
    status: response.statusCode,
    headers: response.headers,
    async *chunks(maxBytes) {
      let bytes = 0;
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        watch.count(chunk.length);
        if (bytes > maxBytes) {
          throw new GokeepError(
            'upstream_failed',
            `${options.subject} could not be fetched from ${options.from}: its answer is larger than ${maxBytes} bytes.`,
          );
        }
        yield chunk;
      }
    },
  };
}

function redirectError(options: ExchangeOptions, why: string): GokeepError {
  return new GokeepError(
    'upstream_failed',
    `${options.subject} could not be fetched from ${options.from}: ${why}.`,
  );
}
