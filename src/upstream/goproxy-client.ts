import type { FileHandle } from 'node:fs/promises';

import { formatModuleRequest } from '../module/request-path.ts';
import { MAX_BYTES, checkAnswer, subjectOf } from './answer-checks.ts';
import type { SmallRequest } from './answer-checks.ts';
import type { ProxySource } from './proxy-source.ts';

/** Enough for any text a proxy may answer with; its content means nothing. */
const MAX_SUPPORTED = 64 * 1024;

/**
 * One http, https or file entry of a GOPROXY list. An answer counts as success only when it answers the question.
 * All methods throw not_found, gone, upstream_*, busy; fetchZip also storage_*.
 */
export class GoProxyClient {
  readonly #source: ProxySource;

  constructor(source: ProxySource) {
    this.#source = source;
  }

  get display(): string {
    return this.#source.display;
  }

  async fetch(request: SmallRequest, signal: AbortSignal | undefined): Promise<Buffer> {
    const options = { signal, subject: subjectOf(request), maxBytes: MAX_BYTES[request.kind] };
    const body = await this.#source.read(formatModuleRequest(request), options);
    return checkAnswer(request, body, this.display);
  }

  /** Writes to an empty file from its beginning; resolves with the number of bytes. */
  async fetchZip(
    path: string,
    version: string,
    file: FileHandle,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const request = { kind: 'zip', path, version } as const;
    const options = { signal, subject: subjectOf(request), maxBytes: MAX_BYTES.zip };
    return await this.#source.copyZip(formatModuleRequest(request), file, options);
  }

  /** Resolves when the proxy serves a checksum database: `GET /sumdb/<name>/supported` is 200. */
  async probeDatabase(name: string, signal: AbortSignal | undefined): Promise<void> {
    const options = { signal, subject: `Checksum database ${name}`, maxBytes: MAX_SUPPORTED };
    await this.#source.read(`/sumdb/${name}/supported`, options);
  }

  /** A file of a checksum database, `/lookup/…`, `/tile/…` or `/latest`, through the proxy. */
  async fetchDatabase(name: string, path: string, signal: AbortSignal, maxBytes: number): Promise<Buffer> {
    const subject = databaseSubject(name, path);
    return await this.#source.read(`/sumdb/${name}${path}`, { signal, subject, maxBytes });
  }

  async close(): Promise<void> {
    await this.#source.close();
  }
}

/** `Checksum database file sum.golang.org/tile/8/0/001` */
export function databaseSubject(name: string, path: string): string {
  return `Checksum database file ${name}${path}`;
}
