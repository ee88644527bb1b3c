import type { StoredToken } from '../store/token-table.ts';

/** Where tokens are read from (store/token-table.ts). */
export interface TokenSource {
  version(): number;
  all(): readonly StoredToken[];
}

/** How often a running server looks for changes: a token is refused that long after its revocation, at the latest. */
export const LOOK_MS = 500;

/**
 * The tokens as they are now, in memory by digest. Another process changes them: `look` finds out, and is cheap where
 * nothing has changed.
 */
export class KnownTokens {
  readonly #source: TokenSource;
  readonly #onChange: () => void;
  readonly #byDigest = new Map<string, StoredToken>();
  #version: number | undefined;

  /** @param onChange what was concluded from a token may be wrong now */
  constructor(source: TokenSource, onChange: () => void) {
    this.#source = source;
    this.#onChange = onChange;
  }

  /** Takes in what has changed. While it throws, no token is known: nobody can tell which were revoked. */
  look(): void {
    try {
      const version = this.#source.version();
      if (version === this.#version) return;
      const tokens = this.#source.all();
      this.#byDigest.clear();
      for (const token of tokens) this.#byDigest.set(token.digest, token);
      this.#version = version;
      this.#onChange();
    } catch (error) {
      if (this.#version !== undefined) this.#onChange();
      this.#version = undefined;
      this.#byDigest.clear();
      throw error;
    }
  }

  /** Revoked and expired ones too. */
  find(digest: string): StoredToken | undefined {
    return this.#byDigest.get(digest);
  }

  get size(): number {
    return this.#byDigest.size;
  }
}
