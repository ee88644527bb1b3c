import { GokeepError, hasCode } from '../errors.ts';
import { h1OfGoMod } from '../modzip/dirhash.ts';
import type { LoggedRecord } from '../store/log-reader.ts';
import type { ModuleStore, TemporaryFile } from '../store/module-store.ts';
import type { FetchedBody, FetchedFile } from '../upstream/chain.ts';
import type { Routing } from '../upstream/routing.ts';
import { SharedWork } from '../upstream/shared-work.ts';
import type { Answer } from './answer.ts';
import { type IncidentSink, raiseMismatch } from './incidents.ts';
import { notHeld, type Records } from './records.ts';
import { checkRoom } from './room.ts';
import type { ZipVerifier } from './zip-verifier.ts';

export interface ModuleFilesOptions {
  readonly store: ModuleStore;
  readonly records: Records;
  readonly routing: Routing;
  readonly zips: ZipVerifier;
  readonly incidents: IncidentSink;
  readonly offline: boolean;
  /** Bytes of disk that must stay free: below it nothing new is taken in, and what is held is still served. */
  readonly diskReserve: number;
}

export interface FindOptions {
  /** Answer from the store only (`Disable-Module-Fetch`, `/cached-only/`). */
  readonly cachedOnly: boolean;
  readonly signal: AbortSignal;
}

/**
 * The immutable files of a module version, found or admitted: each of the three for itself, since a version may be
 * listed, retracted or replaced and still be read for its metadata.
 */
export class ModuleFiles {
  readonly #o: ModuleFilesOptions;
  readonly #bodies = new SharedWork<Buffer>();
  readonly #zips = new SharedWork<void>();

  constructor(options: ModuleFilesOptions) {
    this.#o = options;
  }

  /** `.info` carries no proof in Go's design: its form and version are checked, and it is kept byte for byte. */
  async info(path: string, version: string, o: FindOptions): Promise<Answer> {
    const held = await this.#o.store.read('info', path, version);
    if (held !== undefined) return { kind: 'bytes', body: held, origin: 'store', immutable: true };
    if ((this.#o.offline || o.cachedOnly) && (await this.#holdsZip(path, version))) {
      // Only its go.mod and zip were ever asked for. This is the least that Go needs, and not for ever: upstream knows more.
      const body = Buffer.from(JSON.stringify({ Version: version }));
      return { kind: 'bytes', body, origin: 'store', immutable: false };
    }
    this.#mayFetch(path, version, o);
    const body = await this.#bodies.do(`info ${path}@${version}`, o.signal, async (signal) => {
      const fetched = await this.#o.routing.chainFor(path).fetch({ kind: 'info', path, version }, { signal });
      await this.#checkRoom();
      await this.#o.store.keep('info', path, version, fetched.body);
      return fetched.body;
    });
    return { kind: 'bytes', body, origin: 'upstream', immutable: true };
  }

  /** `.mod`: only bytes whose hash is on record are stored or served. */
  async mod(path: string, version: string, o: FindOptions): Promise<Answer> {
    const held = await this.#o.store.read('mod', path, version);
    if (held !== undefined) return { kind: 'bytes', body: held, origin: 'store', immutable: true };
    this.#mayFetch(path, version, o);
    const body = await this.#bodies.do(`mod ${path}@${version}`, o.signal, (signal) =>
      this.#admitMod(path, version, signal),
    );
    return { kind: 'bytes', body, origin: 'upstream', immutable: true };
  }

  /** `.zip`: only a file whose hash is on record is stored or served. */
  async zip(path: string, version: string, o: FindOptions): Promise<Answer> {
    const { store } = this.#o;
    const file = store.fileName('zip', path, version);
    const held = await store.size('zip', path, version);
    if (held !== undefined) return { kind: 'file', file, size: held, origin: 'store' };
    this.#mayFetch(path, version, o);
    await this.#zips.do(`${path}@${version}`, o.signal, (signal) => this.#admitZip(path, version, signal));
    const size = await store.size('zip', path, version);
    if (size === undefined)
      throw new GokeepError('internal', `${path}@${version}: its zip vanished; try again`);
    return { kind: 'file', file, size, origin: 'upstream' };
  }

  /** The record, admitted if need be: what a lookup in our own database asks for. */
  record(path: string, version: string, o: FindOptions): Promise<LoggedRecord> {
    if (o.cachedOnly) {
      const known = this.#o.records.known(path, version);
      return known === undefined ? Promise.reject(notHeld(path, version)) : Promise.resolve(known);
    }
    return this.#o.records.get(path, version, this.#compute, o.signal);
  }

  async #admitMod(path: string, version: string, signal: AbortSignal): Promise<Buffer> {
    const { records, store } = this.#o;
    if (records.known(path, version) === undefined && records.isComputed(path)) {
      await records.get(path, version, this.#compute, signal);
      const computed = await store.read('mod', path, version);
      if (computed !== undefined) return computed;
    }
    const [fetched, record] = await bothOrUpstreamsWord(
      this.#o.routing.chainFor(path).fetch({ kind: 'mod', path, version }, { signal }),
      records.get(path, version, this.#compute, signal),
    );
    const seen = h1OfGoMod(fetched.body);
    if (seen !== record.mod) this.#mismatch('mod', record, seen, fetched);
    await this.#checkRoom();
    await store.keep('mod', path, version, fetched.body);
    return fetched.body;
  }

  async #admitZip(path: string, version: string, signal: AbortSignal): Promise<void> {
    const { records, store } = this.#o;
    await this.#checkRoom();
    if (records.known(path, version) === undefined && records.isComputed(path)) {
      await records.get(path, version, this.#compute, signal);
      if ((await store.size('zip', path, version)) !== undefined) return;
    }
    await using temporary = await store.openTemporary();
    const [fetched, record] = await bothOrUpstreamsWord(
      this.#fetchZip(path, version, temporary, signal),
      records.get(path, version, this.#compute, signal),
    );
    const { h1 } = await this.#o.zips.verify(temporary.file, path, version, signal);
    if (h1 !== record.zip) this.#mismatch('zip', record, h1, fetched);
    await store.place(temporary, 'zip', path, version);
  }

  /** Hashes of a version that only its own bytes can speak for. Files are kept once the record is in the log. */
  readonly #compute = async (path: string, version: string, signal: AbortSignal) => {
    const { store } = this.#o;
    await this.#checkRoom();
    const temporary = await store.openTemporary();
    try {
      const chain = this.#o.routing.chainFor(path);
      const [zip, mod] = await Promise.all([
        this.#fetchZip(path, version, temporary, signal),
        chain.fetch({ kind: 'mod', path, version }, { signal }),
      ]);
      // Where its bytes came from, as of now: later, a tag may name another commit. No client has asked for it, and
      // admission does not fail for it.
      const info = this.#o.routing.isPrivate(path)
        ? await chain.fetch({ kind: 'info', path, version }, { signal }).catch(() => undefined)
        : undefined;
      const { h1 } = await this.#o.zips.verify(temporary.file, path, version, signal);
      return {
        zip: h1,
        mod: h1OfGoMod(mod.body),
        source: zip.source,
        keep: async () => {
          if (info !== undefined) await store.keep('info', path, version, info.body);
          await store.keep('mod', path, version, mod.body);
          await store.place(temporary, 'zip', path, version);
        },
        [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
      };
    } catch (error) {
      await temporary[Symbol.asyncDispose]();
      throw error;
    }
  };

  #fetchZip(path: string, version: string, to: TemporaryFile, signal: AbortSignal): Promise<FetchedFile> {
    return this.#o.routing.chainFor(path).fetchZip(path, version, to.handle, { signal });
  }

  async #holdsZip(path: string, version: string): Promise<boolean> {
    const { records, store } = this.#o;
    return (
      records.known(path, version) !== undefined && (await store.size('zip', path, version)) !== undefined
    );
  }

  #mayFetch(path: string, version: string, o: FindOptions): void {
    if (this.#o.offline || o.cachedOnly) throw notHeld(path, version);
  }

  #mismatch(kind: 'zip' | 'mod', record: LoggedRecord, seen: string, from: FetchedBody | FetchedFile): never {
    const { path, version } = record;
    raiseMismatch(
      { kind, path, version, recorded: record[kind], seen, source: from.source },
      this.#o.incidents,
    );
  }

  #checkRoom(): Promise<void> {
    return checkRoom(this.#o.store.root, this.#o.diskReserve);
  }
}

/**
 * Waits for a download and the record that proves it. When both fail, an authentic "not found" of the upstream has the
 * word: it says what the person asked, and the go command composes its messages from it.
 */
async function bothOrUpstreamsWord<A, B>(download: Promise<A>, record: Promise<B>): Promise<[A, B]> {
  const [fetched, proven] = await Promise.allSettled([download, record]);
  if (fetched.status === 'rejected' && hasCode(fetched.reason, 'not_found', 'gone')) throw fetched.reason;
  if (proven.status === 'rejected') throw proven.reason;
  if (fetched.status === 'rejected') throw fetched.reason;
  return [fetched.value, proven.value];
}
