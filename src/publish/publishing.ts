/**
 * Takes in a version that its publisher uploads: received, judged, staged, logged, named, listed, in this order. The
 * publisher is somebody with the right to publish this module; the bytes may still be anything.
 */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { TrailSink } from '../audit/trail.ts';
import { GokeepError, hasCode } from '../errors.ts';
import { h1OfGoMod } from '../modzip/dirhash.ts';
import { namedVersion } from '../modzip/named-version.ts';
import { quote } from '../module/quote.ts';
import type { IncidentSink } from '../proxy/incidents.ts';
import { checkRoom } from '../proxy/room.ts';
import { openedZip } from '../store/zip-file.ts';
import type { ZipVerifier } from '../proxy/zip-verifier.ts';
import type { LoggedRecord } from '../store/log-reader.ts';
import type { ModuleStore, TemporaryFile } from '../store/module-store.ts';
import type { StoredSignature } from '../store/signature-table.ts';
import { type Actor, GOKEEP, type TrailEvent } from '../store/trail-entry.ts';
import type { Sequencer } from '../sumdb/sequencer.ts';
import { checkAnswer } from '../upstream/answer-checks.ts';
import { checkGoMod, checkReleaseVersion } from './release-rules.ts';
import { receive } from './receive.ts';
import type { Signing } from './signing.ts';
import { Staging, type StagedVersion } from './staging.ts';
import { type Claim, formatInfo } from './version-info.ts';

export interface PublishingOptions {
  readonly data: string;
  readonly store: ModuleStore;
  /** Our own log: the record that a published head covers, and what adds to it. */
  readonly find: (path: string, version: string) => LoggedRecord | undefined;
  readonly isHosted: (path: string, version: string) => boolean;
  /** Undefined in a replica. */
  readonly sequencer: Pick<Sequencer, 'add' | 'noteHosted' | 'keepSignatures'> | undefined;
  readonly zips: Pick<ZipVerifier, 'inspect'>;
  readonly isPrivate: (path: string) => boolean;
  readonly incidents: IncidentSink;
  /** What is published is recorded there first; a crash may leave an entry of something that then was not. */
  readonly trail?: TrailSink;
  /** What demands and verifies signatures; undefined where nothing does. */
  readonly signing?: Pick<Signing, 'checkSent' | 'admit' | 'checkHeld' | 'published'>;
  /** Bytes of disk that must stay free. */
  readonly diskReserve: number;
  readonly now: () => number;
  /** What was answered before may be out of date. */
  readonly onPublished: () => void;
}

export interface Published {
  readonly path: string;
  readonly version: string;
  /** `h1:` and base64, as in go.sum. */
  readonly zip: string;
  readonly mod: string;
  /** False when it had been published before, with the same bytes: then nothing was done. */
  readonly added: boolean;
}

/** Which version a zip is published as: what its publisher says, or what the zip itself does. */
export type Named =
  | { readonly path: string; readonly version: string }
  /** Asked with the path that the zip names, before anything comes of it; throws why nothing may. */
  | { readonly admit: (path: string) => void };

/** What the audit trail is told of a version. */
type VersionEvent = TrailEvent & { readonly path: string; readonly version: string };

/** Who gave us what an incident is about. */
const SOURCE = 'an upload';

/** Publishes versions of modules. */
export class Publishing {
  readonly #o: PublishingOptions;
  readonly #staging: Staging;
  /** Of one version only one upload at a time is logged and named. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #dropping = new Set<Promise<void>>();

  constructor(options: PublishingOptions) {
    this.#o = options;
    this.#staging = new Staging(options.data);
  }

  /**
   * What can be said before the first byte of a zip.
   *
   * @throws refused for a path that is not private, without a signature that is demanded, and in a replica; bad_upload; bad_path
   */
  check(path: string, version: string): void {
    this.checkOpen();
    if (!this.#o.isPrivate(path))
      throw new GokeepError(
        'refused',
        `${path} is not private here, so it cannot be published here. If it is your own module, have its path added to gokeep's \`private\` patterns.`,
      );
    asUpload(() => checkReleaseVersion(path, version, { allowPseudo: false }));
  }

  /** What can be said before it is known which version it will be. Throws refused in a replica. */
  checkOpen(): void {
    if (this.#o.sequencer === undefined)
      throw new GokeepError(
        'refused',
        'This gokeep is a replica of another log, which nothing can be added to: publish at the gokeep that signs it.',
      );
  }

  /**
   * Publishes one version. When it resolves, the version is logged under a signed head, durable and listed.
   *
   * @param body the zip, as a client sends it
   * @param claim undefined: published now, from nowhere in particular
   * @param signal aborts it as long as nothing is logged
   * @param by whose request it is
   * @throws as check, and as `admit`; bad_signature; too_large; bad_upload for what `go` would refuse; taken (an incident) when the version is on
   * record with other hashes; storage_full, storage_failed and what the log throws; the signal's reason
   */
  async publish(
    named: Named,
    body: AsyncIterable<Buffer>,
    claim: Claim | undefined,
    signal: AbortSignal,
    by: Actor = GOKEEP,
  ): Promise<Published> {
    const { signing } = this.#o;
    if ('path' in named) this.#admit(named);
    else this.checkOpen();
    await checkRoom(this.#o.store.root, this.#o.diskReserve);
    await using zip = await this.#o.store.openTemporary();
    await receive(body, zip, 'path' in named ? `zip of ${named.path}@${named.version}` : 'zip');
    const { path, version } = 'path' in named ? named : await this.#namedBy(zip, named.admit);
    // The disk and the worker are busy at the same time.
    const synced = zip.handle.sync();
    synced.catch(() => undefined);
    const { h1, mod } = await this.#judge(zip, path, version, signal);
    const hashes = { zip: h1, mod: h1OfGoMod(mod) };
    const signatures = (await signing?.admit(path, version, zip.file)) ?? [];
    const info = formatInfo(version, claim ?? { time: new Date(this.#o.now()), origin: undefined });
    return await this.#inTurn(`${path}@${version}`, async () => {
      signal.throwIfAborted();
      const facts = {
        ...hashes,
        ...(signatures.length > 0 ? { signatures: signatures.map(({ id }) => id) } : {}),
      };
      const event: VersionEvent = { ...by, kind: 'publish', path, version, facts };
      if (await this.#isThere(event, hashes)) {
        await signing?.checkHeld(path, version, signatures);
        await this.#keepSignatures(path, version, signatures, by);
        return { path, version, ...hashes, added: false };
      }
      // The disk is busy with both at the same time.
      const recorded = this.#o.trail?.record(event);
      recorded?.catch(() => undefined);
      const files = { zip, zipSynced: synced, mod, info, signatures };
      const staged = await this.#staging.stage({ path, version }, files);
      await this.#log(staged, hashes, recorded);
      await this.#finish(staged, { synced: true });
      return { path, version, ...hashes, added: true };
    });
  }

  /**
   * Goes on with what an interrupted process left: a version whose record is in the log gets its files and is listed; of
   * one whose record is not, nothing stays. To be done before anybody is answered.
   *
   * @returns which versions were finished
   */
  async recover(): Promise<StagedVersion[]> {
    const { staged, useless } = await this.#staging.left();
    for (const directory of useless) await this.#staging.drop(directory);
    const finished: StagedVersion[] = [];
    for (const version of staged) {
      if (await this.#isOwed(version)) {
        // Whether its files had been synced before the process was interrupted is not known.
        await this.#finish(version, { synced: false });
        finished.push(version);
      } else {
        await this.#staging.drop(version.directory);
      }
    }
    return finished;
  }

  #admit({ path, version }: { readonly path: string; readonly version: string }): void {
    this.check(path, version);
    this.#o.signing?.checkSent(path, version);
  }

  /** Admits the version that a zip names. What stands in the zip is its sender's. */
  async #namedBy({ handle }: TemporaryFile, admit: (path: string) => void) {
    let name: { path: string; version: string };
    try {
      name = await namedVersion(await openedZip(handle));
    } catch (error) {
      if (hasCode(error, 'bad_zip'))
        throw new GokeepError('bad_upload', `The zip was refused: ${error.message}.`, { cause: error });
      throw uploadError(error);
    }
    admit(name.path);
    this.#admit(name);
    return name;
  }

  async #judge(zip: TemporaryFile, path: string, version: string, signal: AbortSignal) {
    try {
      const { h1, goMod, irregular } = await this.#o.zips.inspect(zip.file, path, version, signal);
      if (irregular !== undefined)
        throw new GokeepError(
          'bad_upload',
          `The zip of ${path}@${version} cannot be published: file ${quote(irregular)} is a symbolic link, or no regular file.`,
        );
      // In which directory of a repository it lay cannot be seen from here.
      return { h1, mod: checkGoMod(path, version, goMod, { isRoot: true }) };
    } catch (error) {
      throw uploadError(error);
    }
  }

  /** True when there is nothing left to do. Throws taken. */
  async #isThere(event: VersionEvent, seen: { zip: string; mod: string }): Promise<boolean> {
    const { path, version } = event;
    const { store, find, isHosted, sequencer, trail } = this.#o;
    const known = find(path, version);
    if (known === undefined) return false;
    this.#compare(path, version, known, seen);
    for (const kind of ['zip', 'mod', 'info'] as const)
      if ((await store.size(kind, path, version)) === undefined) return false;
    if (isHosted(path, version)) return true;
    // It had been fetched before; now it no longer depends on upstream.
    await trail?.record(event);
    await sequencer?.noteHosted({ kind: 'host', path, version, now: this.#o.now() });
    this.#o.onPublished();
    return true;
  }

  #compare(
    path: string,
    version: string,
    recorded: { zip: string; mod: string },
    seen: { zip: string; mod: string },
  ): void {
    const kind = recorded.zip !== seen.zip ? 'zip' : recorded.mod !== seen.mod ? 'mod' : undefined;
    if (kind === undefined) return;
    const differs = { recorded: recorded[kind], seen: seen[kind] };
    this.#o.incidents({ at: this.#o.now(), kind, path, version, ...differs, source: SOURCE });
    throw new GokeepError(
      'taken',
      `${path}@${version} is on record with other bytes, and a version never changes: the record says ${differs.recorded}, what was uploaded has ${differs.seen}. Publish it as a new version.`,
    );
  }

  async #log(
    staged: StagedVersion,
    hashes: { zip: string; mod: string },
    recorded: Promise<void> | undefined,
  ): Promise<void> {
    const { path, version } = staged;
    const { sequencer, now } = this.#o;
    if (sequencer === undefined) throw new GokeepError('internal', 'no log');
    const firstSeen = Math.floor(now() / 1000);
    try {
      await recorded;
      const provenance = { source: 'published', firstSeen, evidence: undefined } as const;
      const outcome = await sequencer.add({ path, version, ...hashes, provenance });
      if (outcome.kind === 'conflict') this.#compare(path, version, outcome, hashes);
    } catch (error) {
      // Whether it was logged is not known then: the next start looks.
      if (!hasCode(error, 'storage_failed', 'log_frozen')) await this.#staging.drop(staged.directory);
      throw error;
    }
  }

  async #finish(staged: StagedVersion, o: { readonly synced: boolean }): Promise<void> {
    const { path, version } = staged;
    await this.#o.store.adopt(this.#staging.files(staged), o);
    await this.#keepSignatures(path, version, await this.#staging.signatures(staged));
    // Last: what lists name is there.
    await this.#o.sequencer?.noteHosted({ kind: 'host', path, version, now: this.#o.now() });
    this.#o.onPublished();
    // Nobody waits for it: what is left of it, the next start removes.
    const dropped = this.#staging.drop(staged.directory).catch(() => undefined);
    this.#dropping.add(dropped);
    void dropped.then(() => this.#dropping.delete(dropped));
  }

  async #keepSignatures(
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
    for (const { kind, file } of this.#staging.files(staged)) {
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

  async #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(key);
    const turn = (async () => {
      await before?.catch(() => undefined);
      return await work();
    })();
    this.#turns.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }
}

function asUpload(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw uploadError(error);
  }
}

/** What is said of a zip or version that we fetched means another thing where somebody sends it. */
function uploadError(error: unknown): unknown {
  return hasCode(error, 'bad_zip', 'bad_mod_file', 'bad_version', 'bad_path')
    ? new GokeepError('bad_upload', error.message, { cause: error })
    : error;
}
