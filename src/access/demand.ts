import { GokeepError } from '../errors.ts';
import { ANONYMOUS, type Principal, type Right } from './principal.ts';

/**
 * Somebody of whom we know nothing, and why: no credentials came, or some that are worth nothing. Carried along instead of
 * thrown, since much needs no credentials, and bad ones do not spoil that.
 */
export class Unidentified implements Principal {
  readonly name = ANONYMOUS;
  readonly id = ANONYMOUS;
  readonly #problem: () => GokeepError;
  readonly #mayRead: (modulePath: string) => boolean;

  /**
   * @param problem makes the error that says why: unauthenticated, or busy where nobody can tell at the moment
   * @param mayRead what is read without credentials
   */
  constructor(problem: () => GokeepError, mayRead: (modulePath: string) => boolean) {
    this.#problem = problem;
    this.#mayRead = mayRead;
  }

  may(right: Right, modulePath: string): boolean {
    return right === 'read' && this.#mayRead(modulePath);
  }

  mayAll(): boolean {
    return false;
  }

  maySome(right: Right): boolean {
    return right === 'read';
  }

  problem(): GokeepError {
    return this.#problem();
  }
}

const WITHOUT_RIGHT: Readonly<Record<Right, string>> = {
  read: 'your credentials give no right to read modules of this path, whether there are any or not',
  publish: 'your credentials give no right to publish modules of this path, whether there are any or not',
  admin: 'your credentials give no right to administer this',
};

/** One text for each right, which names nothing: what exists and what does not have to look the same, to the byte. */
function refusal(principal: Principal, right: Right): GokeepError {
  if (principal instanceof Unidentified) return principal.problem();
  return new GokeepError(
    'forbidden',
    `${WITHOUT_RIGHT[right]}; ask the operator of this gokeep for a token that has it`,
    { detail: `${principal.name} has no right to ${right}` },
  );
}

/**
 * Lets through who may do this with modules of this path; has to be called before anything is looked up.
 *
 * @throws unauthenticated (401) without usable credentials, busy (503) where they cannot be checked now, forbidden (403)
 */
export function demand(principal: Principal, right: Right, modulePath: string): void {
  if (!principal.may(right, modulePath)) throw refusal(principal, right);
}

/** As {@link demand}, before it is known which module it is about: refuses, in the same words, who may do it with none. */
export function demandSome(principal: Principal, right: Right): void {
  if (!principal.maySome(right)) throw refusal(principal, right);
}

/** As {@link demand}, for what is about every module there is. */
export function demandAll(principal: Principal, right: Right): void {
  if (!principal.mayAll(right)) throw refusal(principal, right);
}
