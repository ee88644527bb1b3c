import { parseDay, type TrailFilter } from '../audit/trail-filter.ts';
import { GokeepError, hasCode } from '../errors.ts';
import { checkPatterns } from '../module/pattern.ts';
import { TRAIL_KINDS } from '../store/trail-entry.ts';
import type { Visit } from './site.ts';

/** Names of issuers may be long; nobody types more. */
const LONGEST = 1024;

/** What `gokeep audit` takes as options: `who`, `kind`, `module`, `since`, `until`. What is empty is not asked for. */
export const TRAIL_QUERY = ['who', 'kind', 'module', 'since', 'until'] as const;

/**
 * Which entries an address asks for. It is the client's.
 *
 * @throws bad_request
 */
export function trailFilter({ query }: Visit): TrailFilter {
  const given = (name: (typeof TRAIL_QUERY)[number]) =>
    (query.get(name) ?? '').trim().slice(0, LONGEST) || undefined;
  const list = (name: 'kind' | 'module') =>
    given(name)
      ?.split(/[\s,]+/)
      .filter((part) => part !== '');
  const kind = list('kind');
  const unknown = kind?.find((each) => !(TRAIL_KINDS as readonly string[]).includes(each));
  if (unknown !== undefined)
    throw new GokeepError(
      'bad_request',
      `there is no kind ${JSON.stringify(unknown)}; there are ${TRAIL_KINDS.join(', ')}`,
    );
  const module = list('module');
  checkModules(module ?? []);
  return { who: given('who'), kind, module, since: dayOf(given('since')), until: dayOf(given('until')) };
}

function dayOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const day = parseDay(text);
  if (day === undefined)
    throw new GokeepError('bad_request', `${JSON.stringify(text)} is no date such as 2026-11-24`);
  return day;
}

function checkModules(patterns: readonly string[]): void {
  try {
    checkPatterns(patterns);
  } catch (error) {
    if (!hasCode(error, 'bad_config')) throw error;
    throw new GokeepError('bad_request', error.message, { cause: error });
  }
}

/** Below which entry a page of the trail begins; undefined: at the newest. */
export function belowOf({ query }: Visit): number | undefined {
  const asked = query.get('after');
  if (asked === null || asked === '') return undefined;
  const n = Number(asked);
  if (!/^[0-9]{1,15}$/.test(asked) || n < 1)
    throw new GokeepError('bad_request', 'after is the number of an entry');
  return n;
}
