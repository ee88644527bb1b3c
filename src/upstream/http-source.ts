import type { FileHandle } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';

import { GokeepError } from '../errors.ts';
import { collect, writeAll, zipOnly } from './chunks.ts';
import type { ProxySource, ReadOptions } from './proxy-source.ts';
import { plainText, reasonIn } from './reason.ts';
import type { Answer, Transport } from './transport.ts';

/** How much of an error's body is read. */
const MAX_ERROR_BODY = 8 * 1024;

/** A GOPROXY base reached by http or https. */
export class HttpSource implements ProxySource {
  readonly display: string;
  readonly #base: URL;
  readonly #transport: Transport;
  /** Never to appear in what we say, even when upstream echoes it. */
  readonly #secrets: readonly string[];

  constructor(base: URL, display: string, transport: Transport, secrets: readonly string[] = []) {
    this.#base = base;
    this.display = display;
    this.#transport = transport;
    this.#secrets = secrets;
  }

  async read(path: string, options: ReadOptions): Promise<Buffer> {
    return await this.#get(path, 'whole', options, async (answer) => {
      const body = await collect(answer.chunks(options.maxBytes));
      return decode(answer, body, options, this.display);
    });
  }

  async copyZip(path: string, file: FileHandle, options: ReadOptions): Promise<number> {
    return await this.#get(path, 'zip', options, async (answer) => {
      // Zips are compressed already; an encoding on top of that could only hide their size.
      if (encodingOf(answer) !== 'identity') throw encoded(options, this.display);
      return await writeAll(file, zipOnly(answer.chunks(options.maxBytes), options.subject, this.display));
    });
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #get<T>(
    path: string,
    body: 'whole' | 'zip',
    options: ReadOptions,
    use: (answer: Answer) => Promise<T>,
  ): Promise<T> {
    const exchange = { signal: options.signal, subject: options.subject, from: this.display, body };
    return await this.#transport.exchange(below(this.#base, path), exchange, async (answer) => {
      if (answer.status !== 200) throw await this.#refusal(answer, options);
      return await use(answer);
    });
  }

  async #refusal(answer: Answer, { subject }: ReadOptions): Promise<GokeepError> {
    const { status } = answer;
    const text = plainText(answer.headers['content-type'], await firstBytes(answer));
    if (status === 404 || status === 410) {
      const code = status === 404 ? 'not_found' : 'gone';
      const words = status === 404 ? 'is not known to' : 'is no longer available from';
      const more = text === undefined || text === '' ? {} : { verbatim: text };
      return new GokeepError(code, `${subject} ${words} ${this.display}.`, more);
    }
    const reason = reasonIn(text, this.#secrets);
    const said = reason === '' ? '' : ` (${reason})`;
    if (status === 401 || status === 403) {
      return new GokeepError(
        'upstream_refused',
        `${this.display} refuses ${lowerFirst(subject)} with status ${status}${said}: check the credentials configured for it.`,
      );
    }
    return new GokeepError(
      'upstream_failed',
      `${subject} could not be fetched from ${this.display}: it answered with status ${status}${said}.`,
    );
  }
}

/** `base` with `path` appended: path prefix and query of the base stay, as in cmd/go's proxyRepo.getBody. */
export function below(base: URL, path: string): URL {
  const url = new URL(base);
  url.pathname = `${base.pathname}/${encodePath(path)}`.replace(/\/{2,}/g, '/');
  return url;
}

/** As Go's url.PathEscape, but for `!`, which stays literal in module and in database paths alike. */
function encodePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-_.~$&+=:@/!]/gu, (character) =>
    encodeURIComponent(character).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
  );
}

/** What there is of an error's body; the status is known, so a body that breaks or never ends changes nothing. */
async function firstBytes(answer: Answer): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer.chunks(Number.POSITIVE_INFINITY)) {
      parts.push(chunk);
      bytes += chunk.length;
      if (bytes >= MAX_ERROR_BODY) break;
    }
  } catch {
    return Buffer.alloc(0);
  }
  return Buffer.concat(parts).subarray(0, MAX_ERROR_BODY);
}

function encodingOf(answer: Answer): string {
  const header = answer.headers['content-encoding'] ?? 'identity';
  return (typeof header === 'string' ? header : header.join(',')).trim().toLowerCase() || 'identity';
}

/**
 * We ask for no encoding, and some stores send the gzip they hold all the same. One layer of gzip is undone, to
 * at most `maxBytes`; anything else, stacked encodings included, is refused.
 */
function decode(answer: Answer, body: Buffer, options: ReadOptions, display: string): Buffer {
  const encoding = encodingOf(answer);
  if (encoding === 'identity') return body;
  if (encoding !== 'gzip' && encoding !== 'x-gzip') throw encoded(options, display);
  try {
    return gunzipSync(body, { maxOutputLength: options.maxBytes });
  } catch (cause) {
    throw encoded(options, display, cause);
  }
}

function encoded(options: ReadOptions, display: string, cause?: unknown): GokeepError {
  return new GokeepError(
    'upstream_failed',
    `${options.subject} could not be fetched from ${display}: its answer is encoded in a way that was not asked for.`,
    { cause },
  );
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
