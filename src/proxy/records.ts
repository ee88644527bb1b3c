import { GokeepError, hasCode } from '../errors.ts';
import type { LoggedRecord } from '../store/log-reader.ts';
import type { RecordSource } from '../store/log-records.ts';
import type { DatabaseReader } from '../sumdb/reader.ts';
import type { Sequencer } from '../sumdb/sequencer.ts';
import type { ProvenRecord } from '../upstream/checksum-database.ts';
import { SharedWork } from '../upstream/shared-work.ts';
import { type IncidentSink, raiseMismatch } from './incidents.ts';
import { Recent } from './recent.ts';

/** The upstream database that proves public modules. */
export interface ProvingDatabase {
  readonly name: string;
  lookup(path: string, version: string, o: { signal: AbortSignal }): Promise<ProvenRecord>;
}

/** Hashes of a fetched module version, and its files, which have no name yet. Disposing drops what was not kept. */
export interface ComputedHashes extends AsyncDisposable {
  /** `h1:` and base64. */
  readonly zip: string;
  readonly mod: string;
  /** Display name of the upstream. */
  readonly source: string;
  /** Gives the files their names, durably. */
  keep(): Promise<void>;
}

/** Hashes a module version that no upstream database speaks for, by fetching its zip and its go.mod. */
export type ComputeHashes = (path: string, version: string, signal: AbortSignal) => Promise<ComputedHashes>;

export interface RecordsOptions {
  readonly reader: DatabaseReader;
  /** Undefined in a replica, which nothing can be added to. */
  readonly sequencer: Pick<Sequencer, 'add'> | undefined;
  /** By the unescaped path. */
  readonly isPrivate: (path: string) => boolean;
  /** Undefined: `upstream.sumdb = off`, public modules are trusted on first use. */
  readonly proving: ProvingDatabase | undefined;
  readonly offline: boolean;
  readonly incidents: IncidentSink;
  readonly now: () => number;
}

/**
 * The record of a module version: ours if there is one, else admitted.
 *
 * A public record is accepted only from the upstream database's proven tree. It needs no zip: both hashes are in the
 * record. A private one is computed, once, and never changes after that.
 */
export class Records {
  readonly #o: RecordsOptions;
  readonly #admissions = new SharedWork<LoggedRecord>();
  /** Records that need no comparing any more, in this process. */
  readonly #confirmed = new Recent<true>(100_000);

  constructor(options: RecordsOptions) {
    this.#o = options;
  }

  /** The record that we already have. */
  known(path: string, version: string): LoggedRecord | undefined {
    return this.#o.reader.find(path, version);
  }

  /** True when the record comes from hashing bytes here, so that admitting it takes the zip. */
  isComputed(path: string): boolean {
    return this.#o.proving === undefined || this.#o.isPrivate(path);
  }

  /**
   * The record, admitted if need be. Durable and covered by a published head when this resolves.
   *
   * Throws not_stored (offline), refused (public and unknown to the upstream database), mismatch (an incident), and what
   * upstream, the log and `compute` throw.
   */
  async get(
    path: string,
    version: string,
    compute: ComputeHashes,
    signal?: AbortSignal,
  ): Promise<LoggedRecord> {
    const known = this.known(path, version);
    if (known !== undefined) return this.#confirm(known, signal);
    if (this.#o.offline) throw notHeld(path, version);
    return this.#admissions.do(`${path}@${version}`, signal, (shared) =>
      this.isComputed(path)
        ? this.#admitComputed(path, version, compute, shared)
        : this.#admitProven(path, version, shared),
    );
  }

  /**
   * A record that was trusted on first use, while no upstream database was configured, is compared with that database once
   * there is one. Agreement changes nothing: its provenance says for ever how it came in. Disagreement is an incident.
   */
  async #confirm(record: LoggedRecord, signal: AbortSignal | undefined): Promise<LoggedRecord> {
    const { path, version } = record;
    const { proving, reader, offline } = this.#o;
    const key = `${path}@${version}`;
    if (proving === undefined || offline || this.#confirmed.get(key) !== undefined) return record;
    if (this.isComputed(path) || reader.provenance(record.id)?.source !== 'tofu') {
      this.#confirmed.set(key, true);
      return record;
    }
    return this.#admissions.do(key, signal, async (shared) => {
      let proven: ProvenRecord;
      try {
        proven = await proving.lookup(path, version, { signal: shared });
      } catch (error) {
        // Still unproven, as it was when it came in; trouble is no reason to refuse it now.
        if (hasCode(error, 'fork', 'bad_record', 'bad_proof', 'bad_note', 'bad_tile')) throw error;
        return record;
      }
      this.#compare(record, proven, proving.name);
      this.#confirmed.set(key, true);
      return record;
    });
  }

  /**
   * What another database has proven of a version that is on record here has to agree: a tree may hold two records of
   * one version and still prove both. Throws mismatch (an incident).
   */
  checkAgrees(path: string, version: string, seen: { zip: string; mod: string }, source: string): void {
    const known = this.known(path, version);
    if (known !== undefined) this.#compare(known, seen, source);
  }

  #compare(recorded: LoggedRecord, seen: { zip: string; mod: string }, source: string): void {
    const { path, version } = recorded;
    const differs = recorded.zip !== seen.zip ? 'zip' : recorded.mod !== seen.mod ? 'mod' : undefined;
    if (differs === undefined) return;
    const mismatch = {
      kind: 'record',
      path,
      version,
      recorded: recorded[differs],
      seen: seen[differs],
      source,
    } as const;
    raiseMismatch(mismatch, this.#o.incidents);
  }

  async #admitProven(path: string, version: string, signal: AbortSignal): Promise<LoggedRecord> {
    const { proving } = this.#o;
    if (proving === undefined) throw new GokeepError('internal', 'no upstream database');
    let proven: ProvenRecord;
    try {
      proven = await proving.lookup(path, version, { signal });
    } catch (error) {
      if (!hasCode(error, 'not_found', 'gone')) throw error;
      throw new GokeepError(
        'refused',
        `${path}@${version} is not known to ${proving.name}, so it cannot be verified. If it is your own private module, have its path added to gokeep's \`private\` patterns.`,
        { cause: error, detail: error.verbatim ?? error.message },
      );
    }
    const evidence = `${proving.name} ${proven.head.size} ${proven.head.root.toString('base64')}`;
    return this.#log(path, version, proven, 'proven', evidence, proving.name);
  }

  async #admitComputed(
    path: string,
    version: string,
    compute: ComputeHashes,
    signal: AbortSignal,
  ): Promise<LoggedRecord> {
    await using hashes = await compute(path, version, signal);
    const source = this.#o.isPrivate(path) ? 'computed' : 'tofu';
    const record = await this.#log(path, version, hashes, source, hashes.source, hashes.source);
    // Logged first, named second: a crash in between leaves a record whose files are fetched again and compared with
    // it, never a file that is served without a record.
    await hashes.keep();
    return record;
  }

  async #log(
    path: string,
    version: string,
    { zip, mod }: { zip: string; mod: string },
    source: RecordSource,
    evidence: string,
    from: string,
  ): Promise<LoggedRecord> {
    const { sequencer } = this.#o;
    // A replica is offline, so nothing gets here; and if it did, the log of another is not ours to add to.
    if (sequencer === undefined) throw notHeld(path, version);
    const outcome = await sequencer.add({
      path,
      version,
      zip,
      mod,
      provenance: { source, firstSeen: Math.floor(this.#o.now() / 1000), evidence },
    });
    if (outcome.kind === 'conflict') {
      this.#compare({ id: -1, path, version, zip: outcome.zip, mod: outcome.mod }, { zip, mod }, from);
      throw new GokeepError('internal', `${path}@${version}: the log refused a record that does not differ`);
    }
    return { id: outcome.id, path, version, zip, mod };
  }
}

/** The 404 of a server that answers from its store only. */
export function notHeld(path: string, version?: string): GokeepError {
  return new GokeepError('not_stored', `${missing(path, version)} Ask its operator to bring it in.`);
}

/** The same where what is missing was put on the wish list; the cause is what was thrown before it was. */
export function notHeldButWished(path: string, version: string | undefined, cause: GokeepError): GokeepError {
  return new GokeepError(
    'not_stored',
    `${missing(path, version)} It goes on the wish list (gokeep bundle wishlist): ask the operator to bring it in.`,
    { cause },
  );
}

function missing(path: string, version: string | undefined): string {
  const what = version === undefined ? path : `${path}@${version}`;
  return `${what} is not held here, and this gokeep answers from its store only.`;
}
