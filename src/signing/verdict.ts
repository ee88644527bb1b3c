import { isIdentity } from './identity-rule.ts';
import type { Signer, SigningRule } from './rule.ts';
import type { VerifiedSignature } from './verify-signature.ts';

/** What a signature was found to be when it came. */
export interface Verdict extends Omit<VerifiedSignature, 'id' | 'bundle' | 'signer'> {
  readonly signer: Signer | UnknownSigner;
}

/**
 * Nobody whom a rule of this site names: the signature came in a bundle, is kept for those who know its signer, and counts
 * for nothing here.
 */
export interface UnknownSigner {
  readonly kind: 'unknown';
  /** The key that it says it is by, as its fingerprint; undefined where it names none. */
  readonly key: string | undefined;
  /** Why it could not be verified: a sentence. */
  readonly why: string;
}

/** @param text as formatVerdict made it; it comes from our own database */
export function parseVerdict(text: string): Verdict {
  return JSON.parse(text) as Verdict;
}

export function formatVerdict({ kind, signer, predicateType, sha256 }: Verdict): string {
  return JSON.stringify({ kind, signer, predicateType, sha256 });
}

/** Whether a rule trusts a signer, who was verified before. */
export function isTrusted(rule: SigningRule | undefined, signer: Verdict['signer']): boolean {
  if (rule === undefined || signer.kind === 'unknown') return false;
  return signer.kind === 'key'
    ? rule.keys.some(({ fingerprint }) => fingerprint === signer.fingerprint)
    : rule.identities.some((each) => isIdentity(each, signer));
}

/** Whether a rule could find a signature good that nobody vouched for when it came. */
export function isWorthAnotherLook(rule: SigningRule | undefined, signer: Verdict['signer']): boolean {
  if (rule === undefined || signer.kind !== 'unknown') return false;
  return signer.key === undefined || rule.keys.some(({ fingerprint }) => fingerprint === signer.key);
}
