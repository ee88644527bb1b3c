import { GokeepError, hasCode } from '../errors.ts';
import type { DatabaseFetch } from './database-memory.ts';

/**
 * Fetching for what a database must have: its newest head, and the tiles of a tree that it has signed.
 *
 * Its 404 and 410 are then failures. Passed on as they are, they would say of a module whose proof was being fetched
 * that the module does not exist, and clients would go past us.
 */
export function requiredFetch(fetch: DatabaseFetch): DatabaseFetch {
  return async (path, signal, maxBytes) => {
    try {
      return await fetch(path, signal, maxBytes);
    } catch (error) {
      if (!hasCode(error, 'not_found', 'gone')) throw error;
      throw new GokeepError('upstream_failed', 'the checksum database does not have a part of its own log', {
        cause: error,
        detail: path,
      });
    }
  };
}
