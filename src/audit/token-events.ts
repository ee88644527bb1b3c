import { NEVER } from '../access/new-token.ts';
import type { StoredToken } from '../store/token-table.ts';
import { isoSecond } from './bill.ts';

/** What the audit trail says of a new token. */
export function tokenMade({ id, name, read, publish, admin, expires }: StoredToken) {
  const until = expires === undefined ? NEVER : isoSecond(expires);
  return {
    kind: 'token',
    facts: { token: 'created', id, name, read, publish, admin, expires: until },
  } as const;
}

/** What it says of one that is revoked, or that a command takes back. */
export function tokenEnded(how: 'revoked' | 'removed', { id, name }: Pick<StoredToken, 'id' | 'name'>) {
  return { kind: 'token', facts: { token: how, id, name } } as const;
}
