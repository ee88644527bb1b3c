import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Logger } from 'pino';
import { Authenticator } from '../access/authenticator.ts';
import { IssuerKeys, signingKeys } from '../access/issuer-keys.ts';
import { KnownTokens, LOOK_MS } from '../access/known-tokens.ts';
import type { FindKey } from '../access/oidc.ts';
import type { OidcConfig } from '../config/access.ts';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import { type Gate, gateOf, OPEN } from '../http/gate.ts';
import { prepareTokens, TokenReader } from '../store/token-table.ts';
import { TokenUses } from '../proxy/token-uses.ts';
import type { UpstreamStore } from '../store/upstream-store.ts';
import { fetchKeySet, type KeySetOptions } from '../upstream/key-set.ts';
import { VERSION } from '../version.ts';
import type { People } from '../web/people.ts';
import { ACCESS_DATABASE } from './data-files.ts';
import { openSignIn } from './sign-in.ts';

export interface Access {
  readonly gate: Gate;
  /** Has it look at once whether tokens have changed. */
  readonly look: () => void;
  /** Signs people in at a provider; undefined where there is none. */
  readonly people: People | undefined;
  /** Words for the operator; shown once at the start. */
  readonly warnings: readonly string[];
}

export interface AccessParts {
  /** What we call ourselves towards issuers. */
  readonly via: string;
  readonly isPrivate: (modulePath: string) => boolean;
  readonly log: Pick<Logger, 'error'>;
  /** Where uses of tokens are remembered. */
  readonly remembered: Pick<UpstreamStore, 'keepTokenUses'>;
  readonly onHiddenError: (error: unknown, what: string) => void;
}

/**
 * What tells who may do what. Opens the tokens only where access is required. Throws bad_config, storage_failed.
 *
 * @param cleanup closes what is opened here
 */
export function openAccess(config: Config, parts: AccessParts, cleanup: AsyncDisposableStack): Access {
  const { access } = config;
  if (!access.required)
    return { gate: OPEN, look: () => undefined, people: undefined, warnings: [openWarning(config)] };
  const file = path.join(config.data, ACCESS_DATABASE);
  prepareTokens(file);
  const reader = cleanup.use(new TokenReader(file));
  const tokens = new KnownTokens(reader, () => authenticator.forget());
  const uses = new TokenUses({
    write: (used) => parts.remembered.keepTokenUses(used),
    now: Date.now,
    onHiddenError: parts.onHiddenError,
  });
  cleanup.defer(() => uses.close());
  const authenticator = new Authenticator({
    tokens,
    uses,
    oidc: access.oidc,
    findKey: keyFinder(config, parts.via),
    certificates: access.certificates,
    publicReads: access.public,
    isPrivate: parts.isPrivate,
    now: Date.now,
  });
  tokens.look();
  let wasWell = true;
  const timer = setInterval(() => {
    try {
      tokens.look();
      wasWell = true;
    } catch (error) {
      if (wasWell) parts.log.error({ err: error }, 'the tokens cannot be read: nobody is let in by one');
      wasWell = false;
    }
  }, LOOK_MS);
  timer.unref();
  cleanup.defer(() => clearInterval(timer));
  return {
    look: () => tokens.look(),
    people: peopleOf(config, authenticator, parts.via, cleanup),
    gate: gateOf(authenticator, access.clientCa !== undefined),
    warnings: warningsFor(config, tokens.size),
  };
}

/** It is reached as its keys are. */
function peopleOf(
  config: Config,
  authenticator: Authenticator,
  via: string,
  cleanup: AsyncDisposableStack,
): People | undefined {
  const { oidc, signIn } = config.access;
  if (signIn === undefined) return undefined;
  const row = oidc.find(({ issuer, audience }) => issuer === signIn.issuer && audience === signIn.clientId);
  const reach = keySetOptions(config, { ca: row?.ca }, via);
  return openSignIn(config, signIn, { authenticator, reach }, cleanup);
}

function openWarning({ listen }: Config): string {
  return `access is off: whoever reaches ${listen.host}:${listen.port} may read everything (access.required)`;
}

function warningsFor({ access, listen, tls, url }: Config, tokens: number): string[] {
  const warnings: string[] = [];
  if (!access.saidSo)
    warnings.push(
      `access is required, since others than this machine can reach ${listen.host}:${listen.port}: clients without credentials get 401; to serve everybody set access.required = false (GOKEEP_ACCESS_REQUIRED=false)`,
    );
  if (tokens === 0 && access.oidc.length === 0 && access.certificates.length === 0)
    warnings.push(
      "access is required, and there is no token yet: npx gokeep token create --name NAME --read 'PATTERN'",
    );
  if (tls === undefined && url?.startsWith('https:') !== true)
    warnings.push(
      'access is required, and go sends credentials over https only: set tls, or url to the https address of a front server',
    );
  return warnings;
}

/** Keys from files and from issuers; each issuer has one place where they come from. */
function keyFinder(config: Config, via: string): FindKey {
  const finders = new Map<string, (kid: string | undefined) => ReturnType<FindKey>>();
  for (const row of config.access.oidc) {
    if (finders.has(row.issuer)) continue;
    const options = keySetOptions(config, row, via);
    const fetch = row.keys === undefined ? () => fetchKeySet(row.issuer, options) : fromFile(row.keys);
    const found = new IssuerKeys(row.issuer, fetch, Date.now);
    finders.set(row.issuer, (kid) => found.find(kid));
  }
  return async (issuer, kid) => finders.get(issuer)?.(kid);
}

/** Read at the start, to say then what is wrong with it, and again when a key is not found. */
function fromFile(file: string): () => Promise<unknown> {
  const read = (): unknown => JSON.parse(readFileSync(file, 'utf8'));
  try {
    signingKeys(read());
  } catch (error) {
    throw new GokeepError('bad_config', `access.oidc.keys: ${file} is no JSON Web Key Set that can be read`, {
      cause: error,
    });
  }
  return async () => read();
}

function keySetOptions(config: Config, { ca }: Pick<OidcConfig, 'ca'>, via: string): KeySetOptions {
  const { http: httpProxy, https: httpsProxy, none: noProxy } = config.environmentProxies;
  return {
    userAgent: `gokeep/${VERSION}`,
    via,
    ca: ca === undefined ? undefined : authority(ca),
    egress: { variables: { httpProxy, httpsProxy, noProxy }, override: undefined },
    connectTimeout: config.timeouts.connect,
  };
}

function authority(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new GokeepError('bad_config', `access.oidc.ca: ${file} cannot be read`, { cause: error });
  }
}
