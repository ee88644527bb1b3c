import { GokeepError } from '../errors.ts';
import type { TrailSink } from '../audit/trail.ts';
import type { LoggedRecord } from '../store/log-reader.ts';
import { type Actor, GOKEEP } from '../store/trail-entry.ts';
import type { Sequencer } from '../sumdb/sequencer.ts';

export interface YankingOptions {
  readonly find: (path: string, version: string) => LoggedRecord | undefined;
  /** Undefined in a replica. */
  readonly sequencer: Pick<Sequencer, 'noteHosted'> | undefined;
  readonly isPrivate: (path: string) => boolean;
  /** Why a version is yanked; undefined where it is not. */
  readonly reasonOf: (path: string, version: string) => string | undefined;
  /** What is changed is recorded there first. */
  readonly trail?: TrailSink;
  readonly now: () => number;
  /** What was answered before may be out of date. */
  readonly onChanged: () => void;
}

const MAX_REASON = 500;

/**
 * Hides versions from `list` and `@latest`, and shows them again. A version keeps its record and its files: whoever has
 * pinned it goes on building.
 */
export class Yanking {
  readonly #o: YankingOptions;

  constructor(options: YankingOptions) {
    this.#o = options;
  }

  /**
   * Durable when it resolves. Of a version that is yanked already the reason changes.
   *
   * @param reason one line, for people. Attacker-controlled
   * @throws refused for a path that is not private, and in a replica; not_found for a version that is not on record;
   * bad_upload for a reason that cannot be shown
   */
  async yank(path: string, version: string, reason: string, by: Actor = GOKEEP): Promise<void> {
    const sequencer = this.#allowed(path, version);
    const said = reason.trim();
    if (said === '' || said.length > MAX_REASON || /\p{C}|\p{Zl}|\p{Zp}/u.test(said))
      throw new GokeepError(
        'bad_upload',
        `Give a reason for yanking ${path}@${version}: one line of at most ${MAX_REASON} characters.`,
      );
    if (this.#o.reasonOf(path, version) === said) return;
    await this.#o.trail?.record({ ...by, kind: 'yank', path, version, facts: { reason: said } });
    await sequencer.noteHosted({ kind: 'yank', path, version, reason: said, now: this.#o.now() });
    this.#o.onChanged();
  }

  /** Takes a yank back; does nothing where there is none. Durable when it resolves. Throws as yank. */
  async unyank(path: string, version: string, by: Actor = GOKEEP): Promise<void> {
    const sequencer = this.#allowed(path, version);
    if (this.#o.reasonOf(path, version) === undefined) return;
    await this.#o.trail?.record({ ...by, kind: 'unyank', path, version });
    await sequencer.noteHosted({ kind: 'unyank', path, version });
    this.#o.onChanged();
  }

  #allowed(path: string, version: string): Pick<Sequencer, 'noteHosted'> {
    const { sequencer, isPrivate, find } = this.#o;
    if (sequencer === undefined)
      throw new GokeepError(
        'refused',
        'This gokeep is a replica of another log: yank at the gokeep that signs it.',
      );
    if (!isPrivate(path))
      throw new GokeepError(
        'refused',
        `${path} is not private here, and only your own modules can be yanked.`,
      );
    if (find(path, version) === undefined)
      throw new GokeepError(
        'not_found',
        `${path}@${version} is not on record here, so there is nothing to yank.`,
      );
    return sequencer;
  }
}
