import type { HeadOnRecord } from '../audit/heads-on-record.ts';
import type { ShownEntry } from '../audit/trail-pages.ts';
import { GokeepError } from '../errors.ts';
import { demandAdministrator } from './administration.ts';
import type { Site, Visit } from './site.ts';
import { belowOf, trailFilter } from './trail-query.ts';

/** `GET /api/v1/audit`: entries, newest first, and how far the log has recorded the chain. */
export async function listEntries(site: Site, visit: Visit, limit: number) {
  const { trail, heads } = demandAdministrator(site, visit);
  const { entries, next } = await trail.page(trailFilter(visit), belowOf(visit), limit);
  const { n, hash } = trail.head();
  return {
    last: n,
    hash: hash.toString('base64'),
    recorded: onRecord(heads?.newest()),
    entries: entries.map(shown),
    next,
  };
}

/** `GET /api/v1/audit/<number>`: an entry, the bytes that are hashed, and the record that covers it. */
export function oneEntry(site: Site, visit: Visit, rest: string) {
  const { trail, heads } = demandAdministrator(site, visit);
  const n = /^[1-9][0-9]{0,14}$/.test(rest) ? Number(rest) : 0;
  const found = trail.entry(n);
  if (found === undefined) throw new GokeepError('not_found', 'the audit trail has no entry of this number');
  const { text, before, isChained } = found;
  return {
    ...shown(found),
    text,
    before: before?.toString('base64'),
    chained: isChained,
    recorded: onRecord(heads?.covering(n)),
  };
}

/** Without an entry: what is stored is none any more. */
const shown = ({ n, entry, hash }: ShownEntry) => ({ n, hash: hash.toString('base64'), entry });

function onRecord(head: HeadOnRecord | undefined) {
  if (head === undefined) return undefined;
  const { n, path, version, record, at } = head;
  return { n, path, version, record, at: at === undefined ? undefined : new Date(at * 1000).toISOString() };
}
