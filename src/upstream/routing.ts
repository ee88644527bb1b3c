import { GokeepError } from '../errors.ts';
import { checkPatterns, matchPrefixPatterns } from '../module/pattern.ts';
import type { UpstreamChain } from './chain.ts';

/** One `[[upstream]]` entry. */
export interface Route {
  /** GOPRIVATE patterns of unescaped module paths; empty: every path of its kind. */
  readonly match: readonly string[];
  /** May private paths be sent here. What such an entry matches is private, whether `privatePaths` says so or not. */
  readonly private: boolean;
  readonly chain: UpstreamChain;
}

export interface RoutingOptions {
  /** In order of preference; private ones are looked at first wherever they stand. */
  readonly routes: readonly Route[];
  /** GOPRIVATE patterns of the paths that never leave. */
  readonly privatePaths: readonly string[];
  /** A chain of `direct` alone, for private paths that have no private entry; undefined refuses those. */
  readonly privateDirect: UpstreamChain | undefined;
}

/**
 * Which chain may be asked about a module. A private path goes to a private entry or to its own repository, and never
 * anywhere else. Paths are compared unescaped: an escaped one would not match a pattern with a capital letter.
 */
export class Routing {
  readonly #private: readonly (Route & { readonly globs: string })[];
  readonly #public: readonly (Route & { readonly globs: string })[];
  readonly #privatePaths: string;
  readonly #privateDirect: UpstreamChain | undefined;

  /** Throws bad_config for a malformed pattern. */
  constructor({ routes, privatePaths, privateDirect }: RoutingOptions) {
    checkPatterns(privatePaths);
    for (const { match } of routes) checkPatterns(match);
    const globs = routes.map((route) => ({ ...route, globs: route.match.join(',') }));
    this.#private = globs.filter((route) => route.private);
    this.#public = globs.filter((route) => !route.private);
    // A path that has a private upstream of its own is nobody else's business either.
    this.#privatePaths = [...privatePaths, ...this.#private.flatMap(({ match }) => match)].join(',');
    this.#privateDirect = privateDirect;
  }

  isPrivate(path: string): boolean {
    return matchPrefixPatterns(this.#privatePaths, path);
  }

  /**
   * The chain for an unescaped module path. `isPrivate` can make a path private, never public. Throws refused when no
   * entry may be asked.
   */
  chainFor(path: string, isPrivate = false): UpstreamChain {
    const secret = isPrivate || this.isPrivate(path);
    const own = this.#private.find(({ globs }) => (globs === '' ? secret : matchPrefixPatterns(globs, path)));
    const chain =
      own?.chain ??
      (secret
        ? this.#privateDirect
        : this.#public.find(({ globs }) => globs === '' || matchPrefixPatterns(globs, path))?.chain);
    if (chain !== undefined) return chain;
    throw new GokeepError(
      'refused',
      secret
        ? `Module ${path} is private, and no private upstream is configured for it.`
        : `No upstream is configured for module ${path}.`,
    );
  }

  /** Closes every chain. */
  async close(): Promise<void> {
    const chains = new Set([...this.#private, ...this.#public].map(({ chain }) => chain));
    if (this.#privateDirect !== undefined) chains.add(this.#privateDirect);
    await Promise.all([...chains].map((chain) => chain.close()));
  }
}
