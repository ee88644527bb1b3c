import { matchPrefixPatterns } from '../module/pattern.ts';
import type { IdentityRule } from './identity-rule.ts';
import type { PublicKey } from './public-key.ts';

/** Who may sign the versions of some modules, and whether somebody has to. */
export interface SigningRule {
  /** GOPRIVATE patterns of module paths. */
  readonly match: readonly string[];
  /** A version without a signature is refused. */
  readonly required: boolean;
  readonly keys: readonly PublicKey[];
  readonly identities: readonly IdentityRule[];
  /** JSON of a sigstore trusted root, against which identities are verified; never fetched or renewed. */
  readonly trustedRoot: string | undefined;
}

/** Whom a signature turned out to be by. */
export type Signer =
  /** The fingerprint is base64 of the SHA-256 of the key's SubjectPublicKeyInfo, as in a bundle's hint. */
  | { readonly kind: 'key'; readonly name: string; readonly fingerprint: string }
  | { readonly kind: 'identity'; readonly issuer: string; readonly subject: string };

/** The first rule whose patterns match a module path: what stands further down does not add to it. */
export function ruleFor(rules: readonly SigningRule[], path: string): SigningRule | undefined {
  return rules.find(({ match }) => matchPrefixPatterns(match.join(','), path));
}
