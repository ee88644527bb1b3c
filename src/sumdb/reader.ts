import { GokeepError } from '../errors.ts';
import type { LoggedRecord, LogReader } from '../store/log-reader.ts';
import type { Incident, Provenance } from '../store/log-records.ts';
import { formatGoSumRecord } from '../tlog/go-sum-record.ts';
import { HASH_SIZE } from '../tlog/hash.ts';
import { formatRecord } from '../tlog/record.ts';
import { DATA_LEVEL, type Tile, tilePath } from '../tlog/tile.ts';
import type { SignedHead } from './log-engine.ts';

/** The only tile height that the go command asks for, and the only one we serve. */
const HEIGHT = 8;

/**
 * The reading side of our own checksum database (x/mod sumdb.ServerOps).
 *
 * Lets out only what the published head covers: a record or hash that is integrated but not yet published does not
 * exist for anybody.
 */
export class DatabaseReader {
  readonly #log: LogReader;
  readonly #head: () => SignedHead;
  readonly #sparse: boolean;

  /**
   * @param head the newest published head; asked anew for each answer. Throws where there is none yet.
   * @param o.sparse the log is a replica, which holds only what bundles brought: what is missing was never here.
   */
  constructor(log: LogReader, head: () => SignedHead, o: { readonly sparse?: boolean } = {}) {
    this.#log = log;
    this.#head = head;
    this.#sparse = o.sparse ?? false;
  }

  /** The newest published head. Throws not_stored in a replica that nothing was imported into. */
  get head(): SignedHead {
    return this.#head();
  }

  /** Throws not_stored in a replica that nothing was imported into, which is to be said before anything else is. */
  requireHead(): void {
    this.#head();
  }

  /** The record of a module version, if a published head covers it. */
  find(path: string, version: string): LoggedRecord | undefined {
    const record = this.#log.find(path, version);
    return record !== undefined && record.id < this.#head().size ? record : undefined;
  }

  /** Where a record came from. */
  provenance(id: number): Provenance | undefined {
    return this.#log.provenance(id);
  }

  /** At most `limit` published records from id `from` on; a replica has gaps between them. */
  records(from: number, limit: number): LoggedRecord[] {
    const { size } = this.#head();
    return this.#log.recordsFrom(from, limit).filter(({ id }) => id < size);
  }

  /**
   * How the log grew: times in seconds since 1970, and how many records there were then. Out of `points` records that lie at
   * equal distances, so it costs the same for every log.
   */
  growth(points: number): { readonly at: number; readonly records: number }[] {
    const { size } = this.#head();
    const step = Math.max(size / points, 1);
    const found: { at: number; records: number }[] = [];
    let latest = Number.NEGATIVE_INFINITY;
    for (let n = 0; n < points && Math.floor(n * step) < size; n++) {
      const id = Math.floor(n * step);
      const at = this.#log.firstSeenFrom(id);
      // A clock that was set back: the log grew all the same.
      if (at !== undefined) {
        latest = Math.max(latest, at);
        found.push({ at: latest, records: id });
      }
    }
    return found;
  }

  /** How many incidents there ever were. */
  incidentCount(): number {
    return this.#log.incidentCount();
  }

  /** The newest incidents, newest first. */
  incidents(limit: number): Incident[] {
    return this.#log.incidents(limit);
  }

  /** Incidents of one module path, or of one version of it and of the path as a whole; newest first. */
  incidentsOf(path: string, version: string | undefined, limit: number): Incident[] {
    return this.#log.incidentsOf(path, version, limit);
  }

  /**
   * The body of a lookup: the record's id and text, and a signed head that covers it.
   *
   * The head is read last: one read before the record was found might not cover it, and the go command would
   * answer "cannot validate record N in tree of size N".
   */
  lookupBody(record: LoggedRecord): Buffer {
    const text = formatGoSumRecord(record.path, record.version, record.zip, record.mod);
    return Buffer.concat([formatRecord(record.id, text), this.#head().note]);
  }

  /**
   * A hash tile or data tile. Throws not_found for one that the published tree does not have, not_stored for one that a
   * sparse log does not hold.
   */
  tile(tile: Tile): Buffer {
    const level = tile.level === DATA_LEVEL ? 0 : tile.level;
    const entries = Math.floor(this.#head().size / 256 ** level);
    const end = tile.n * 256 + tile.width;
    if (tile.height !== HEIGHT || end > entries) throw this.#absent(tile);
    if (tile.level === DATA_LEVEL) return this.#dataTile(tile);
    const data = this.#log.tile(tile.level, tile.n);
    if (data === undefined || data.length < tile.width * HASH_SIZE) {
      throw this.#missing(tile);
    }
    return data.subarray(0, tile.width * HASH_SIZE);
  }

  /** Records as in a lookup, without ids: each text and an empty line (x/mod sumdb.Server). */
  #dataTile(tile: Tile): Buffer {
    const records = this.#log.range(tile.n * 256, tile.n * 256 + tile.width);
    if (records.length !== tile.width) throw this.#missing(tile);
    return Buffer.concat(
      records.flatMap((record) => [
        formatGoSumRecord(record.path, record.version, record.zip, record.mod),
        Buffer.from('\n'),
      ]),
    );
  }

  #absent(tile: Tile): GokeepError {
    return new GokeepError('not_found', `the checksum database has no ${tilePath(tile)} at this size`);
  }

  #missing(tile: Tile): GokeepError {
    if (this.#sparse) {
      return new GokeepError(
        'not_stored',
        `${tilePath(tile)} of the checksum database is not held here: this is a replica of a part of it`,
      );
    }
    return new GokeepError(
      'storage_failed',
      'a tile of the checksum database is missing on the gokeep server',
      { detail: tilePath(tile) },
    );
  }
}
