import type { Principal } from '../access/principal.ts';

/** What an answer tells of, and so what its reader has to be allowed to read: modules of a path, all there are, or none. */
export type Reads = { readonly path: string } | 'everything' | 'nothing';

/** Whether this answer may be given to somebody. */
export function mayRead(principal: Principal, reads: Reads): boolean {
  if (reads === 'nothing') return true;
  return reads === 'everything' ? principal.mayAll('read') : principal.may('read', reads.path);
}
