import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer, Origin } from '../proxy/answer.ts';
import type { ServedMark } from '../proxy/served.ts';
import { parseRange } from './byte-range.ts';
import type { Exchange } from './exchange.ts';
import type { HandOff } from './hand-off.ts';
import type { PooledFiles } from './pooled-file.ts';
import type { PreparedAnswers } from './prepared.ts';
import type { Reads } from './reads.ts';
import { isTraced } from './traces.ts';

/** How an answer is labelled, apart from its bytes. */
export interface Label {
  /** For metrics and log: list, latest, info, mod, zip, lookup, tile… */
  readonly kind: string;
  readonly contentType: string;
  /** Carries names that not everybody may know: no shared cache may keep it. */
  readonly isPrivate: boolean;
  /** What was demanded of whoever gets it, and is again when the prepared copy is served. */
  readonly reads: Reads;
  /** Seconds a cache may keep it when it is not immutable. */
  readonly maxAge: number;
  /** Set for a file of a module version: whoever serves it again marks the day and to whom. */
  readonly served?: ServedMark | undefined;
}

export interface ResponderOptions {
  readonly exchange: Exchange;
  readonly prepared: PreparedAnswers;
  readonly files: PooledFiles;
  /** Largest file in bytes that is kept in memory. */
  readonly smallFile: number;
  readonly now: () => number;
  /** Set where a front server sends the files; undefined where we do. */
  readonly handOff: HandOff | undefined;
}

function cacheControl(label: Label, immutable: boolean): string {
  const scope = label.isPrivate ? 'private' : 'public';
  return immutable ? `${scope}, max-age=31536000, immutable` : `${scope}, max-age=${label.maxAge}`;
}

/** If-None-Match (RFC 9110, section 13.1.2): a list of tags, weak ones compared without their mark. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => {
    const bare = tag.trim().replace(/^W\//, '');
    return bare === etag || bare === '*';
  });
}

const digestTag = (body: Buffer): string =>
  `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;

/** A query string and the number of a trace mean nothing to us: other spellings of one target must not fill the memory. */
function mayBePrepared(url: string | undefined): url is string {
  return url !== undefined && !url.includes('?') && !isTraced(url);
}

/** Writes answers: conditional and range requests, HEAD, cache headers, and the prepared copy for the next time. */
export class Responder {
  readonly #o: ResponderOptions;

  constructor(options: ResponderOptions) {
    this.#o = options;
  }

  async send(
    request: IncomingMessage,
    response: ServerResponse,
    startedAt: number,
    answer: Answer,
    label: Label,
  ): Promise<void> {
    if (answer.kind === 'bytes') {
      const until = answer.immutable ? Number.POSITIVE_INFINITY : (answer.freshUntil ?? 0);
      this.#sendBytes(request, response, startedAt, answer, label, until);
    } else if (this.#o.handOff !== undefined) {
      await this.#sendHandOff(request, response, startedAt, answer, label, this.#o.handOff);
    } else if (answer.size <= this.#o.smallFile) {
      const body = await readFile(answer.file);
      const etag = await fileTag(answer.file);
      const bytes = { body, origin: answer.origin, immutable: true, etag };
      this.#sendBytes(request, response, startedAt, bytes, label, Number.POSITIVE_INFINITY);
    } else {
      await this.#sendFile(request, response, startedAt, answer, label);
    }
  }

  #sendBytes(
    request: IncomingMessage,
    response: ServerResponse,
    startedAt: number,
    answer: { body: Buffer; origin: Origin; immutable: boolean; etag?: string },
    label: Label,
    until: number,
  ): void {
    const { body, origin } = answer;
    const etag = answer.etag ?? digestTag(body);
    const headers = this.#headers(label, answer.immutable, etag, origin);
    if (label.kind === 'zip') headers.push('Accept-Ranges', 'bytes');
    const whole = [...headers, 'Content-Length', String(body.length)];
    const since = this.#o.now();
    if (until > since && origin !== 'stale' && mayBePrepared(request.url)) {
      // Text of Latin-1 only goes out in one write together with the head; anything else stays as bytes.
      const text =
        label.contentType === 'application/zip' || body.length > 65_536 ? body : body.toString('latin1');
      const again = this.#headers(label, answer.immutable, etag, 'memory');
      if (label.kind === 'zip') again.push('Accept-Ranges', 'bytes');
      again.push('Content-Length', String(body.length));
      const { kind, reads, served } = label;
      const prepared = { headers: again, body: text, bytes: body.length, until, since, kind, reads, served };
      this.#o.prepared.put(request.url, prepared);
    }
    const finish = (status: number, bytes: number) =>
      this.#o.exchange.finish(request, startedAt, { kind: label.kind, status, bytes, from: origin });
    if (matches(request.headers['if-none-match'], etag)) {
      response.writeHead(304, headers).end();
      return finish(304, 0);
    }
    if (request.method === 'HEAD') {
      response.writeHead(200, whole).end();
      return finish(200, 0);
    }
    const range = label.kind === 'zip' ? this.#range(request, etag, body.length) : 'whole';
    if (range === 'unsatisfiable') {
      this.#unsatisfiable(response, body.length);
      return finish(416, 0);
    }
    if (range !== 'whole') {
      const part = body.subarray(range.first, range.last + 1);
      response.writeHead(206, [...headers, ...rangeHeaders(range, body.length)]).end(part);
      return finish(206, part.length);
    }
    response.writeHead(200, whole).end(body);
    finish(200, body.length);
  }

  /** A head without a body: the front server adds the file, and answers ranges and conditions itself. */
  async #sendHandOff(
    request: IncomingMessage,
    response: ServerResponse,
    startedAt: number,
    { file, origin }: Extract<Answer, { kind: 'file' }>,
    label: Label,
    handOff: HandOff,
  ): Promise<void> {
    const etag = await fileTag(file);
    const head = (from: Origin) => [
      ...this.#headers(label, true, etag, from),
      'X-Accel-Redirect',
      handOff(file),
      'Content-Length',
      '0',
    ];
    if (mayBePrepared(request.url)) {
      const until = Number.POSITIVE_INFINITY;
      this.#o.prepared.put(request.url, {
        headers: head('memory'),
        body: '',
        bytes: 0,
        until,
        since: 0,
        kind: label.kind,
        reads: label.reads,
        served: label.served,
      });
    }
    response.writeHead(200, head(origin)).end();
    this.#o.exchange.finish(request, startedAt, { kind: label.kind, status: 200, bytes: 0, from: origin });
  }

  async #sendFile(
    request: IncomingMessage,
    response: ServerResponse,
    startedAt: number,
    answer: Extract<Answer, { kind: 'file' }>,
    label: Label,
  ): Promise<void> {
    const { file, size, origin } = answer;
    const etag = await fileTag(file);
    const headers = this.#headers(label, true, etag, origin);
    headers.push('Accept-Ranges', 'bytes');
    const finish = (status: number, bytes: number) =>
      this.#o.exchange.finish(request, startedAt, { kind: label.kind, status, bytes, from: origin });
    if (matches(request.headers['if-none-match'], etag)) {
      response.writeHead(304, headers).end();
      return finish(304, 0);
    }
    const range = this.#range(request, etag, size);
    if (range === 'unsatisfiable') {
      this.#unsatisfiable(response, size);
      return finish(416, 0);
    }
    const { first, last } = range === 'whole' ? { first: 0, last: size - 1 } : range;
    const length = range === 'whole' ? ['Content-Length', String(size)] : rangeHeaders(range, size);
    const status = range === 'whole' ? 200 : 206;
    response.writeHead(status, [...headers, ...length]);
    if (request.method === 'HEAD') {
      response.end();
      return finish(status, 0);
    }
    const sent = await this.#o.files.pipe(file, first, last, response);
    response.end();
    finish(status, sent);
  }

  #range(request: IncomingMessage, etag: string, size: number) {
    const condition = request.headers['if-range'];
    if (request.method !== 'GET' || (condition !== undefined && condition !== etag)) return 'whole';
    return parseRange(request.headers.range, size);
  }

  #unsatisfiable(response: ServerResponse, size: number): void {
    const headers = ['Content-Range', `bytes */${size}`, 'Content-Length', '0', 'Cache-Control', 'no-store'];
    response.writeHead(416, headers).end();
  }

  #headers(label: Label, immutable: boolean, etag: string, origin: Origin): string[] {
    const headers = [
      'Content-Type',
      label.contentType,
      'Cache-Control',
      origin === 'stale' ? 'no-store' : cacheControl(label, immutable),
      'ETag',
      etag,
      'X-Content-Type-Options',
      'nosniff',
      'X-Gokeep-From',
      origin,
    ];
    if (origin === 'stale') headers.push('Warning', '110 - "Response is Stale"');
    return headers;
  }
}

function rangeHeaders({ first, last }: { first: number; last: number }, size: number): string[] {
  return ['Content-Range', `bytes ${first}-${last}/${size}`, 'Content-Length', String(last + 1 - first)];
}

/** Files are never changed once named, so time and size of a file say which bytes it has. */
async function fileTag(file: string): Promise<string> {
  const { mtimeMs, size } = await stat(file);
  return `"${Math.round(mtimeMs).toString(36)}-${size.toString(36)}"`;
}
