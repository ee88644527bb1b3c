/**
 * Takes in a version that its publisher uploads: received, judged, staged, logged, named, listed, in this order. The
 * publisher is somebody with the right to publish this module; the bytes may still be anything.
 */

import type { TrailSink } from '../audit/trail.ts';
import { GokeepError } from '../errors.ts';
import { h1OfGoMod } from '../modzip/dirhash.ts';
import { checkRoom } from '../proxy/room.ts';
import type { TemporaryFile } from '../store/module-store.ts';
import { type Actor, GOKEEP, type TrailEvent } from '../store/trail-entry.ts';
import { asUpload, judgeUpload, namedByUpload } from './judged-upload.ts';
import { Landing, type LandingOptions, type ZipAndMod } from './landing.ts';
import { receive } from './receive.ts';
import { checkReleaseVersion } from './release-rules.ts';
import type { StagedVersion } from './staging.ts';
import { type Claim, formatInfo } from './version-info.ts';

export interface PublishingOptions extends LandingOptions {
  readonly isHosted: (path: string, version: string) => boolean;
  readonly isPrivate: (path: string) => boolean;
  /** What is published is recorded there first; a crash may leave an entry of something that then was not. */
  readonly trail?: TrailSink;
  /** Bytes of disk that must stay free. */
  readonly diskReserve: number;
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

/** Publishes versions of modules. */
export class Publishing {
  readonly #o: PublishingOptions;
  readonly #landing: Landing;
  /** Of one version only one upload at a time is logged and named. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(options: PublishingOptions) {
    this.#o = options;
    this.#landing = new Landing(options);
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
    const { h1, mod } = await judgeUpload(this.#o.zips, zip.file, { path, version }, signal);
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
        await this.#landing.keepSignatures(path, version, signatures, by);
        return { path, version, ...hashes, added: false };
      }
      // The disk is busy with both at the same time.
      const recorded = this.#o.trail?.record(event);
      recorded?.catch(() => undefined);
      const files = { zip, zipSynced: synced, mod, info, signatures };
      const staged = await this.#landing.staging.stage({ path, version }, files);
      await this.#landing.log(staged, hashes, recorded);
      await this.#landing.finish(staged, { synced: true });
      return { path, version, ...hashes, added: true };
    });
  }

  /**
   * Goes on with what an interrupted process left. To be done before anybody is answered.
   *
   * @returns which versions were finished
   */
  recover(): Promise<StagedVersion[]> {
    return this.#landing.recover();
  }

  /** Resolves when nothing of what was published waits to be cleared away. */
  settled(): Promise<void> {
    return this.#landing.settled();
  }

  #admit({ path, version }: { readonly path: string; readonly version: string }): void {
    this.check(path, version);
    this.#o.signing?.checkSent(path, version);
  }

  async #namedBy({ handle }: TemporaryFile, admit: (path: string) => void) {
    const name = await namedByUpload(handle);
    admit(name.path);
    this.#admit(name);
    return name;
  }

  /** True when there is nothing left to do. Throws taken. */
  async #isThere(event: VersionEvent, seen: ZipAndMod): Promise<boolean> {
    const { path, version } = event;
    const { store, find, isHosted, sequencer, trail } = this.#o;
    const known = find(path, version);
    if (known === undefined) return false;
    this.#landing.compare(path, version, known, seen);
    for (const kind of ['zip', 'mod', 'info'] as const)
      if ((await store.size(kind, path, version)) === undefined) return false;
    if (isHosted(path, version)) return true;
    // It had been fetched before; now it no longer depends on upstream.
    await trail?.record(event);
    await sequencer?.noteHosted({ kind: 'host', path, version, now: this.#o.now() });
    this.#o.onPublished();
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
