import type { LookupFunction } from 'node:net';

import { AddressRules } from './address-rules.ts';
import type { EgressSettings, TlsSettings } from './dispatchers.ts';
import { HttpSource } from './http-source.ts';
import { netrcCredentials, parseNetrc } from './netrc.ts';
import type { NetrcMachine } from './netrc.ts';
import { displayName } from './proxy-list.ts';
import type { Credentials } from './proxy-list.ts';
import { DEFAULT_PACE, Transport } from './transport.ts';
import type { Pace } from './transport.ts';

/** How an upstream is reached over http or https. Contents of files, not their paths; times in milliseconds. */
export interface HttpAccessOptions {
  /** `gokeep/<version>` */
  readonly userAgent: string;
  /** Our pseudonym in the Via header. Default: gokeep. */
  readonly via?: string | undefined;
  /** Goes to this origin, before anything that a URL or netrc has for it, and to no other. */
  readonly bound?: { readonly origin: string; readonly credentials: Credentials } | undefined;
  /** Text of a netrc file. Userinfo in a URL comes first. */
  readonly netrc?: string | undefined;
  readonly tls?: TlsSettings | undefined;
  readonly egress?: EgressSettings | undefined;
  /** No configuration names the base, but a client of ours: it may have no address that a redirect may not have. */
  readonly isNamedByClient?: boolean | undefined;
  /** CIDRs of internal addresses that redirects may lead to. */
  readonly allowAddresses?: readonly string[] | undefined;
  readonly pace?: Partial<Pace> | undefined;
  /** Default 10 s. */
  readonly connectTimeout?: number | undefined;
  /** How long an idle connection is kept. Default 30 s. */
  readonly keepAlive?: number | undefined;
  /** Requests at a time to one base. Default 128. */
  readonly maxConcurrent?: number | undefined;
  /** Look-up of redirect targets. Default: the system's. */
  readonly resolve?: LookupFunction | undefined;
}

/** Opens bases of upstreams that are reached in the same way; each has connections of its own. */
export class HttpAccess {
  readonly #options: HttpAccessOptions;
  readonly #addresses: AddressRules;
  readonly #netrc: readonly NetrcMachine[];

  /** Throws bad_config. Opens no connection. */
  constructor(options: HttpAccessOptions) {
    this.#options = options;
    this.#addresses = new AddressRules(options.allowAddresses ?? []);
    this.#netrc = parseNetrc(options.netrc ?? '');
  }

  /** @param own credentials that the URL had; it holds none any more. */
  open(url: URL, own: Credentials | undefined): HttpSource {
    const o = this.#options;
    const bound = o.bound?.origin === url.origin ? o.bound.credentials : undefined;
    const credentials = bound ?? own ?? netrcCredentials(this.#netrc, url);
    const transport = new Transport({
      origin: url.origin,
      credentials,
      userAgent: o.userAgent,
      via: o.via ?? 'gokeep',
      tls: o.tls,
      egress: o.egress,
      addresses: this.#addresses,
      isNamedByClient: o.isNamedByClient ?? false,
      pace: { ...DEFAULT_PACE, ...o.pace },
      connectTimeout: o.connectTimeout ?? 10_000,
      keepAlive: o.keepAlive ?? 30_000,
      maxConcurrent: o.maxConcurrent ?? 128,
      resolve: o.resolve,
    });
    const secrets = credentials === undefined ? [] : [credentials.password, basic(credentials)];
    return new HttpSource(url, displayName(url), transport, secrets);
  }
}

function basic({ username, password }: Credentials): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}
