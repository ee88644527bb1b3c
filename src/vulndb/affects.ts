import { compare, isValid } from '../module/semver.ts';

/** Which versions a vulnerability affects, as govulncheck decides it (golang.org/x/vuln, internal/semver). */

export interface Event {
  /** `0` for the beginning of time. */
  readonly introduced?: string;
  readonly fixed?: string;
}

export interface Range {
  readonly type: string;
  /** In the order of {@link sortedEvents}: it is asked of each version of a module. */
  readonly events: readonly Event[];
}

/** Without ranges of semantic versions all versions are affected. */
export function affects(ranges: readonly Range[], version: string): boolean {
  const semver = ranges.filter(({ type }) => type === 'SEMVER');
  return semver.length === 0 || semver.some(({ events }) => contains(events, version));
}

function contains(events: readonly Event[], version: string): boolean {
  if (events.length === 0) return true;
  const v = prefixed(version);
  let affected = false;
  for (const { introduced, fixed } of events) {
    if (!affected && has(introduced)) affected = introduced === '0' || compare(v, prefixed(introduced)) >= 0;
    else if (affected && has(fixed)) affected = compare(v, prefixed(fixed)) < 0;
  }
  return affected;
}

const has = (version: string | undefined): version is string => version !== undefined && version !== '';

/** The beginning of time first, then by version. */
export function sortedEvents(events: readonly Event[]): Event[] {
  const at = ({ introduced, fixed }: Event) => prefixed(has(fixed) ? fixed : (introduced ?? ''));
  const isStart = (event: Event) => event.introduced === '0';
  return [...events].sort((a, b) => Number(isStart(b)) - Number(isStart(a)) || compare(at(a), at(b)));
}

/** The database writes versions without a `v`. */
export function prefixed(version: string): string {
  const bare = version.replace(/^v/, '').replace(/^go/, '');
  return bare.startsWith('v') || bare.startsWith('go') ? bare : `v${bare}`;
}

/** The first version after this one in which it is fixed; undefined where there is none. */
export function fixedAfter(ranges: readonly Range[], version: string): string | undefined {
  return ranges
    .filter(({ type }) => type === 'SEMVER')
    .flatMap(({ events }) => events.flatMap(({ fixed }) => (has(fixed) ? [prefixed(fixed)] : [])))
    .filter((fixed) => isValid(fixed) && compare(fixed, version) > 0)
    .sort(compare)[0];
}
