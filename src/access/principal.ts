import { matchPrefixPatterns } from '../module/pattern.ts';

/** What somebody may do with the modules of a path. None includes another: a right is what it says. */
export type Right = 'read' | 'publish' | 'admin';

export const RIGHTS: readonly Right[] = ['read', 'publish', 'admin'];

/** Who asks. */
export interface Principal {
  /**
   * For logs and audits: `token:ci`, `oidc:<subject>`, `certificate:<subject>`, or `anonymous`. The middle two hold what an
   * issuer or authority wrote, so escape it where it is shown.
   */
  readonly name: string;
  /** Of a token its id, since its name may be another's later; of anybody else the name. */
  readonly id: string;
  /** Decided by the unescaped path alone, whatever exists. */
  may(right: Right, modulePath: string): boolean;
  /** True where `may` holds for every path there can be. */
  mayAll(right: Right): boolean;
  /** False where `may` holds for no path at all. */
  maySome(right: Right): boolean;
}

/** GOPRIVATE patterns of module paths, by right. */
export type Grants = Readonly<Record<Right, readonly string[]>>;

export const NO_GRANTS: Grants = { read: [], publish: [], admin: [] };

export const ANONYMOUS = 'anonymous';

/** The pattern that matches every module path. */
export const EVERY_PATH = '*';

/** Everybody, where access is not required. */
export const EVERYBODY: Principal = {
  name: ANONYMOUS,
  id: ANONYMOUS,
  may: () => true,
  mayAll: () => true,
  maySome: () => true,
};

/**
 * Somebody known.
 *
 * @param readsAnyway paths that are read without a pattern for them: public modules, as configured
 * @param id of a token
 */
export class Granted implements Principal {
  readonly name: string;
  readonly id: string;
  readonly #globs: Readonly<Record<Right, string>>;
  readonly #all: Readonly<Record<Right, boolean>>;
  readonly #readsAnyway: (modulePath: string) => boolean;

  constructor(name: string, grants: Grants, readsAnyway: (modulePath: string) => boolean, id = name) {
    this.name = name;
    this.id = id;
    this.#globs = {
      read: grants.read.join(','),
      publish: grants.publish.join(','),
      admin: grants.admin.join(','),
    };
    this.#all = {
      read: grants.read.includes(EVERY_PATH),
      publish: grants.publish.includes(EVERY_PATH),
      admin: grants.admin.includes(EVERY_PATH),
    };
    this.#readsAnyway = readsAnyway;
  }

  may(right: Right, modulePath: string): boolean {
    if (this.#all[right] || (right === 'read' && this.#readsAnyway(modulePath))) return true;
    return matchPrefixPatterns(this.#globs[right], modulePath);
  }

  mayAll(right: Right): boolean {
    return this.#all[right];
  }

  maySome(right: Right): boolean {
    return right === 'read' || this.#globs[right] !== '';
  }
}
