import type { JWK } from 'jose';
import { GokeepError } from '../errors.ts';

/** The key set that an issuer publishes now, unchecked. Throws where it cannot be had. */
export type FetchKeySet = () => Promise<unknown>;

/** Keys are asked for anew after this long, in milliseconds, so that one that was withdrawn is forgotten. */
const FRESH_MS = 15 * 60_000;
/** While the issuer cannot be reached, its keys are believed so long. */
const BELIEVED_MS = 24 * 3_600_000;
/** Clients can name any key: the issuer is not asked more often than this. */
const APART_MS = 10_000;
/** After it could not be reached, it may be back sooner. */
const APART_FAILED_MS = 2_000;
/** More keys than any issuer has. */
const MOST_KEYS = 100;

/** The public keys of one issuer, kept. */
export class IssuerKeys {
  readonly #issuer: string;
  readonly #fetch: FetchKeySet;
  readonly #now: () => number;
  #keys: readonly JWK[] | undefined;
  #fetchedAt = 0;
  #triedAt: number | undefined;
  #failed: unknown;
  #fetching: Promise<void> | undefined;

  constructor(issuer: string, fetch: FetchKeySet, now: () => number) {
    this.#issuer = issuer;
    this.#fetch = fetch;
    this.#now = now;
  }

  /**
   * The key with this id, or where the token names none, the only one there is. One that is not known is looked for at the
   * issuer.
   *
   * @throws busy where the issuer cannot be asked, and what is known of it does not answer the question
   */
  async find(kid: string | undefined): Promise<JWK | undefined> {
    if (this.#age() > FRESH_MS) await this.#refresh();
    const known = this.#age() <= BELIEVED_MS ? this.#pick(kid) : undefined;
    if (known !== undefined) return known;
    await this.#refresh();
    if (this.#failed === undefined) return this.#pick(kid);
    throw new GokeepError(
      'busy',
      `the credentials cannot be checked now, since their issuer ${this.#issuer} does not answer; try again`,
      { cause: this.#failed },
    );
  }

  #age(): number {
    return this.#keys === undefined ? Number.POSITIVE_INFINITY : Math.abs(this.#now() - this.#fetchedAt);
  }

  #pick(kid: string | undefined): JWK | undefined {
    const keys = this.#keys ?? [];
    return kid === undefined
      ? keys.length === 1
        ? keys[0]
        : undefined
      : keys.find((key) => key.kid === kid);
  }

  #refresh(): Promise<void> {
    const apart = this.#failed === undefined ? APART_MS : APART_FAILED_MS;
    if (this.#triedAt !== undefined && Math.abs(this.#now() - this.#triedAt) < apart)
      return this.#fetching ?? Promise.resolve();
    this.#fetching ??= this.#fetchOnce().finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  async #fetchOnce(): Promise<void> {
    this.#triedAt = this.#now();
    try {
      this.#keys = signingKeys(await this.#fetch());
      this.#fetchedAt = this.#now();
      this.#failed = undefined;
    } catch (error) {
      this.#failed = error ?? new Error('no reason');
    }
  }
}

/** The keys of a JSON Web Key Set (RFC 7517) that verify signatures. Throws for what is no such set. */
export function signingKeys(set: unknown): JWK[] {
  const keys = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined;
  if (!Array.isArray(keys)) throw new GokeepError('upstream_failed', 'that is no JSON Web Key Set');
  return keys
    .filter((key): key is JWK => typeof key === 'object' && key !== null && 'kty' in key)
    .filter((key) => key.kty !== 'oct' && (key.use === undefined || key.use === 'sig'))
    .slice(0, MOST_KEYS);
}
