import type { FileHandle } from 'node:fs/promises';

import { GokeepError, hasCode } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { subjectOf } from './answer-checks.ts';
import type { SmallRequest } from './answer-checks.ts';
import type { DatabaseFetch } from './checksum-database.ts';
import { empty } from './chunks.ts';
import { DatabaseRoute } from './database-route.ts';
import type { DirectSource } from './direct.ts';
import { FileSource } from './file-source.ts';
import { GoProxyClient } from './goproxy-client.ts';
import { HttpAccess } from './http-access.ts';
import type { HttpAccessOptions } from './http-access.ts';
import { takeCredentials } from './proxy-list.ts';
import type { Credentials, ProxyEntry } from './proxy-list.ts';
import type { ProxySource } from './proxy-source.ts';
import type { WatchedUpstream } from './watched.ts';

/** Everything one `[[upstream]]` entry needs. Contents of files, not their paths; times in milliseconds. */
export interface UpstreamOptions extends HttpAccessOptions {
  /** From parseProxyList. */
  readonly proxies: readonly ProxyEntry[];
  /** Needed when `proxies` holds `direct`. May be shared between chains; closing a chain leaves it alone. */
  readonly direct?: DirectSource | undefined;
  /** One for each of `proxies`, told how it does. */
  readonly watched?: readonly WatchedUpstream[] | undefined;
}

export interface FetchedBody {
  readonly body: Buffer;
  /** Display name without credentials, or `direct`. */
  readonly source: string;
}

export interface FetchedFile {
  readonly bytes: number;
  readonly source: string;
}

type Link =
  | { readonly kind: 'proxy'; readonly client: GoProxyClient; readonly fallBackOnError: boolean }
  | { readonly kind: 'direct'; readonly client: DirectSource; readonly fallBackOnError: false }
  | { readonly kind: 'off'; readonly fallBackOnError: false };

/** Trouble on our side: no other entry of the list would fare better, and none may be asked for it. */
const OURS: ReadonlySet<ErrorCode> = new Set([
  'busy',
  'storage_full',
  'storage_failed',
  'bad_path',
  'bad_version',
]);

/**
 * A GOPROXY list at work. Entries are tried in order, each file anew; the error reported is the one cmd/go's
 * TryProxies would choose: that of `direct`, else the last failure that is no absence, else the last absence.
 */
export class UpstreamChain {
  readonly #options: UpstreamOptions;
  readonly #access: HttpAccess;
  readonly #links: readonly Link[];
  readonly #opened: ProxySource[] = [];

  /** Throws bad_config. Opens no connection. */
  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#access = new HttpAccess(options);
    this.#links = options.proxies.map((entry) => this.#link(entry));
  }

  /** Throws not_found, gone, refused (`off`), no_go, upstream_*, busy (aborted by the caller). */
  async fetch(request: SmallRequest, o: { readonly signal?: AbortSignal | undefined }): Promise<FetchedBody> {
    return await this.#walk(subjectOf(request), async (client) => ({
      body: await client.fetch(request, o.signal),
      source: client.display,
    }));
  }

  /**
   * Writes the zip to `file`, which is empty and open for writing; it is emptied again before each further attempt and
   * after the last failure. What it holds is unverified. Throws as fetch, and storage_full or storage_failed.
   */
  async fetchZip(
    path: string,
    version: string,
    file: FileHandle,
    o: { readonly signal?: AbortSignal | undefined },
  ): Promise<FetchedFile> {
    return await this.#walk(subjectOf({ kind: 'zip', path, version }), async (client) => {
      try {
        return { bytes: await client.fetchZip(path, version, file, o.signal), source: client.display };
      } catch (error) {
        await empty(file);
        throw error;
      }
    });
  }

  /**
   * A foreign checksum database through this chain. With `directUrl` (GOSUMDB's second word) that address is used
   * and no proxy is asked, as cmd/go does; else see DatabaseRoute, which keeps what it finds: call this once a database.
   */
  sumdb(databaseName: string, directUrl: string | undefined): DatabaseFetch {
    const openDirect = (): ProxySource => this.#openDatabase(directUrl ?? `https://${databaseName}`);
    const entries = directUrl === undefined ? this.#links : [];
    return new DatabaseRoute(databaseName, entries, openDirect).fetch;
  }

  /** Breaks what is in progress and closes all connections. */
  async close(): Promise<void> {
    await Promise.all(this.#opened.map((source) => source.close()));
  }

  async #walk<T>(subject: string, visit: (client: GoProxyClient | DirectSource) => Promise<T>): Promise<T> {
    let absence: GokeepError | undefined;
    let failure: GokeepError | undefined;
    for (const [at, link] of this.#links.entries()) {
      if (link.kind === 'off') break;
      const watched = this.#options.watched?.[at];
      try {
        return await (watched === undefined ? visit(link.client) : watched.ask(() => visit(link.client)));
      } catch (error) {
        if (link.kind === 'direct' || !(error instanceof GokeepError) || OURS.has(error.code)) throw error;
        const absent = hasCode(error, 'not_found', 'gone');
        if (absent) absence = error;
        else failure = error;
        if (!absent && !link.fallBackOnError) break;
        const next = this.#links[at + 1]?.kind ?? 'off';
        if (next !== 'off') watched?.fallThrough();
      }
    }
    // When a proxy has said that there is nothing and "off" forbids to look further, that proxy's word stands.
    throw failure ?? absence ?? isOff(subject);
  }

  #link(entry: ProxyEntry): Link {
    switch (entry.kind) {
      case 'off':
        return { kind: 'off', fallBackOnError: false };
      case 'direct':
        if (this.#options.direct === undefined) {
          throw new GokeepError(
            'bad_config',
            'The upstream list holds "direct", and fetching directly is not set up.',
          );
        }
        return { kind: 'direct', client: this.#options.direct, fallBackOnError: false };
      case 'file':
        return this.#proxy(new FileSource(entry.directory, entry.display), entry.fallBackOnError);
      default:
        return this.#proxy(this.#openHttp(entry.url, entry.credentials), entry.fallBackOnError);
    }
  }

  #proxy(source: ProxySource, fallBackOnError: boolean): Link {
    return { kind: 'proxy', client: new GoProxyClient(source), fallBackOnError };
  }

  #openDatabase(address: string): ProxySource {
    const valid = URL.canParse(address) && /^https?:$/.test(new URL(address).protocol);
    if (!valid)
      throw new GokeepError('bad_config', 'The address of a checksum database is no http or https URL.');
    const url = new URL(address);
    const credentials = takeCredentials(url);
    if (credentials !== undefined && url.protocol === 'http:') {
      throw new GokeepError(
        'bad_config',
        'The address of a checksum database would send credentials over plain http.',
      );
    }
    return this.#openHttp(url, credentials);
  }

  #openHttp(url: URL, own: Credentials | undefined): ProxySource {
    const source = this.#access.open(url, own);
    this.#opened.push(source);
    return source;
  }
}

function isOff(subject: string): GokeepError {
  return new GokeepError(
    'refused',
    `${subject} is not held here, and the upstream list is "off": nothing is fetched.`,
  );
}
