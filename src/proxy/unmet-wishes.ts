import { formatModuleRequest } from '../module/request-path.ts';
import { compare } from '../module/semver.ts';
import { isCanonicalVersion } from '../module/version.ts';
import type { ModuleStore } from '../store/module-store.ts';
import { NEWEST, WISH_KINDS, type Wish } from '../store/wish-table.ts';
import { HeldModules } from './held.ts';
import type { Records } from './records.ts';

/** Where to look whether a wish has come true. */
export interface Holdings {
  readonly store: ModuleStore;
  readonly records: Pick<Records, 'known'>;
  /** True when an answer to this request path is remembered. */
  readonly remembers: (key: string) => boolean;
}

/** Wishes that have not come true, by path and then by version; of no version any is the newest. */
export async function unmetWishes(wishes: readonly Wish[], holdings: Holdings): Promise<Wish[]> {
  const held = new HeldModules(holdings.store, holdings.records);
  const unmet: Wish[] = [];
  for (const wish of wishes) if (!(await isMet(wish, holdings, held))) unmet.push(wish);
  return unmet.sort(byPathAndVersion);
}

/** True when everything that was asked for would be answered by now. */
async function isMet({ path, query, kinds }: Wish, o: Holdings, held: HeldModules): Promise<boolean> {
  if (query === NEWEST) return (await held.versions(path)).length > 0;
  if (!isCanonicalVersion(path, query)) {
    if (o.remembers(formatModuleRequest({ kind: 'info', path, version: query }))) return true;
    return (await held.query(path, query)) !== undefined;
  }
  if (o.records.known(path, query) === undefined) return false;
  const holds = async (kind: 'info' | 'mod' | 'zip') => (await o.store.size(kind, path, query)) !== undefined;
  if ((kinds & WISH_KINDS.zip) !== 0 && !(await holds('zip'))) return false;
  if ((kinds & WISH_KINDS.mod) !== 0 && !(await holds('mod'))) return false;
  // The server makes an .info of its own where it holds the zip.
  return (kinds & WISH_KINDS.info) === 0 || (await holds('info')) || (await holds('zip'));
}

function byPathAndVersion(a: Wish, b: Wish): number {
  return plain(a.path, b.path) || compare(a.query, b.query) || plain(a.query, b.query);
}

const plain = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
