import type { IncomingMessage } from 'node:http';

/** Where log lines go: anything that takes whole lines, and neither blocks nor throws. */
export interface LineSink {
  write(lines: string): unknown;
}

/** One answered request. */
export interface RequestLine {
  readonly request: Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'socket'>;
  readonly client: string;
  /** Name of who was recognised by credentials; never the credentials. */
  readonly user?: string | undefined;
  readonly status: number;
  readonly bytes: number;
  /** Milliseconds from the request's head to the end of the answer. */
  readonly ms: number;
  readonly from: string;
  /** The error's code and detail; absent when all went well. */
  readonly error?: { readonly code: string; readonly detail: string };
}

const FLUSH_BYTES = 64 * 1024;
const FLUSH_MS = 100;
/** A hostile URL or User-Agent fills a line, never the disk. */
const LONGEST_URL = 2048;
const LONGEST_AGENT = 128;
const LONGEST_USER = 256;

/** What JSON leaves as it is and terminals or log viewers may still act on: C1 controls and line separators. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029]/g;

/** A JSON string; attacker-controlled text cannot end the line, forge another or move a terminal's cursor. */
function quoted(text: string, longest: number): string {
  const json = JSON.stringify(text.length > longest ? `${text.slice(0, longest)}…` : text);
  return json.replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The target without its query, and, where it is a whole URL, without user and password: secrets hide in all of them. */
export function shownTarget(url: string): string {
  const query = url.indexOf('?');
  const target = query < 0 ? url : url.slice(0, query);
  return target.startsWith('/') ? target : target.replace(/^([a-z+.-]*:?\/\/)?[^/]*@/i, '$1');
}

/**
 * One JSON line a request, in pino's format, rendered by hand and written in batches: a pino call costs several times
 * as much as the rest of a cached answer.
 *
 * Query strings are left out (nothing of ours uses them, and secrets hide there), and no header but the User-Agent is
 * written, so credentials never reach a log.
 */
export class RequestLog {
  readonly #sink: LineSink | undefined;
  #lines: string[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param sink undefined: requests are not logged. */
  constructor(sink: LineSink | undefined) {
    this.#sink = sink;
  }

  write(line: RequestLine): void {
    if (this.#sink === undefined) return;
    const { request, error } = line;
    const level = line.status >= 500 ? 50 : line.status === 403 ? 40 : 30;
    let text = `{"level":${level},"time":${Date.now()},"msg":"request","client":${quoted(line.client, 64)},"method":${quoted(request.method ?? '', 16)},"url":${quoted(shownTarget(request.url ?? ''), LONGEST_URL)},"status":${line.status},"bytes":${line.bytes},"ms":${line.ms.toFixed(2)},"from":"${line.from}","agent":${quoted(request.headers['user-agent'] ?? '', LONGEST_AGENT)}`;
    if (line.user !== undefined) text += `,"user":${quoted(line.user, LONGEST_USER)}`;
    if (error !== undefined) text += `,"code":"${error.code}","detail":${quoted(error.detail, LONGEST_URL)}`;
    text += '}\n';
    this.#lines.push(text);
    this.#bytes += text.length;
    if (this.#bytes >= FLUSH_BYTES) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#lines.length === 0) return;
    this.#sink?.write(this.#lines.join(''));
    this.#lines = [];
    this.#bytes = 0;
  }
}
