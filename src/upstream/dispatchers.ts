import type { LookupFunction } from 'node:net';
import { createSecureContext, getCACertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';

import { Agent, ProxyAgent, Socks5ProxyAgent, buildConnector } from 'undici';
import type { Dispatcher } from 'undici';

import { GokeepError } from '../errors.ts';
import { ForbiddenAddress } from './address-rules.ts';
import type { AddressRules } from './address-rules.ts';
import { egressFor, parseEgressProxy } from './egress.ts';
import type { EgressVariables } from './egress.ts';

/** TLS towards one upstream. PEM text, not paths. */
export interface TlsSettings {
  /** Trusted beside the default roots, for the upstream and for an https egress proxy. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** How connections leave this host. */
export interface EgressSettings {
  /** HTTP_PROXY, HTTPS_PROXY and NO_PROXY as values. */
  readonly variables?: EgressVariables | undefined;
  /** For this upstream alone: a proxy URL used for every host, or `none` to connect directly. */
  readonly override?: string | undefined;
}

export interface DispatcherSettings {
  readonly tls?: TlsSettings | undefined;
  readonly egress?: EgressSettings | undefined;
  readonly addresses: AddressRules;
  /** Milliseconds for TCP, proxy and TLS handshakes together or each, whichever the way out has. */
  readonly connectTimeout: number;
  /** Milliseconds an idle connection is kept. */
  readonly keepAlive: number;
  /** Exchanges at a time, and connections to one origin. Further exchanges wait without their clock running. */
  readonly maxConcurrent: number;
  /** Name look-up for redirects. Default: the system's. */
  readonly resolve?: LookupFunction | undefined;
}

/**
 * The connection pools of one upstream: one per way out, and another set for redirects, whose direct connections
 * check the address. HTTP/1.1 only, no interceptors, no pipelining.
 */
export class Dispatchers {
  readonly #settings: DispatcherSettings;
  readonly #override: URL | 'none' | undefined;
  readonly #tls: { readonly secureContext?: SecureContext };
  readonly #pools = new Map<string, Dispatcher>();

  /** Throws bad_config. */
  constructor(settings: DispatcherSettings) {
    this.#settings = settings;
    const override = settings.egress?.override;
    this.#override = override === undefined || override === 'none' ? override : parseEgressProxy(override);
    this.#tls = secureContext(settings.tls);
  }

  /** The pool for a URL. `redirected` when upstream or a client, not the administrator, chose its origin. */
  for(url: URL, redirected: boolean): Dispatcher {
    const proxy = this.#proxyFor(url);
    // What an egress proxy may reach is its own rule, and names are resolved there; only what can be seen
    // to be a forbidden address from here is refused here.
    if (redirected && this.#settings.addresses.refusesLiteral(url.hostname))
      throw new ForbiddenAddress(url.hostname);
    const guarded = redirected && proxy === undefined;
    const key = `${guarded} ${proxy?.href ?? ''}`;
    const known = this.#pools.get(key);
    if (known !== undefined) return known;
    const pool = this.#open(proxy, guarded);
    this.#pools.set(key, pool);
    return pool;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
    this.#pools.clear();
  }

  #proxyFor(url: URL): URL | undefined {
    if (this.#override === 'none') return undefined;
    return this.#override ?? egressFor(url, this.#settings.egress?.variables ?? {});
  }

  #open(proxy: URL | undefined, guarded: boolean): Dispatcher {
    const { connectTimeout, keepAlive, maxConcurrent } = this.#settings;
    const tls = { ...this.#tls, allowH2: false, timeout: connectTimeout };
    const common = {
      allowH2: false,
      pipelining: 1,
      connections: maxConcurrent,
      connectTimeout,
      // The deadlines of transport.ts are exact and cover redirects too; these would be a second, coarser pair.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: keepAlive,
      keepAliveMaxTimeout: keepAlive,
    };
    if (proxy === undefined)
      return new Agent({ ...common, connect: guarded ? this.#guardedConnector(tls) : tls });
    if (proxy.protocol === 'socks5:') {
      return new Socks5ProxyAgent(proxy, { ...common, requestTls: tls });
    }
    return new ProxyAgent({ ...common, uri: proxy.href, requestTls: tls, proxyTls: tls });
  }

  #guardedConnector(tls: buildConnector.BuildOptions): buildConnector.connector {
    const { addresses, resolve } = this.#settings;
    const connect = buildConnector({
      ...tls,
      lookup: addresses.guard(resolve),
    });
    return (options, callback) => {
      // A socket given a literal address never calls its look-up.
      if (addresses.refusesLiteral(options.hostname)) callback(new ForbiddenAddress(options.hostname), null);
      else connect(options, callback);
    };
  }
}

/** Built once per upstream: parsing some 150 roots for every connection would cost more than the handshake. */
function secureContext(tls: TlsSettings | undefined): { secureContext?: SecureContext } {
  if (tls?.ca === undefined && tls?.cert === undefined) return {};
  try {
    const ca = tls.ca === undefined ? undefined : [...getCACertificates('default'), tls.ca];
    return { secureContext: createSecureContext({ ca, cert: tls.cert, key: tls.key }) };
  } catch (cause) {
    throw new GokeepError(
      'bad_config',
      'The CA file or client certificate of an upstream is not valid PEM.',
      { cause },
    );
  }
}
