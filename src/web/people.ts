import type { Principal } from '../access/principal.ts';
import type { SignInSecrets } from '../upstream/openid-provider.ts';

/** Somebody whom a provider has vouched for, with the rights that his claims gave him then. */
export interface Person {
  readonly principal: Principal;
  /** What he calls himself, for his own eyes: nothing is decided by it. */
  readonly called: string;
}

/** Signs people in at a provider. */
export interface People {
  /** What they call it. */
  readonly name: string;
  /** Throws busy. */
  begin(): Promise<{ to: string; secrets: SignInSecrets }>;
  /**
   * @param query of the address that the browser came back to
   * @throws refused, forbidden for who has no rights here, busy
   */
  finish(query: string, secrets: SignInSecrets): Promise<Person>;
}
