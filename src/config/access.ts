import { isIP } from 'node:net';
import { configuredSubject } from '../access/certificate.ts';
import type { PublicReads } from '../access/authenticator.ts';
import type { Grants } from '../access/principal.ts';
import { GokeepError } from '../errors.ts';
import { checkPatterns } from '../module/pattern.ts';
import type { AccessSettings } from './schema.ts';
import { type Environment, parseBoolean, variable } from './variable.ts';

/** Who may do what, beside the tokens, which are no part of the configuration. */
export interface AccessConfig {
  /** False: everybody who reaches the server may everything. */
  readonly required: boolean;
  /** False: nobody has said whether it is, and it follows from who can reach the server. */
  readonly saidSo: boolean;
  /** Who reads modules that are not private. */
  readonly public: PublicReads;
  /** File of the authorities whose client certificates count. */
  readonly clientCa: string | undefined;
  readonly certificates: readonly { readonly subject: string; readonly grants: Grants }[];
  readonly oidc: readonly OidcConfig[];
  /** Where people sign in in a browser. */
  readonly signIn: SignInConfig | undefined;
}

export interface SignInConfig {
  /** For people. */
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  /** A file. */
  readonly clientSecretFile: string | undefined;
  readonly scopes: readonly string[];
}

export interface OidcConfig {
  readonly issuer: string;
  readonly audience: string;
  readonly claims: Readonly<Record<string, readonly string[]>>;
  /** Files. */
  readonly keys: string | undefined;
  readonly ca: string | undefined;
  readonly grants: Grants;
}

export interface ResolveAccessOptions {
  readonly env: Environment;
  readonly listen: { readonly host: string };
  readonly url: string | undefined;
  /** Settings say that a front server passes requests on. */
  readonly behindFront: boolean;
  readonly tls: boolean;
  /** Makes a path from the configuration file absolute. */
  readonly fromFile: (value: string | undefined) => string | undefined;
}

/** A name other than localhost may be anybody's tomorrow. */
function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/** Behind a front server, which is what another `url` says, loopback is reached by everybody whom that lets through. */
function isReachable({ listen, url, behindFront }: ResolveAccessOptions): boolean {
  if (!isLoopback(listen.host) || behindFront) return true;
  return url !== undefined && URL.canParse(url) && !isLoopback(new URL(url).hostname);
}

type Rights = Pick<NonNullable<AccessSettings['oidc']>[number], 'read' | 'publish' | 'admin'>;

function grants({ read = [], publish = [], admin = [] }: Rights, key: string): Grants {
  for (const [right, patterns] of Object.entries({ read, publish, admin })) {
    try {
      checkPatterns(patterns);
    } catch (error) {
      if (!(error instanceof GokeepError)) throw error;
      throw new GokeepError('bad_config', `${key}.${right}: ${error.message}`, { cause: error });
    }
  }
  return { read, publish, admin };
}

/** Throws bad_config, naming the key. */
export function resolveAccess(s: AccessSettings, o: ResolveAccessOptions): AccessConfig {
  const said = variable(o.env, 'GOKEEP_ACCESS_REQUIRED');
  const required =
    said === undefined ? (s.required ?? isReachable(o)) : parseBoolean(said, 'GOKEEP_ACCESS_REQUIRED');
  const certificates = (s.certificate ?? []).map(({ subject, ...rights }, at) => {
    const key = `access.certificate[${at}]`;
    if (configuredSubject(subject) === undefined)
      throw new GokeepError(
        'bad_config',
        `${key}.subject: ${JSON.stringify(subject)} is no subject such as "CN=ci,O=Corp"`,
      );
    return { subject, grants: grants(rights, key) };
  });
  if (certificates.length > 0 && s.client_ca === undefined)
    throw new GokeepError('bad_config', 'access.certificate: nobody can have one without access.client_ca');
  if (s.client_ca !== undefined && !o.tls)
    throw new GokeepError(
      'bad_config',
      'access.client_ca: client certificates need TLS; set tls.cert and tls.key',
    );
  const oidc = (s.oidc ?? []).map((row, at) => oidcRow(row, `access.oidc[${at}]`, o.fromFile));
  return {
    required,
    saidSo: said !== undefined || s.required !== undefined,
    public: (s.public as PublicReads | undefined) ?? 'authenticated',
    clientCa: o.fromFile(s.client_ca),
    certificates,
    oidc,
    signIn: s.sign_in === undefined ? undefined : signInAt(s.sign_in, oidc, o),
  };
}

/** What comes by plain http is anybody's who stands in between. */
function isSafe(issuer: string): boolean {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
}

function signInAt(
  {
    name,
    issuer,
    client_id: clientId,
    client_secret_file: file,
    scopes = ['profile'],
  }: NonNullable<AccessSettings['sign_in']>,
  oidc: readonly OidcConfig[],
  { url, fromFile }: ResolveAccessOptions,
): SignInConfig {
  const bad = (key: string, why: string) => new GokeepError('bad_config', `access.sign_in${key}: ${why}`);
  if (!isSafe(issuer)) throw bad('.issuer', `${JSON.stringify(issuer)} is no https URL`);
  if (url === undefined)
    throw bad('', 'it needs url, the address of this gokeep that the provider sends people back to');
  if (!oidc.some((row) => row.issuer === issuer && row.audience === clientId))
    throw bad(
      '',
      `nobody who signs in has a right: add an access.oidc with this issuer and audience = ${JSON.stringify(clientId)}`,
    );
  const wrong = scopes.find((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope));
  if (wrong !== undefined) throw bad('.scopes', `${JSON.stringify(wrong)} is no scope`);
  return {
    name: name ?? new URL(issuer).host,
    issuer,
    clientId,
    clientSecretFile: fromFile(file),
    scopes: [...new Set(['openid', ...scopes])],
  };
}

function oidcRow(
  row: NonNullable<AccessSettings['oidc']>[number],
  key: string,
  fromFile: ResolveAccessOptions['fromFile'],
): OidcConfig {
  const { issuer, audience, claims = {}, keys, ca, ...rights } = row;
  if (keys === undefined && !isSafe(issuer))
    throw new GokeepError('bad_config', `${key}.issuer: ${JSON.stringify(issuer)} is no https URL`);
  return {
    issuer,
    audience,
    claims: Object.fromEntries(
      Object.entries(claims).map(([name, value]) => [name, typeof value === 'string' ? [value] : value]),
    ),
    keys: fromFile(keys),
    ca: fromFile(ca),
    grants: grants(rights, key),
  };
}
