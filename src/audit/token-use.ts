import type { StoredToken } from '../store/token-table.ts';
import type { TokenUses } from '../store/token-use-table.ts';
import { isoDay } from './bill.ts';

const DAY_MS = 86_400_000;

/** Days in UTC; null: on none since that other day, and where that is null too, nobody knows. */
export function useOf({ id, created }: StoredToken, uses: TokenUses | undefined) {
  if (uses === undefined) return { lastUsed: null, usesNotedSince: null };
  const last = uses.days.get(id);
  const since = Math.floor(Math.max(uses.since, created) / DAY_MS);
  return { lastUsed: last === undefined ? null : isoDay(last), usesNotedSince: isoDay(since) };
}
