import { GokeepError } from '../errors.ts';
import { wholeNumber } from './rows.ts';
import type { Visit } from './site.ts';

const LIMIT = 50;
const MOST = 200;

/** How many of a list are asked for. Throws bad_request. */
export function limitOf({ query }: Visit): number {
  const asked = query.get('limit');
  if (asked === null) return LIMIT;
  const limit = wholeNumber(asked);
  if (limit < 1 || limit > MOST) throw new GokeepError('bad_request', `limit is a number from 1 to ${MOST}`);
  return limit;
}
