import { matchPrefixPatterns } from '../module/pattern.ts';
import type { TrailEntry } from '../store/trail-entry.ts';

/** Which entries somebody wants to see; what is undefined lets through all. */
export interface TrailFilter {
  /** UTC days since 1970. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly kind?: readonly string[] | undefined;
  readonly who?: string | undefined;
  /** GOPRIVATE patterns. */
  readonly module?: readonly string[] | undefined;
}

const DAY_MS = 86_400_000;

export function filterOf({ since, until, kind, who, module }: TrailFilter): (entry: TrailEntry) => boolean {
  const globs = module?.join(',');
  return (entry) => {
    const day = Math.floor(Date.parse(entry.at) / DAY_MS);
    if (since !== undefined && day < since) return false;
    if (until !== undefined && day > until) return false;
    if (kind !== undefined && !kind.includes(entry.kind)) return false;
    if (who !== undefined && entry.who !== who) return false;
    return globs === undefined || (entry.path !== undefined && matchPrefixPatterns(globs, entry.path));
  };
}

/** A date such as 2026-11-24 in UTC days since 1970; undefined for what is none. */
export function parseDay(text: string): number | undefined {
  const time = Date.parse(`${text}T00:00:00Z`);
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text) || Number.isNaN(time)) return undefined;
  return Math.floor(time / DAY_MS);
}
