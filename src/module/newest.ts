/** Which of several versions go means by one query (cmd/go/internal/modload, queryMatcher.filterVersions). */

import { canonical, compare, major, prerelease } from './semver.ts';
import { isPseudoVersion } from './version.ts';

/** The newest of versions: any release before any pre-release, and that before any pseudo-version. */
export function newest(versions: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestRank = -1;
  for (const version of versions) {
    const ranked = rank(version);
    if (best !== undefined && (ranked - bestRank || compare(version, best)) < 0) continue;
    best = version;
    bestRank = ranked;
  }
  return best;
}

/** True for a query such as `v1` or `v1.2`, which means the newest of the versions that begin so. */
export function isPrefixQuery(query: string): boolean {
  const full = canonical(query);
  return full !== '' && full !== query && /^v\d+(?:\.\d+)?$/.test(query);
}

/** The releases and pre-releases that a prefix query may mean. */
export function matchingPrefix(versions: readonly string[], query: string): string[] {
  return versions.filter(
    (version) =>
      !isPseudoVersion(version) &&
      (query === major(query) ? major(version) === query : version.startsWith(`${query}.`)),
  );
}

function rank(version: string): number {
  if (isPseudoVersion(version)) return 0;
  return prerelease(version) === '' ? 2 : 1;
}
