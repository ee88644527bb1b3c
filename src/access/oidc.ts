import { decodeProtectedHeader, errors, type JWK, jwtVerify } from 'jose';
import { decodeJwt, importJWK, type JWTPayload } from 'jose';
import { GokeepError } from '../errors.ts';
import type { Grants } from './principal.ts';

/** What bearers of an issuer's tokens may do, where all of the claims hold. */
export interface OidcRule {
  /** As the claim `iss` spells it. */
  readonly issuer: string;
  /** One that `aud` has to name. */
  readonly audience: string;
  /** By claim, the values one of which it has to have; of a claim that is a list, one entry. Compared as a whole. */
  readonly claims: Readonly<Record<string, readonly string[]>>;
  readonly grants: Grants;
}

/** The public key with this id; undefined where the issuer has none. Throws busy where it cannot be asked. */
export type FindKey = (issuer: string, kid: string | undefined) => Promise<JWK | undefined>;

/** Asymmetric ones only: with a symmetric one, or none at all, whoever knows a public key could sign. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** Seconds that the issuer's clock and ours may differ. */
const CLOCK_SKEW = 60;

export interface VerifiedJwt {
  readonly subject: string;
  /** What the bearer calls himself: for his own eyes, since he may be free to choose it. */
  readonly called: string | undefined;
  /** Milliseconds since 1970. */
  readonly expires: number;
  /** Those of all rules that hold, together; undefined where none does. */
  readonly grants: Grants | undefined;
}

function unauthenticated(why: string, cause?: unknown): GokeepError {
  return new GokeepError('unauthenticated', `the JWT sent as credentials ${why}`, { cause });
}

/** The issuer that an unverified token claims to be from. The token is the client's: only configured ones are gone to. */
function claimedIssuer(jwt: string): string | undefined {
  try {
    return decodeJwt(jwt).iss;
  } catch {
    return undefined;
  }
}

/**
 * Verifies a CI system's JWT against the rules of its issuer.
 *
 * @param now milliseconds since 1970
 * @throws unauthenticated for anything wrong with the token, busy where the issuer's keys cannot be had
 */
export async function verifyJwt(
  jwt: string,
  rules: readonly OidcRule[],
  findKey: FindKey,
  now: number,
): Promise<VerifiedJwt> {
  const issuer = claimedIssuer(jwt);
  const ofIssuer = rules.filter((rule) => rule.issuer === issuer);
  if (issuer === undefined || ofIssuer.length === 0)
    throw unauthenticated('is from an issuer that this gokeep does not trust (access.oidc)');
  let payload: JWTPayload;
  try {
    const { alg, kid } = decodeProtectedHeader(jwt);
    if (alg === undefined || !ALGORITHMS.includes(alg))
      throw unauthenticated('is not signed in a way that is accepted');
    const jwk = await findKey(issuer, kid);
    if (jwk === undefined) throw unauthenticated('is signed with a key that its issuer does not have');
    // The key says what it is for: an algorithm of another family than its own does not verify.
    const key = await importJWK(jwk, alg);
    ({ payload } = await jwtVerify(jwt, key, {
      issuer,
      audience: [...new Set(ofIssuer.map((rule) => rule.audience))],
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_SKEW,
      currentDate: new Date(now),
      requiredClaims: ['exp', 'sub'],
    }));
  } catch (error) {
    if (error instanceof GokeepError) throw error;
    if (error instanceof errors.JWTExpired) throw unauthenticated('has expired', error);
    if (error instanceof errors.JWTClaimValidationFailed)
      throw unauthenticated(`has a claim that does not hold: ${error.claim}`, error);
    throw unauthenticated('does not verify', error);
  }
  const held = ofIssuer.filter((rule) => holds(rule, payload));
  return {
    subject: payload.sub ?? '',
    called: calledBy(payload),
    expires: ((payload.exp ?? 0) + CLOCK_SKEW) * 1000,
    grants: held.length === 0 ? undefined : together(held),
  };
}

const LONGEST_CALLED = 100;

function calledBy(payload: JWTPayload): string | undefined {
  const names = ['preferred_username', 'name', 'email'].map((claim) => payload[claim]);
  const found = names.find((name): name is string => typeof name === 'string' && name !== '');
  return found?.slice(0, LONGEST_CALLED);
}

function holds({ audience, claims }: OidcRule, payload: JWTPayload): boolean {
  const { aud } = payload;
  if (!(Array.isArray(aud) ? aud.includes(audience) : aud === audience)) return false;
  return Object.entries(claims).every(([name, wanted]) => {
    // What every object has is no scalar, so it is no claim either.
    const said = payload[name];
    const values: readonly unknown[] = Array.isArray(said) ? said : [said];
    return values.some((value) => isScalar(value) && wanted.includes(String(value)));
  });
}

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

function together(rules: readonly OidcRule[]): Grants {
  const all = (right: keyof Grants) => [...new Set(rules.flatMap((rule) => rule.grants[right]))];
  return { read: all('read'), publish: all('publish'), admin: all('admin') };
}
