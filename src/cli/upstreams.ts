import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Config, UpstreamConfig } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import type { UpstreamStore } from '../store/upstream-store.ts';
import { writeDurablySync } from '../store/durable-file.ts';
import { type UpstreamOptions, UpstreamChain } from '../upstream/chain.ts';
import { ChecksumDatabase, type ForkEvidence } from '../upstream/checksum-database.ts';
import { parseGosumdb } from '../upstream/checksum-database-keys.ts';
import type { HttpAccessOptions } from '../upstream/http-access.ts';
import { parseProxyList, type ProxyEntry } from '../upstream/proxy-list.ts';
import { Routing } from '../upstream/routing.ts';
import { WatchedUpstream } from '../upstream/watched.ts';
import { VERSION } from '../version.ts';
import { type Direct, openDirect } from './direct-sources.ts';
import { fileText } from './file-text.ts';

/** How an upstream entry is reached over http: its certificates, credentials, way out and pace. Throws bad_config. */
export function httpAccess(config: Config, row: UpstreamConfig, via: string): HttpAccessOptions {
  const { environmentProxies, timeouts } = config;
  return {
    userAgent: `gokeep/${VERSION}`,
    via,
    netrc: fileText(row.netrc, 'upstream.netrc'),
    tls: {
      ca: fileText(row.ca, 'upstream.ca'),
      cert: fileText(row.clientCert, 'upstream.client_cert'),
      key: fileText(row.clientKey, 'upstream.client_key'),
    },
    egress: {
      variables: {
        httpProxy: environmentProxies.http,
        httpsProxy: environmentProxies.https,
        noProxy: environmentProxies.none,
      },
      override: row.egress,
    },
    allowAddresses: row.allowAddresses,
    connectTimeout: timeouts.connect,
    pace: {
      headers: timeouts.head,
      whole: timeouts.body,
      minimumRate: { bytesPerSecond: timeouts.minRate, window: timeouts.rateWindow },
    },
  };
}

function chainOptions(
  config: Config,
  row: UpstreamConfig,
  direct: Direct,
  via: string,
  watch: (entry: ProxyEntry, at: number) => WatchedUpstream,
): UpstreamOptions {
  const proxies = parseProxyList(row.proxy);
  return {
    ...httpAccess(config, row, via),
    proxies,
    watched: proxies.map(watch),
    direct: row.private ? direct.private : direct.open,
  };
}

const CLOCKS = { now: Date.now, monotonic: () => performance.now() };

/** The foreign database that proves public modules. */
export interface ProvingUpstream {
  readonly name: string;
  readonly client: ChecksumDatabase;
  readonly watched: WatchedUpstream;
  /** It has contradicted itself, and nothing that it says is believed. */
  readonly isForked: () => boolean;
}

export interface Upstreams extends AsyncDisposable {
  readonly routing: Routing;
  readonly direct: Direct;
  /** Undefined where `upstream.sumdb` is off. */
  readonly proving: ProvingUpstream | undefined;
  /** Every entry of every list, in the order of the configuration. */
  readonly watched: readonly WatchedUpstream[];
}

export interface ForkEvents {
  readonly onFork: (database: string) => void;
  /** The evidence could not be written: what it says must not be lost, and a restart will not know of it. */
  readonly onUnfiled: (database: string, report: string, error: unknown) => void;
}

/**
 * Sets up everything outside that the configuration names. Connects to nothing yet. Throws bad_config.
 *
 * @param via what we call ourselves towards upstreams: unique to this server, so that a loop is noticed.
 */
export function openUpstreams(
  config: Config,
  via: string,
  remembered: UpstreamStore,
  forks: ForkEvents,
): Upstreams {
  const direct = openDirect(config);
  const watched: WatchedUpstream[] = [];
  const watch =
    (row: Pick<UpstreamConfig, 'match' | 'private'>, list: string) => (entry: ProxyEntry, at: number) => {
      const kind = entry.kind === 'direct' || entry.kind === 'off' ? entry.kind : 'proxy';
      const name = { id: `${list}.${at + 1}`, kind, display: entry.display } as const;
      const one = new WatchedUpstream({ ...name, private: row.private, match: row.match }, CLOCKS);
      watched.push(one);
      return one;
    };
  const rows = config.upstreams.map((row, at) => ({
    match: row.match,
    private: row.private,
    chain: new UpstreamChain(chainOptions(config, row, direct, via, watch(row, String(at + 1)))),
  }));
  const privateRow: UpstreamConfig = {
    match: [],
    private: true,
    proxy: config.offline ? 'off' : 'direct',
    ca: undefined,
    clientCert: undefined,
    clientKey: undefined,
    egress: undefined,
    netrc: undefined,
    allowAddresses: [],
  };
  const routing = new Routing({
    routes: rows,
    privatePaths: config.private,
    privateDirect: new UpstreamChain(
      chainOptions(
        config,
        privateRow,
        direct,
        via,
        watch({ match: withoutUpstream(config), private: true }, 'private'),
      ),
    ),
  });
  const gosumdb = parseGosumdb(config.upstreamSumdb);
  const open = rows.find((row) => !row.private)?.chain;
  let proving: ProvingUpstream | undefined;
  if (!gosumdb.off) {
    const { name, url, verifier } = gosumdb;
    if (open === undefined) {
      throw new GokeepError('bad_config', 'upstream: a checksum database needs an entry that is not private');
    }
    const evidenceFile = path.join(config.data, 'fork-evidence.txt');
    const database = { id: 'sumdb', kind: 'database', display: name, private: false, match: [] } as const;
    const one = new WatchedUpstream(database, CLOCKS);
    const fetch = open.sumdb(name, url);
    let isForked = existsSync(evidenceFile);
    const client = new ChecksumDatabase({
      verifier,
      memory: remembered.databaseMemory(name),
      fetch: (...asked) => one.ask(() => fetch(...asked)),
      frozen: isForked,
      onFork: (evidence) => {
        isForked = true;
        // Told first: a full disk must not keep it from anybody.
        forks.onFork(name);
        const report = forkReport(name, evidence);
        try {
          writeDurablySync(evidenceFile, report);
        } catch (error) {
          forks.onUnfiled(name, report, error);
        }
      },
    });
    proving = { name, client, watched: one, isForked: () => isForked };
  }
  return { routing, direct, proving, watched, [Symbol.asyncDispose]: () => routing.close() };
}

/** Private paths that go to their own repositories, since no private entry takes them. */
function withoutUpstream({ private: paths, upstreams }: Config): readonly string[] {
  const own = upstreams.filter((row) => row.private);
  if (own.some(({ match }) => match.length === 0)) return [];
  const taken = new Set(own.flatMap(({ match }) => match));
  return paths.filter((each) => !taken.has(each));
}

/** Both signed heads and the proof that they contradict each other: whoever has the public key can check it. */
function forkReport(name: string, { older, newer, proof }: ForkEvidence): string {
  return [
    `${name} signed two tree heads that cannot both be true.`,
    'gokeep accepts nothing from it until a person has looked into this and removed this file.',
    '',
    'The older head:',
    older.toString(),
    'The newer head:',
    newer.toString(),
    `The newer tree's root at the older size: ${proof.root.toString('base64')}`,
    ...proof.hashes.map((hash) => `proof: ${hash.toString('base64')}`),
    '',
  ].join('\n');
}
