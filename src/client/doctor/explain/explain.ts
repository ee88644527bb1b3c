import type { KnownError } from './known.ts';
import { MODULES } from './module-errors.ts';
import { NETWORK } from './network-errors.ts';
import { VERIFICATION } from './verification-errors.ts';

/** In the order in which they are told: what is dangerous, then what is closest to the cause. */
export const KNOWN_ERRORS: readonly KnownError[] = [...VERIFICATION, ...NETWORK, ...MODULES];

/** A log of a whole build may be pasted; what go says at its end is what counts. */
const MOST = 100_000;
const MOST_EXPLAINED = 3;

/** What is known of the errors in a text that `go` printed, the most telling first; none where nothing is. */
export function explain(text: string): readonly KnownError[] {
  const flat = text.slice(-MOST).replaceAll(/\s+/g, ' ');
  return KNOWN_ERRORS.filter(({ pattern }) => pattern.test(flat)).slice(0, MOST_EXPLAINED);
}
