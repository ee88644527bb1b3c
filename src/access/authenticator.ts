import { GokeepError, hasCode } from '../errors.ts';
import type { StoredToken } from '../store/token-table.ts';
import { type CertificateRule, certificateGrants, certificateSubject } from './certificate.ts';
import { looksLikeJwt, parseAuthorization } from './credentials.ts';
import { Unidentified } from './demand.ts';
import type { KnownTokens } from './known-tokens.ts';
import { type FindKey, type OidcRule, verifyJwt } from './oidc.ts';
import { Granted, type Principal } from './principal.ts';
import { isToken, tokenDigest } from './token.ts';

/** Who reads modules that are not private: anybody, whoever is known, or only who has a pattern that matches. */
export type PublicReads = 'anonymous' | 'authenticated' | 'granted';

/** What is told of each day on which a token is used (proxy/token-uses.ts). */
export interface UseNotes {
  /** UTC days since 1970. */
  readonly today: number;
  /** @param token its id */
  note(token: string): void;
}

export interface AuthenticatorOptions {
  readonly tokens: KnownTokens;
  readonly uses: UseNotes;
  readonly oidc: readonly OidcRule[];
  readonly findKey: FindKey;
  readonly certificates: readonly CertificateRule[];
  readonly publicReads: PublicReads;
  /** Of an unescaped module path. */
  readonly isPrivate: (modulePath: string) => boolean;
  readonly now: () => number;
}

/** Headers remembered: far more than there are clients. Only good ones are, so nobody can push others out by guessing. */
const MOST_HEADERS = 10_000;
/** A JWT is verified again after this long, in milliseconds: its issuer may have withdrawn the key. */
const JWT_KEPT_MS = 5 * 60_000;
/** A day before all others. */
const NEVER = -1;

const HOW =
  'put a token into your netrc file (machine <this host> login token password <token>), or have GOAUTH run `gokeep goauth`; the operator makes tokens with `gokeep token create`, and go sends them over https only';

interface Remembered {
  readonly principal: Principal;
  /** Milliseconds since 1970; Infinity where it never ends. */
  readonly until: number;
  /** A token, rather than a JWT. */
  readonly isToken: boolean;
  /** The last day on which that was told. */
  usedOn: number;
}

/** Says who sends a request, from its Authorization header or else its client certificate. */
export class Authenticator {
  readonly #o: AuthenticatorOptions;
  readonly #remembered = new Map<string, Remembered>();
  readonly #readsUnknown: (modulePath: string) => boolean;
  readonly #readsKnown: (modulePath: string) => boolean;
  /** Without any credentials. */
  readonly anonymous: Principal;

  constructor(options: AuthenticatorOptions) {
    this.#o = options;
    const { publicReads, isPrivate } = options;
    const isPublic = (modulePath: string) => !isPrivate(modulePath);
    this.#readsUnknown = publicReads === 'anonymous' ? isPublic : () => false;
    this.#readsKnown = publicReads === 'granted' ? () => false : isPublic;
    this.anonymous = this.#unknown(() => unauthenticated(`this needs credentials: ${HOW}`));
  }

  /** Who sends this header, if that was found out before and still holds. Neither hashes nor waits. */
  remembered(authorization: string): Principal | undefined {
    const found = this.#remembered.get(authorization);
    if (found === undefined) return undefined;
    if (found.until === Number.POSITIVE_INFINITY || this.#o.now() < found.until) {
      if (found.usedOn !== this.#o.uses.today) this.#use(found);
      return found.principal;
    }
    this.#remembered.delete(authorization);
    return undefined;
  }

  /** Forgets what it concluded: tokens have changed. */
  forget(): void {
    this.#remembered.clear();
  }

  /**
   * Never rejects: what is wrong with credentials is told once something is asked for that needs them.
   *
   * @param authorization the header, attacker-controlled
   * @param subject of the client certificate, one that our authority has signed, as node's X509Certificate gives it
   */
  async identify(authorization: string | undefined, subject: string | undefined): Promise<Principal> {
    const credentials = parseAuthorization(authorization);
    if (credentials === 'none') return this.#ofCertificate(subject);
    if (credentials === 'malformed' || authorization === undefined)
      return this.#unknown(() => unauthenticated(`the Authorization header cannot be read: ${HOW}`));
    try {
      const found = await this.#ofSecret(credentials.secret);
      this.#remember(authorization, found);
      this.#use(found);
      return found.principal;
    } catch (error) {
      return this.#unknown(() => again(error));
    }
  }

  /**
   * Whoever an ID token is about, with the rights that its claims give by the rules of its issuer and of this audience.
   *
   * @param provider what people call it
   * @throws forbidden without any, refused for what does not verify, busy where the issuer's keys cannot be had
   */
  async person(
    idToken: string,
    audience: string,
    provider: string,
  ): Promise<{ principal: Principal; called: string }> {
    const { oidc, findKey, now } = this.#o;
    const rules = oidc.filter((rule) => rule.audience === audience);
    const { subject, called, grants } = await verifyJwt(idToken, rules, findKey, now()).catch(
      (error: unknown) => {
        if (!hasCode(error, 'unauthenticated')) throw error;
        throw new GokeepError(
          'refused',
          `what ${provider} says of you cannot be believed; tell the operator of this gokeep`,
          {
            cause: error,
          },
        );
      },
    );
    if (grants === undefined)
      throw new GokeepError(
        'forbidden',
        `${provider} knows you, and nothing here is for you; ask the operator of this gokeep for rights`,
        { detail: `the claims of oidc:${subject} fit no rule (access.oidc)` },
      );
    return { principal: new Granted(`oidc:${subject}`, grants, this.#readsKnown), called: called ?? subject };
  }

  #ofCertificate(subject: string | undefined): Principal {
    if (subject === undefined) return this.anonymous;
    const grants = certificateGrants(subject, this.#o.certificates);
    if (grants === undefined)
      return this.#unknown(() =>
        unauthenticated(
          'no rights are configured for the subject of your client certificate (access.certificate)',
        ),
      );
    return new Granted(
      `certificate:${certificateSubject(subject).replaceAll('\n', ',')}`,
      grants,
      this.#readsKnown,
    );
  }

  async #ofSecret(secret: string): Promise<Remembered> {
    if (secret.startsWith('gokeep_')) return this.#ofToken(secret);
    const { oidc, findKey, now } = this.#o;
    if (!looksLikeJwt(secret) || oidc.length === 0)
      throw unauthenticated(`the password sent is no token of this gokeep: ${HOW}`);
    const { subject, expires, grants } = await verifyJwt(secret, oidc, findKey, now());
    // Whoever has an account there can have a JWT of a public issuer: without a rule that holds, he is nobody.
    if (grants === undefined)
      throw unauthenticated(
        'the claims of the JWT sent as credentials fit no rule of this gokeep (access.oidc)',
      );
    const principal = new Granted(`oidc:${subject}`, grants, this.#readsKnown);
    return { principal, until: Math.min(expires, now() + JWT_KEPT_MS), isToken: false, usedOn: NEVER };
  }

  #ofToken(secret: string): Remembered {
    const { tokens, now } = this.#o;
    if (!isToken(secret)) throw unauthenticated('the token sent is mistyped or cut short');
    // Created a moment ago, or revoked: who is not remembered is worth a look.
    tokens.look();
    const token = tokens.find(tokenDigest(secret));
    if (token === undefined) throw unauthenticated(`the token sent is not known here: ${HOW}`);
    checkUsable(token, now());
    const { id, name, read, publish, admin, expires } = token;
    return {
      principal: new Granted(`token:${name}`, { read, publish, admin }, this.#readsKnown, id),
      until: expires ?? Number.POSITIVE_INFINITY,
      isToken: true,
      usedOn: NEVER,
    };
  }

  #use(found: Remembered): void {
    found.usedOn = this.#o.uses.today;
    if (found.isToken) this.#o.uses.note(found.principal.id);
  }

  #unknown(problem: () => GokeepError): Unidentified {
    return new Unidentified(problem, this.#readsUnknown);
  }

  #remember(authorization: string, found: Remembered): void {
    if (this.#remembered.size >= MOST_HEADERS) {
      const oldest = this.#remembered.keys().next();
      if (oldest.done !== true) this.#remembered.delete(oldest.value);
    }
    this.#remembered.set(authorization, found);
  }
}

function checkUsable({ id, revoked, expires }: StoredToken, now: number): void {
  if (revoked !== undefined)
    throw unauthenticated(
      `the token sent (${id}) has been revoked; ask the operator of this gokeep for another`,
    );
  if (expires !== undefined && now >= expires)
    throw unauthenticated(`the token sent (${id}) has expired; ask the operator of this gokeep for another`);
}

function unauthenticated(message: string): GokeepError {
  return new GokeepError('unauthenticated', message);
}

/** An error of its own for each who is told. */
function again(error: unknown): GokeepError {
  if (!(error instanceof GokeepError))
    return new GokeepError('storage_failed', 'the credentials cannot be checked now; try again', {
      cause: error,
    });
  return new GokeepError(error.code, error.message, { cause: error.cause });
}
