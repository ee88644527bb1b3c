import { randomBytes } from 'node:crypto';
import { Authenticator, type AuthenticatorOptions } from '../../src/access/authenticator.ts';
import { KnownTokens } from '../../src/access/known-tokens.ts';
import { newToken, TOKEN_ENTROPY, tokenDigest } from '../../src/access/token.ts';
import type { StoredToken } from '../../src/store/token-table.ts';

/** An authenticator whose tokens are in memory. */
export class MadeAccess {
  readonly authenticator: Authenticator;
  readonly tokens: KnownTokens;
  #stored: StoredToken[] = [];
  #version = 0;

  constructor(options: Partial<AuthenticatorOptions> = {}) {
    const source = { version: () => this.#version, all: () => this.#stored };
    this.tokens = new KnownTokens(source, () => this.authenticator.forget());
    this.authenticator = new Authenticator({
      tokens: this.tokens,
      uses: { today: 0, note: () => undefined },
      oidc: [],
      findKey: async () => undefined,
      certificates: [],
      publicReads: 'authenticated',
      isPrivate: (modulePath) => modulePath.startsWith('private.test/'),
      now: Date.now,
      ...options,
    });
  }

  /** Makes a token. */
  add(name: string, more: Partial<StoredToken> = {}): string {
    const token = newToken(randomBytes(TOKEN_ENTROPY))!;
    const given = { read: [], publish: [], admin: [], created: 0, expires: undefined, revoked: undefined };
    this.#stored.push({ id: name, digest: tokenDigest(token), name, ...given, ...more });
    this.#version++;
    return token;
  }

  /** As another process does: noticed at the next look. */
  revoke(name: string): void {
    this.#stored = this.#stored.map((token) => (token.name === name ? { ...token, revoked: 1 } : token));
    this.#version++;
  }
}
