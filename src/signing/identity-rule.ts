import { GokeepError } from '../errors.ts';
import { quote } from '../module/quote.ts';
import type { Signer } from './rule.ts';

/** One or many subjects that an issuer vouches for. Exactly one of `subject` and `subjectPattern` is there. */
export interface IdentityRule {
  /** The OpenID issuer, compared whole. */
  readonly issuer: string;
  /** The subject of the certificate (an address or a URL), compared whole. */
  readonly subject: string | undefined;
  /** A regular expression for it, as checkSubjectPattern accepts it. */
  readonly subjectPattern: string | undefined;
}

/** True when a certificate's issuer and subject are what the rule says. */
export function isIdentity(
  rule: IdentityRule,
  { issuer, subject }: Pick<Extract<Signer, { kind: 'identity' }>, 'issuer' | 'subject'>,
): boolean {
  if (issuer !== rule.issuer) return false;
  if (rule.subject !== undefined) return subject === rule.subject;
  // Without the m flag ^ and $ are the ends of the subject; a line break is part of no honest one.
  return (
    rule.subjectPattern !== undefined &&
    !/[\r\n]/.test(subject) &&
    new RegExp(rule.subjectPattern, 'u').test(subject)
  );
}

/** A whole host, with its dots escaped, and a whole first element of the path: on a shared host it says whose this is. */
const FIXED_URL = /^\^https:\/\/(?:[a-z0-9-]|\\\.)+(?::[0-9]+)?\/(?:[A-Za-z0-9_~-]|\\\.)+(?:\/(?![?*{])|\$$)/;
/** A whole host after an @, at the end. */
const FIXED_DOMAIN = /@(?:[a-z0-9-]+\\\.)+[a-z0-9-]+\$$/;

/**
 * Refuses an expression that could match more than was meant: it has to be anchored at both ends, without alternatives
 * beside each other at the top, and to fix the whole host: as `^https://host\.example/group/…$`, or as `^…@host\.example$`.
 *
 * @param key the setting, for the sentence
 * @throws bad_config
 */
export function checkSubjectPattern(pattern: string, key: string): void {
  const refuse = (why: string): never => {
    throw new GokeepError('bad_config', `${key}: ${quote(pattern)} ${why}`);
  };
  try {
    void new RegExp(pattern, 'u');
  } catch (cause) {
    throw new GokeepError('bad_config', `${key}: ${quote(pattern)} is no regular expression`, { cause });
  }
  if (!pattern.startsWith('^') || !/(?<!\\)(?:\\\\)*\$$/.test(pattern))
    refuse('would match in the middle of a subject: begin it with ^ and end it with $, or use subject');
  if (hasTopAlternative(pattern)) refuse('has alternatives that ^ and $ do not hold: put them into (?:…)');
  if (FIXED_URL.test(pattern.replaceAll('\\/', '/'))) return;
  if (!FIXED_DOMAIN.test(pattern))
    refuse(
      'leaves open whose it is: begin it with ^https://host\\.example/group/, or end it with @host\\.example$, with \\. for each dot',
    );
  // Whatever comes before the domain must not be able to hold another @, or a URL that ends in one.
  if (!/^\^(?:[A-Za-z0-9_+-]|\\\.|\[\^@(?:\/|\\\/)?\][+*]|\[[A-Za-z0-9_.+-]+\][+*]?)+@/.test(pattern))
    refuse('is not plain before the @: use letters, [a-z.]+ or [^@]+');
}

function hasTopAlternative(pattern: string): boolean {
  let depth = 0;
  let inClass = false;
  for (let at = 0; at < pattern.length; at++) {
    const c = pattern[at];
    if (c === '\\') at++;
    else if (inClass) inClass = c !== ']';
    else if (c === '[') inClass = true;
    else if (c === '(') depth++;
    else if (c === ')') depth--;
    else if (c === '|' && depth === 0) return true;
  }
  return false;
}
