import { hasCode } from '../errors.ts';
import { h1OfGoMod } from '../modzip/dirhash.ts';
import type { Incident } from '../store/log-records.ts';
import { forEachAtOnce } from '../store/at-once.ts';
import { hostIn } from '../upstream/git-host.ts';
import {
  type WatchedOptions,
  type WatchedRepository,
  type WatchedVersion,
  watchedRepositories,
} from './watched.ts';

export interface MonitorOptions extends Omit<WatchedOptions, 'signal'> {
  /** Asks a repository once. Throws not_found where its host shows none, and what says nothing about it. */
  readonly tags: (url: string, path: string, signal: AbortSignal) => Promise<ReadonlyMap<string, string>>;
  /** The go.mod of a version as its repository has it now, past every cache. */
  readonly fetchMod: (path: string, version: string, signal: AbortSignal) => Promise<Buffer>;
  /** Incidents that are on record already, newest first. */
  readonly recorded: (path: string, version: string) => readonly Incident[];
  /** Told of each incident that is not, once. */
  readonly onIncident: (incident: Incident) => void;
  readonly now: () => number;
  /** Repositories compared so far, and in all. */
  readonly progress?: (done: number, all: number) => void;
}

/** Why a repository, or the go.mod of a moved tag, could not be compared: that says nothing about it. */
export interface Trouble {
  readonly url: string;
  /** Versions that were not compared for it. */
  readonly versions: number;
  /** One sentence, without secrets. */
  readonly why: string;
}

/** What one round came to. */
export interface Round {
  /** How many repositories were to be asked. */
  readonly repositories: number;
  /** Versions whose tag names the commit on record. */
  readonly same: number;
  /** Versions that no tag names (pseudo-versions), whose repository is there: a commit cannot change. */
  readonly untagged: number;
  /** Private versions on record of which it is not known from which commit they came. */
  readonly unknown: number;
  /** All that differs now, whether it was known before or not. */
  readonly incidents: readonly Incident[];
  /** Those that were not on record before. */
  readonly fresh: readonly Incident[];
  readonly troubles: readonly Trouble[];
}

/** Repositories asked at a time: the places for commands are shared with clients. */
const AT_ONCE = 2;
/** Fetches of a go.mod in one round: whoever moves all tags of a large repository does not get them all cloned. */
const MOST_FETCHES = 50;
/** Stands in an incident for what is no longer there. */
export const NOTHING = 'nothing';

/**
 * Compares the private versions on record with their repositories as they are now: one `git ls-remote` a repository. A tag
 * that moved or is gone, and a repository that is gone, are incidents; nothing that is stored or recorded changes. A host
 * that does not answer, or refuses our login, says nothing about its repositories, which is told as trouble.
 *
 * Throws storage_failed, and the signal's reason.
 */
export async function monitorRound(o: MonitorOptions, signal: AbortSignal): Promise<Round> {
  const { repositories, unknown } = await watchedRepositories({ ...o, signal });
  const round = new MonitorRound(o, signal);
  let done = 0;
  await forEachAtOnce(repositories, AT_ONCE, async (repository) => {
    await round.compare(repository);
    o.progress?.(++done, repositories.length);
  });
  return { repositories: repositories.length, unknown, ...round.result() };
}

class MonitorRound {
  readonly #o: MonitorOptions;
  readonly #signal: AbortSignal;
  readonly #incidents: Incident[] = [];
  readonly #fresh: Incident[] = [];
  readonly #troubles: Trouble[] = [];
  /** Hosts that did not answer in this round, with what was said of it: one deadline is enough for all of a host. */
  readonly #silent = new Map<string, string>();
  #same = 0;
  #untagged = 0;
  #fetches = 0;

  constructor(options: MonitorOptions, signal: AbortSignal) {
    this.#o = options;
    this.#signal = signal;
  }

  result(): Omit<Round, 'repositories' | 'unknown'> {
    return {
      same: this.#same,
      untagged: this.#untagged,
      incidents: this.#incidents,
      fresh: this.#fresh,
      troubles: this.#troubles,
    };
  }

  async compare(repository: WatchedRepository): Promise<void> {
    const { url, versions } = repository;
    const tags = await this.#tags(repository);
    if (tags === undefined) return;
    for (const version of versions) {
      const { record, origin } = version;
      const now = origin.tag === undefined ? undefined : tags.get(origin.tag);
      if (origin.tag === undefined) this.#untagged++;
      else if (now === origin.hash) this.#same++;
      else {
        const { path, version: at } = record;
        const seen = now ?? NOTHING;
        const isNew = this.#incident({
          kind: 'tag',
          path,
          version: at,
          recorded: origin.hash,
          seen,
          source: url,
        });
        if (isNew && now !== undefined) await this.#compareMod(url, version);
      }
    }
  }

  /** Undefined where there is nothing to compare with. */
  async #tags({ url, versions }: WatchedRepository): Promise<ReadonlyMap<string, string> | undefined> {
    const [first] = versions;
    if (first === undefined) return undefined;
    const host = hostIn(url);
    const silent = this.#silent.get(host);
    if (silent !== undefined) {
      this.#troubles.push({ url, versions: versions.length, why: silent });
      return undefined;
    }
    try {
      return await this.#o.tags(url, first.record.path, this.#signal);
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      if (hasCode(error, 'not_found')) this.#gone(url, versions);
      else {
        if (hasCode(error, 'upstream_timeout', 'upstream_unreachable')) this.#silent.set(host, error.message);
        this.#trouble(url, versions.length, error);
      }
      return undefined;
    }
  }

  #gone(url: string, versions: readonly WatchedVersion[]): void {
    for (const path of new Set(versions.map(({ record }) => record.path)))
      this.#incident({ kind: 'repository', path, version: '', recorded: url, seen: NOTHING, source: url });
  }

  /** What a moved tag leads to may still be what is recorded; a go.mod that differs changes what a build is made of. */
  async #compareMod(url: string, { record }: WatchedVersion): Promise<void> {
    if (this.#fetches >= MOST_FETCHES) return;
    this.#fetches++;
    const { path, version, mod: recorded } = record;
    try {
      const seen = h1OfGoMod(await this.#o.fetchMod(path, version, this.#signal));
      if (seen !== recorded) this.#incident({ kind: 'mod', path, version, recorded, seen, source: url });
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      this.#trouble(url, 1, error);
    }
  }

  /** Only what is ours to word is shown: anything else may hold what a host said. */
  #trouble(url: string, versions: number, error: Error): void {
    if (!hasCode(error, ...TROUBLES)) throw error;
    this.#troubles.push({ url, versions, why: error.message });
  }

  /** True when it was not on record. */
  #incident(found: Omit<Incident, 'at'>): boolean {
    const incident = { at: this.#o.now(), ...found };
    this.#incidents.push(incident);
    const { kind, path, version, seen } = found;
    // It may have been put right and broken again in the meantime; the newest one counts.
    const known = this.#o.recorded(path, version).find((old) => old.kind === kind && old.version === version);
    if (known?.seen === seen) return false;
    this.#fresh.push(incident);
    this.#o.onIncident(incident);
    return true;
  }
}

const TROUBLES = [
  'not_found',
  'gone',
  'refused',
  'upstream_refused',
  'upstream_failed',
  'upstream_unreachable',
  'upstream_timeout',
  'no_go',
  'bad_mod_file',
  'bad_version',
  'bad_path',
  'busy',
  'storage_full',
] as const;
