import { GokeepError } from '../errors.ts';
import { wholeNumber } from './rows.ts';
import type { Site, Visit } from './site.ts';

/** `requests/<id>`: the log lines of one trace. Whoever knows the number has made it, or was told it: it is the right to read them. */
export function requestsOf({ exchange }: Site, { query }: Visit, id: string, limit: number) {
  const all = exchange.traces.of(id);
  if (all.length === 0)
    throw new GokeepError('not_found', 'no request of that number is remembered: they are for minutes only');
  const from = wholeNumber(query.get('from'));
  const requests = all.slice(from, from + limit);
  return { requests, next: from + limit < all.length ? from + limit : undefined };
}
