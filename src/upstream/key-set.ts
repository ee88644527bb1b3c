import { GokeepError } from '../errors.ts';
import { AddressRules } from './address-rules.ts';
import type { EgressSettings } from './dispatchers.ts';
import { DEFAULT_PACE, Transport } from './transport.ts';

/** How the issuers of JWTs are reached. Times in milliseconds. */
export interface KeySetOptions {
  /** `gokeep/<version>` */
  readonly userAgent: string;
  readonly via: string;
  /** PEM of further certificate authorities. */
  readonly ca: string | undefined;
  readonly egress: EgressSettings;
  readonly connectTimeout: number;
}

/** A client waits for it with its request. */
const ANSWER_MS = 10_000;
const MAX_BODY = 2 ** 20;

/**
 * The JSON Web Key Set of an OpenID Connect issuer, by way of its discovery document
 * (https://openid.net/specs/openid-connect-discovery-1_0.html). Its keys are not checked here.
 *
 * Throws upstream_failed, upstream_unreachable, upstream_timeout.
 */
export async function fetchKeySet(issuer: string, options: KeySetOptions): Promise<unknown> {
  const about = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, options);
  const { issuer: named, jwks_uri: uri } = about as { issuer?: unknown; jwks_uri?: unknown };
  if (named !== issuer) throw failed(issuer, 'its discovery document is about another issuer');
  if (typeof uri !== 'string' || !URL.canParse(uri))
    throw failed(issuer, 'its discovery document has no jwks_uri');
  // What came by https must not send us to where anybody can answer.
  if (new URL(uri).protocol !== 'https:' && new URL(issuer).protocol === 'https:')
    throw failed(issuer, 'its jwks_uri is no https URL');
  return fetchJson(uri, options);
}

function failed(issuer: string, why: string): GokeepError {
  return new GokeepError('upstream_failed', `the keys of ${issuer} cannot be had: ${why}`);
}

async function fetchJson(target: string, o: KeySetOptions): Promise<object> {
  const url = new URL(target);
  const transport = new Transport({
    origin: url.origin,
    credentials: undefined,
    userAgent: o.userAgent,
    via: o.via,
    tls: { ca: o.ca },
    egress: o.egress,
    addresses: new AddressRules([]),
    pace: { ...DEFAULT_PACE, headers: ANSWER_MS, whole: ANSWER_MS },
    connectTimeout: Math.min(o.connectTimeout, ANSWER_MS),
    keepAlive: 1_000,
    maxConcurrent: 1,
    resolve: undefined,
  });
  try {
    const from = url.host;
    return await transport.exchange(url, { subject: 'The key set', from, body: 'whole' }, async (answer) => {
      if (answer.status !== 200) throw failed(from, `it answered ${answer.status}`);
      const chunks: Buffer[] = [];
      for await (const chunk of answer.chunks(MAX_BODY)) chunks.push(chunk);
      return parsed(Buffer.concat(chunks).toString(), from);
    });
  } finally {
    await transport.close();
  }
}

function parsed(text: string, from: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null) throw failed(from, 'what it sent is no JSON object');
  return value;
}
