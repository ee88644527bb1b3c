import { randomBytes } from 'node:crypto';
import { GokeepError } from '../errors.ts';
import { checkPatterns } from '../module/pattern.ts';
import type { StoredToken } from '../store/token-table.ts';
import type { Grants } from './principal.ts';
import { newToken, TOKEN_ENTROPY, tokenDigest } from './token.ts';

/** The life of a token without end. */
export const NEVER = 'never';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
export const DEFAULT_LIFETIME = 90 * DAY_MS;
/** Names go to logs and onto command lines. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@/-]{0,63}$/;

/** A token that somebody asks for, by whatever way: nothing of it is checked yet. */
export interface WantedToken {
  /** Undefined: one is made of its id. */
  readonly name: string | undefined;
  readonly grants: Grants;
  /** Milliseconds. */
  readonly lifetime: number | typeof NEVER;
}

/** A token as it is kept, and the token itself, which is not. */
export interface NewToken {
  readonly token: string;
  readonly stored: StoredToken;
}

/** How long a token is to live: days or hours, `90d` or `12h`, or `never`; undefined for anything else. */
export function parseLifetime(text: string): number | typeof NEVER | undefined {
  if (text === NEVER) return NEVER;
  const match = /^([1-9][0-9]{0,5})([dh])$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (match[2] === 'd' ? DAY_MS : HOUR_MS);
}

/**
 * Makes the token that somebody wants.
 *
 * @throws bad_request for a name or a pattern that is none
 */
export function wantedToken({ name, grants, lifetime }: WantedToken, now: number): NewToken {
  if (name !== undefined && !NAME.test(name))
    throw new GokeepError(
      'bad_request',
      `${JSON.stringify(name)} is no name; use up to 64 letters, digits, dots, dashes, slashes, @ and underscores`,
    );
  for (const patterns of [grants.read, grants.publish, grants.admin]) checkAsked(patterns);
  return makeToken(name, grants, lifetime === NEVER ? undefined : now + lifetime, now);
}

/** It is no configuration that they stand in. */
function checkAsked(patterns: readonly string[]): void {
  try {
    checkPatterns(patterns);
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    throw new GokeepError('bad_request', error.message, { cause: error });
  }
}

/** What is kept of a new token, and the token itself. */
export function makeToken(
  name: string | undefined,
  { read, publish, admin }: Grants,
  expires: number | undefined,
  created = Date.now(),
): NewToken {
  let token: string | undefined;
  while (token === undefined) token = newToken(randomBytes(TOKEN_ENTROPY));
  const id = randomBytes(4).toString('hex');
  const digest = tokenDigest(token);
  const rights = { read, publish, admin };
  return {
    token,
    stored: { id, digest, name: name ?? `token-${id}`, ...rights, created, expires, revoked: undefined },
  };
}

export function stateOf({ revoked, expires }: StoredToken, now: number): 'active' | 'expired' | 'revoked' {
  if (revoked !== undefined) return 'revoked';
  return expires !== undefined && now >= expires ? 'expired' : 'active';
}
