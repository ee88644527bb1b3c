import { setImmediate } from 'node:timers/promises';

import type { LoggedRecord } from '../store/log-reader.ts';
import type { Provenance } from '../store/log-records.ts';
import { type Origin, originOf } from './origin.ts';

/** A version whose repository can be asked again. */
export interface WatchedVersion {
  readonly record: LoggedRecord;
  readonly origin: Origin;
}

/** A repository, and what is on record from it. */
export interface WatchedRepository {
  /** As the first of its versions spells it. */
  readonly url: string;
  readonly versions: readonly WatchedVersion[];
}

export interface Watched {
  readonly repositories: readonly WatchedRepository[];
  /** Private versions on record of which it is not known from which commit they came. */
  readonly unknown: number;
}

export interface WatchedOptions {
  readonly log: {
    recordsFrom(from: number, limit: number): LoggedRecord[];
    provenance(id: number): Provenance | undefined;
  };
  /** By the unescaped path. */
  readonly isPrivate: (path: string) => boolean;
  /** The `.info` that is held of a version. */
  readonly info: (path: string, version: string) => Promise<Buffer | undefined>;
  readonly signal: AbortSignal;
}

/** Rows read at once: between two reads requests are answered and the log's checkpoints go on. */
const PAGE = 1_000;

/** The private versions on record, by repository. Throws storage_failed, and the signal's reason. */
export async function watchedRepositories(o: WatchedOptions): Promise<Watched> {
  const repositories = new Map<string, { url: string; versions: WatchedVersion[] }>();
  let unknown = 0;
  let from = 0;
  for (;;) {
    o.signal.throwIfAborted();
    const page = o.log.recordsFrom(from, PAGE);
    for (const record of page) {
      if (!o.isPrivate(record.path)) continue;
      const origin = isOurs(o.log.provenance(record.id)) ? await readOrigin(o, record) : undefined;
      if (origin === undefined) {
        unknown++;
        continue;
      }
      const key = sameRepository(origin.url);
      const known = repositories.get(key);
      if (known === undefined) repositories.set(key, { url: origin.url, versions: [{ record, origin }] });
      else known.versions.push({ record, origin });
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE)
      return { repositories: [...repositories.values()], unknown };
    from = last.id + 1;
    await setImmediate();
  }
}

/**
 * True for a record whose bytes came from the repository itself, or will. What another proxy said of an origin is its
 * word, and its repository may be one that we have no business with.
 */
function isOurs(provenance: Provenance | undefined): boolean {
  if (provenance?.source === 'computed') return provenance.evidence === 'direct';
  return provenance?.source === 'seeded';
}

async function readOrigin(o: WatchedOptions, { path, version }: LoggedRecord): Promise<Origin | undefined> {
  const info = await o.info(path, version);
  return info === undefined ? undefined : originOf(info);
}

/** go names a repository with and without `.git`, as its go-import page or its path does. */
function sameRepository(url: string): string {
  return url.replace(/\/+$/, '').replace(/\.git$/, '');
}
