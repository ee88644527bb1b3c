import { GokeepError } from '../errors.ts';
import { checkPatterns } from '../module/pattern.ts';
import { checkSubjectPattern, type IdentityRule } from '../signing/identity-rule.ts';
import type { SigningSettings } from './schema.ts';

/** One `[[signing]]` entry; its files are absolute and not read yet. */
export interface SigningConfig {
  readonly match: readonly string[];
  readonly required: boolean;
  readonly keys: readonly string[];
  readonly identities: readonly IdentityRule[];
  readonly trustedRoot: string | undefined;
}

/** @throws bad_config naming the key: for a rule that nobody can fulfil, or that more can than was meant */
export function signingRules(
  rows: readonly SigningSettings[],
  absolute: (file: string) => string,
): SigningConfig[] {
  return rows.map((row, at) => {
    const key = `signing[${at}]`;
    const refuse = (what: string): never => {
      throw new GokeepError('bad_config', `${key}${what}`);
    };
    const { match, keys = [], identities = [], trusted_root: trustedRoot } = row;
    if (match.length === 0) refuse('.match is empty: name the modules that the rule is for');
    checkPatterns(match);
    if (keys.length === 0 && identities.length === 0)
      refuse(' needs keys or identities: without them nobody may sign');
    if (identities.length > 0 && trustedRoot === undefined)
      refuse('.identities need a trusted_root to be verified against');
    if (identities.length === 0 && trustedRoot !== undefined)
      refuse('.trusted_root is of no use without identities');
    return {
      match,
      required: row.required ?? true,
      keys: keys.map(absolute),
      identities: identities.map((each, n) => identityRule(each, `${key}.identities[${n}]`)),
      trustedRoot: trustedRoot === undefined ? undefined : absolute(trustedRoot),
    };
  });
}

function identityRule(
  { issuer, subject, subject_pattern: subjectPattern }: NonNullable<SigningSettings['identities']>[number],
  key: string,
): IdentityRule {
  if ((subject === undefined) === (subjectPattern === undefined))
    throw new GokeepError('bad_config', `${key} needs either subject or subject_pattern`);
  if (subjectPattern !== undefined) checkSubjectPattern(subjectPattern, `${key}.subject_pattern`);
  return { issuer, subject, subjectPattern };
}
