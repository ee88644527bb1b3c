import { isPrefixQuery, matchingPrefix, newest } from '../module/newest.ts';
import { compare } from '../module/semver.ts';
import { isPseudoVersion } from '../module/version.ts';
import type { ModuleStore } from '../store/module-store.ts';
import type { Records } from './records.ts';

/**
 * What the store alone can answer: used offline and for cached-only requests. A version counts as held when its zip
 * is here and its record is in the log.
 */
export class HeldModules {
  readonly #store: ModuleStore;
  readonly #records: Pick<Records, 'known'>;

  constructor(store: ModuleStore, records: Pick<Records, 'known'>) {
    this.#store = store;
    this.#records = records;
  }

  /** All versions held, oldest first, pseudo-versions included. */
  async versions(path: string): Promise<string[]> {
    const versions = await this.#store.heldVersions('zip', path);
    return versions.filter((version) => this.#records.known(path, version) !== undefined).sort(compare);
  }

  /** The body of a list: releases and pre-releases. Undefined when nothing of the module is held. */
  async list(path: string): Promise<Buffer | undefined> {
    const versions = await this.versions(path);
    if (versions.length === 0) return undefined;
    return Buffer.from(
      versions
        .filter((version) => !isPseudoVersion(version))
        .map((version) => `${version}\n`)
        .join(''),
    );
  }

  /** The `.info` of the newest version held: a release before a pre-release before a pseudo-version. */
  async latest(path: string): Promise<Buffer | undefined> {
    const best = newest(await this.versions(path));
    return best === undefined ? undefined : this.#infoOf(path, best);
  }

  /** The `.info` that a version prefix such as `v1` or `v1.2` means, among what is held. */
  async query(path: string, query: string): Promise<Buffer | undefined> {
    if (!isPrefixQuery(query)) return undefined;
    const best = newest(matchingPrefix(await this.versions(path), query));
    return best === undefined ? undefined : this.#infoOf(path, best);
  }

  /** Some versions were only ever asked for by zip; their `.info` is then the least that Go needs. */
  async #infoOf(path: string, version: string): Promise<Buffer> {
    const held = await this.#store.read('info', path, version);
    return held ?? Buffer.from(JSON.stringify({ Version: version }));
  }
}
