import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { GokeepError, hasCode } from '../errors.ts';
import { h1OfGoMod } from '../modzip/dirhash.ts';
import type { IncidentSink } from '../proxy/incidents.ts';
import type { ZipVerifier } from '../proxy/zip-verifier.ts';
import type { LoggedRecord } from '../store/log-reader.ts';
import type { ModuleStore } from '../store/module-store.ts';
import type { StoredSignature } from '../store/signature-table.ts';
import { type Actor, GOKEEP } from '../store/trail-entry.ts';
import type { Sequencer } from '../sumdb/sequencer.ts';
import { checkAnswer } from '../upstream/answer-checks.ts';
import type { Signing } from './signing.ts';
import { Staging, type StagedVersion } from './staging.ts';

export interface LandingOptions {
  readonly data: string;
  readonly store: ModuleStore;
  /** Our own log: the record that a published head covers, and what adds to it. */
  readonly find: (path: string, version: string) => LoggedRecord | undefined;
  /** Undefined in a replica. */
  readonly sequencer: Pick<Sequencer, 'add' | 'noteHosted' | 'keepSignatures'> | undefined;
  readonly zips: Pick<ZipVerifier, 'inspect'>;
  readonly incidents: IncidentSink;
  /** What demands and verifies signatures; undefined where nothing does. */
  readonly signing?: Pick<Signing, 'checkSent' | 'admit' | 'checkHeld' | 'published'>;
  readonly now: () => number;
  /** What was answered before may be out of date. */
  readonly onPublished: () => void;
}

/** Of go.sum, with `h1:`. */
export interface ZipAndMod {
  readonly zip: string;
  readonly mod: string;
}

/** Who gave us what an incident is about. */
const SOURCE = 'an upload';

/** Brings a judged version from its staging directory into log, store and lists: so that a kill at any moment leaves all of it or nothing. */
export class Landing {
  readonly staging: Staging;
  readonly #o: LandingOptions;
  readonly #dropping = new Set<Promise<void>>();

  constructor(options: LandingOptions) {
    this.#o = options;
    this.staging = new Staging(options.data);
  }

  /**
   * Logs a staged version under a signed head.
   *
   * @param recorded the entry in the audit trail, which comes first
   * @throws taken, and what the log throws: then nothing of it stays, unless whether it was logged is not known
   */
  async log(staged: StagedVersion, hashes: ZipAndMod, recorded: Promise<void> | undefined): Promise<void> {
    const { path, version } = staged;
    const { sequencer, now } = this.#o;
    if (sequencer === undefined) throw new GokeepError('internal', 'no log');
    const firstSeen = Math.floor(now() / 1000);
    try {
      await recorded;
      const provenance = { source: 'published', firstSeen, evidence: undefined } as const;
      const outcome = await sequencer.add({ path, version, ...hashes, provenance });
      if (outcome.kind === 'conflict') this.compare(path, version, outcome, hashes);
    } catch (error) {
      // Whether it was logged is not known then: the next start looks.
      if (!hasCode(error, 'storage_failed', 'log_frozen')) await this.staging.drop(staged.directory);
      throw error;
    }
  }

  /** Throws taken, which is an incident, where what was uploaded is not what is on record. */
  compare(path: string, version: string, recorded: ZipAndMod, seen: ZipAndMod): void {
    const kind = recorded.zip !== seen.zip ? 'zip' : recorded.mod !== seen.mod ? 'mod' : undefined;
    if (kind === undefined) return;
    const differs = { recorded: recorded[kind], seen: seen[kind] };
    this.#o.incidents({ at: this.#o.now(), kind, path, version, ...differs, source: SOURCE });
    throw new GokeepError(
      'taken',
      `${path}@${version} is on record with other bytes, and a version never changes: the record says ${differs.recorded}, what was uploaded has ${differs.seen}. Publish it as a new version.`,
    );
  }

  /** Names the files of a version that is logged, and lists it. */
  async finish(staged: StagedVersion, o: { readonly synced: boolean }): Promise<void> {
    const { path, version } = staged;
    await this.#o.store.adopt(this.staging.files(staged), o);
    await this.keepSignatures(path, version, await this.staging.signatures(staged));
    // Last: what lists name is there.
    await this.#o.sequencer?.noteHosted({ kind: 'host', path, version, now: this.#o.now() });
    this.#o.onPublished();
    // Nobody waits for it: what is left of it, the next start removes.
    const dropped = this.staging.drop(staged.directory).catch(() => undefined);
    this.#dropping.add(dropped);
    void dropped.then(() => this.#dropping.delete(dropped));
  }

  /** Of a version that is logged. */
  async keepSignatures(
    path: string,
    version: string,
    signatures: readonly StoredSignature[],
    by: Actor = GOKEEP,
  ): Promise<void> {
    if (signatures.length > 0) await this.#o.sequencer?.keepSignatures([{ path, version, signatures }]);
    await this.#o.signing?.published(path, version, signatures, by);
  }

  /** Resolves when nothing of what was published waits to be cleared away. */
  async settled(): Promise<void> {
    await Promise.all(this.#dropping);
  }

  /** True when the record of a staged version is in the log and its files are what the record says. */
  async #isOwed(staged: StagedVersion): Promise<boolean> {
    const { path, version } = staged;
    const record = this.#o.find(path, version);
    if (record === undefined) return false;
    for (const { kind, file } of this.staging.files(staged)) {
      // Taken already, before the process was interrupted.
      if ((await this.#o.store.size(kind, path, version)) !== undefined) continue;
      if (!existsSync(file)) return false;
      try {
        if (!(await this.#isRight(kind, file, record))) return false;
      } catch (error) {
        if (hasCode(error, 'storage_full', 'storage_failed', 'internal')) throw error;
        return false;
      }
    }
    return true;
  }

  async #isRight(kind: 'info' | 'mod' | 'zip', file: string, record: LoggedRecord): Promise<boolean> {
    const { path, version } = record;
    if (kind === 'zip') return (await this.#o.zips.inspect(file, path, version)).h1 === record.zip;
    const bytes = await readFile(file);
    if (kind === 'mod') return h1OfGoMod(bytes) === record.mod;
    checkAnswer({ kind: 'info', path, version }, bytes, 'the store');
    return true;
  }

  /**
   * Goes on with what an interrupted process left: a version whose record is in the log gets its files and is listed; of
   * one whose record is not, nothing stays. To be done before anybody is answered.
   *
   * @returns which versions were finished
   */
  async recover(): Promise<StagedVersion[]> {
    const { staged, useless } = await this.staging.left();
    for (const directory of useless) await this.staging.drop(directory);
    const finished: StagedVersion[] = [];
    for (const version of staged) {
      if (await this.#isOwed(version)) {
        // Whether its files had been synced before the process was interrupted is not known.
        await this.finish(version, { synced: false });
        finished.push(version);
      } else {
        await this.staging.drop(version.directory);
      }
    }
    return finished;
  }
}
