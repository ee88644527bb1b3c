import type { IncomingMessage, ServerResponse } from 'node:http';
import { ANONYMOUS, type Principal } from '../access/principal.ts';
import { GokeepError } from '../errors.ts';
import type { Actor } from '../store/trail-entry.ts';
import type { Metrics } from './counters.ts';
import { errorBody } from './error-body.ts';
import type { Asked } from './handler.ts';
import { type RequestLog, shownTarget } from './request-log.ts';
import { bringsBody } from './request-shape.ts';
import { statusOf } from './status.ts';
import { isTraced, Traces } from './traces.ts';
import { endBeforeBody, LINGER_MS } from './unread-body.ts';

/** What an answer turned out to be; one log line and one count are made of it. */
export interface Outcome {
  readonly kind: string;
  readonly status: number;
  readonly bytes: number;
  readonly from: string;
  readonly error?: unknown;
}

const ERROR_TYPE = 'text/plain; charset=utf-8';

function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error instanceof GokeepError && error.detail !== undefined ? ` (${error.detail})` : '';
  const below = error.cause === undefined ? '' : ` ← ${detailOf(error.cause)}`;
  return `${error.message}${own}${below}`;
}

/** A small answer made for this request alone: a page of our own, not a module's bytes. */
export interface TextAnswer {
  readonly kind: string;
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
  /** Flat list of names and values, in place of what keeps every cache from it; and of how to authenticate. */
  readonly headers?: readonly string[];
}

/** Address of the client: the socket's, or the one a trusted front server names. */
export type ClientAddress = (request: IncomingMessage) => string;

/** Told of each request that ends with an error of ours. */
export type RefusalSink = (
  refused: Actor & {
    readonly method: string;
    /** As in the request log: without what secrets hide in. */
    readonly target: string;
    readonly hasCredentials: boolean;
    readonly error: GokeepError;
  },
) => void;

/** Ends each request the same way, whoever answered it: counted, logged, and with errors in `go`'s own format. */
export class Exchange {
  /** What is remembered of requests whose sender wants to read their log lines. */
  readonly traces = new Traces();
  readonly #metrics: Metrics;
  readonly #log: RequestLog;
  readonly #client: ClientAddress;
  readonly #onRefused: RefusalSink;
  readonly #lingerMs: number;
  readonly #askedBy = new WeakMap<IncomingMessage, Principal>();

  constructor(
    metrics: Metrics,
    log: RequestLog,
    client: ClientAddress,
    onRefused: RefusalSink = () => undefined,
    lingerMs = LINGER_MS,
  ) {
    this.#metrics = metrics;
    this.#log = log;
    this.#client = client;
    this.#onRefused = onRefused;
    this.#lingerMs = lingerMs;
  }

  /** Notes for the log who sent this request. */
  isFrom(request: IncomingMessage, principal: Principal): void {
    if (principal.name !== ANONYMOUS) this.#askedBy.set(request, principal);
  }

  /** Who sent this request, and from where, for the audit trail. */
  actor({ request, principal }: Pick<Asked, 'request' | 'principal'>): Actor {
    return { who: principal.name, from: this.#client(request) };
  }

  finish(request: IncomingMessage, startedAt: number, outcome: Outcome): void {
    const { kind, status, bytes, from, error } = outcome;
    const ms = performance.now() - startedAt;
    this.#metrics.requests.inc({ kind, status, from });
    this.#metrics.duration.observe({ kind }, ms / 1000);
    this.#metrics.outcomes.count(kind, status, from);
    if (from === 'stale') this.#metrics.stale.inc();
    const code = error instanceof GokeepError ? error.code : 'internal';
    const client = this.#client(request);
    const user = this.#askedBy.get(request)?.name;
    this.#log.write({
      request,
      client,
      user,
      status,
      bytes,
      ms,
      from,
      ...(error === undefined ? {} : { error: { code, detail: detailOf(error) } }),
    });
    if (!isTraced(request.url)) return;
    this.traces.add(request.url ?? '', {
      method: request.method ?? '',
      status,
      bytes,
      ms: Math.round(ms * 100) / 100,
      from,
      client,
      ...(user === undefined ? {} : { user }),
      ...(error === undefined ? {} : { code }),
    });
  }

  /** A served prepared answer: the same log line, and counters that cost nothing. */
  finishFast(request: IncomingMessage, startedAt: number, bytes: number, user: string | undefined): void {
    this.#metrics.hot.fast++;
    this.#metrics.hot.fastBytes += bytes;
    this.#log.write({
      request,
      client: this.#client(request),
      user,
      status: 200,
      bytes,
      ms: performance.now() - startedAt,
      from: 'memory',
    });
  }

  /**
   * Answers with an error, in text that `go` prints. After the head is out there is only one honest thing left: to break
   * the connection, since a clean end would look like a short file.
   */
  fail(
    request: IncomingMessage,
    response: ServerResponse,
    startedAt: number,
    kind: string,
    error: unknown,
    bytesSent = 0,
  ): void {
    const gone = request.socket.destroyed && !response.writableFinished;
    if (response.headersSent || gone) {
      response.destroy();
      this.finish(request, startedAt, { kind, status: 499, bytes: bytesSent, from: 'none', error });
      return;
    }
    const answer = { kind, status: statusOf(error), contentType: ERROR_TYPE, body: errorBody(error) };
    this.#write(request, response, startedAt, answer, error);
  }

  /**
   * Answers with a short text that no cache may keep, unless its own headers say more.
   *
   * @param error what it tells, where it tells one
   */
  text({ request, response, startedAt }: Asked, answer: TextAnswer, error?: unknown): void {
    this.#write(request, response, startedAt, answer, error);
  }

  #write(
    request: IncomingMessage,
    response: ServerResponse,
    startedAt: number,
    answer: TextAnswer,
    error?: unknown,
  ): void {
    const { kind, status, contentType } = answer;
    const body = Buffer.from(answer.body);
    const headers = ['Content-Type', contentType, 'X-Content-Type-Options', 'nosniff'];
    if (status !== 304) headers.push('Content-Length', String(body.length));
    headers.push(...(answer.headers ?? ['Cache-Control', 'no-store']));
    if (status === 503) headers.push('Retry-After', '5');
    if (status === 401 && answer.headers === undefined)
      headers.push('WWW-Authenticate', 'Basic realm="gokeep"');
    if (status === 405) headers.push('Allow', 'GET, HEAD');
    // After a malformed request the connection is not to be trusted, nor is it where a body was not read.
    const unread = bringsBody(request) && !request.readableEnded;
    if (request.httpVersionMajor === 1 && (status === 400 || unread)) headers.push('Connection', 'close');
    if (error instanceof GokeepError)
      this.#onRefused({
        who: this.#askedBy.get(request)?.name ?? ANONYMOUS,
        from: this.#client(request),
        method: request.method ?? '',
        target: shownTarget(request.url ?? ''),
        hasCredentials: request.headers.authorization !== undefined,
        error,
      });
    response.writeHead(status, headers);
    const written = request.method === 'HEAD' || status === 304 ? undefined : body;
    if (unread && !request.complete) endBeforeBody(request, response, written, this.#lingerMs);
    else response.end(written);
    const bytes = written?.length ?? 0;
    this.finish(request, startedAt, { kind, status, bytes, from: 'none', error });
  }
}
