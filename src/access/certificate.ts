import type { Grants } from './principal.ts';

/** What the bearer of a client certificate with this subject may do. */
export interface CertificateRule {
  /** Attributes as they are configured: `CN=ci,O=Corp`, in any order, all of them. */
  readonly subject: string;
  readonly grants: Grants;
}

/**
 * A subject in one spelling, from a configured one: attributes separated by commas, a comma in a value as `\,`. Undefined
 * when it is none.
 */
export function configuredSubject(text: string): string | undefined {
  const parts = text.split(/(?<!\\),/).map((part) => part.trim().replaceAll('\\,', ','));
  return parts.every((part) => /^[A-Za-z0-9.]+=./.test(part)) ? parts.toSorted().join('\n') : undefined;
}

/** The same from what node's X509Certificate says of a certificate's subject: a line each. */
export function certificateSubject(subject: string): string {
  return subject
    .split('\n')
    .map((line) => line.replaceAll('\\,', ','))
    .toSorted()
    .join('\n');
}

/**
 * The rights of a certificate that our authority vouches for; undefined where no rule has exactly its subject. Part of a
 * subject is not enough: an authority may give the same CN to others of another O.
 */
export function certificateGrants(subject: string, rules: readonly CertificateRule[]): Grants | undefined {
  const asked = certificateSubject(subject);
  return rules.find((rule) => configuredSubject(rule.subject) === asked)?.grants;
}
