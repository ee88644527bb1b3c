import { type ErrorCode, GokeepError, hasCode } from '../errors.ts';
import { escapePath, escapeVersion } from '../module/escape.ts';
import type { Verifier } from '../note/verifier.ts';
import { formatDataTile, parseDataTile } from '../tlog/data-tile.ts';
import { type Hash, recordHash } from '../tlog/hash.ts';
import { parseRecord } from '../tlog/record.ts';
import { DATA_LEVEL, isTile, type Tile, tilePath } from '../tlog/tile.ts';
import { type TileReader, tileHashReader } from '../tlog/tile-reader.ts';
import { storedHashIndex } from '../tlog/tree.ts';
import type { TreeHead } from '../tlog/tree-note.ts';
import type { DatabaseFetch, DatabaseMemory } from './database-memory.ts';
import { DatabaseTiles, FULL_WIDTH, TILE_HEIGHT, type TileAccess } from './database-tiles.ts';
import { DatabaseTimeline, type ForkEvidence, type SignedHead } from './database-timeline.ts';
import { prove, type ProvenRecord } from './proven-record.ts';
import { requiredFetch } from './required-fetch.ts';
import { SharedWork } from './shared-work.ts';

export type { DatabaseFetch, DatabaseMemory } from './database-memory.ts';
export type { ForkEvidence } from './database-timeline.ts';
export type { ProvenRecord } from './proven-record.ts';

export interface DatabaseAccess {
  readonly signal: AbortSignal;
  /** From memory only; throws `not_stored` for what it does not hold. */
  readonly offline?: boolean;
}

export interface ChecksumDatabaseOptions {
  readonly verifier: Verifier;
  readonly memory: DatabaseMemory;
  readonly fetch: DatabaseFetch;
  /** Told once, when two signed heads contradict each other. */
  readonly onFork?: (evidence: ForkEvidence) => void;
  /** Evidence of a fork is on file: believe nothing until a person has cleared it. */
  readonly frozen?: boolean;
}

const MAX_LOOKUP = 1_100_000;
const MAX_LATEST = 1_000_000;
/** 256 records with the longest paths there are. */
const MAX_DATA_TILE = 4 * 1024 * 1024;
const MAX_PROVEN_AT_HAND = 1024;
/** And how many bytes of them: the texts of records and heads are as long as their database likes. */
const MAX_PROVEN_BYTES = 8 * 2 ** 20;

/**
 * The client of a foreign checksum database (x/mod sumdb.Client, but stricter).
 *
 * All that the database and whoever stands in between send is attacker-controlled until it is proven: a note by its
 * signature, a head by its consistency with every head seen before, a tile by its parent or the head, a
 * record by its place in a tile. Failures are never remembered. After a fork everything throws `fork`.
 */
export class ChecksumDatabase {
  readonly #memory: DatabaseMemory;
  readonly #fetch: DatabaseFetch;
  readonly #fetchRequired: DatabaseFetch;
  readonly #timeline: DatabaseTimeline;
  readonly #tiles: DatabaseTiles;
  readonly #lookups = new SharedWork<ProvenRecord>();
  readonly #tileRequests = new SharedWork<Buffer>();
  readonly #latestRequests = new SharedWork<SignedHead>();
  readonly #proven = new Map<string, ProvenRecord>();
  #provenBytes = 0;

  constructor(options: ChecksumDatabaseOptions) {
    const { verifier, memory, fetch, onFork = () => {}, frozen = false } = options;
    this.#memory = memory;
    this.#fetch = fetch;
    this.#fetchRequired = requiredFetch(fetch);
    this.#timeline = new DatabaseTimeline(verifier, memory, onFork, frozen);
    this.#tiles = new DatabaseTiles(memory, this.#fetchRequired);
  }

  /**
   * The record of one module version, proven.
   *
   * Throws `not_found` or `gone` where the database says so, `bad_path`, `bad_version`, `bad_record`, `bad_note`,
   * `bad_tile` or `bad_proof` where it does not prove what it says, `fork`, and whatever fetching throws.
   */
  async lookup(
    path: string,
    version: string,
    { signal, offline = false }: DatabaseAccess,
  ): Promise<ProvenRecord> {
    const request = `/lookup/${escapePath(path)}@${escapeVersion(version)}`;
    this.#timeline.checkFrozen();
    const atHand = this.#proven.get(request);
    if (atHand !== undefined) return atHand;
    try {
      if (!offline) {
        return await this.#lookups.do(request, signal, (shared) =>
          this.#find(path, version, request, shared),
        );
      }
      const recalled = await this.#recall(path, version, request, signal);
      if (recalled !== undefined) return recalled;
    } catch (error) {
      throw aboutModule(path, version, error);
    }
    throw notStored(`the checksum database record of ${path}@${version}`);
  }

  /**
   * A tile of height 8, proven; data tiles end every record with a blank line.
   *
   * Throws `bad_tile` for what is no tile, `not_found` for other heights and for tiles beyond the newest head, which is
   * asked for first.
   */
  async tile(tile: Tile, { signal, offline = false }: DatabaseAccess): Promise<Buffer> {
    if (!isTile(tile)) throw new GokeepError('bad_tile', 'malformed tile coordinates');
    if (tile.height !== TILE_HEIGHT) {
      throw new GokeepError('not_found', 'only tiles of height 8 are served for the checksum database');
    }
    await this.#timeline.newest();
    const remembered =
      tile.level === DATA_LEVEL ? await this.#recallRecords(tile) : await this.#tiles.remembered(tile);
    if (remembered !== undefined) return remembered;
    const produce = (shared: AbortSignal) => this.#produceTile(tile, { signal: shared, offline });
    return offline ? produce(signal) : this.#tileRequests.do(tilePath(tile), signal, produce);
  }

  /** The newest signed note, asked for now; at least as new as any seen before. */
  async latest({ signal, offline = false }: DatabaseAccess): Promise<Buffer> {
    const newest = await this.#timeline.newest();
    if (!offline) return (await this.#refresh(signal)).note;
    if (newest === undefined) throw notStored('a tree head of the checksum database');
    return newest.note;
  }

  /**
   * Places a signed note on the timeline that came another way than as an answer; the newest head is durable then. Throws as a
   * lookup does, and offline `not_stored` where remembered tiles do not prove it.
   */
  async learn(note: Buffer, { signal, offline = false }: DatabaseAccess): Promise<void> {
    await this.#withTiles({ signal, offline }, (tiles) => this.#timeline.merge(note, tiles));
  }

  async #find(path: string, version: string, request: string, signal: AbortSignal): Promise<ProvenRecord> {
    const recalled = await this.#recall(path, version, request, signal);
    if (recalled !== undefined) return recalled;
    const record = parseRecord(await this.#fetch(request, signal, MAX_LOOKUP));
    const proven = await this.#withTiles({ signal, offline: false }, async (tiles) =>
      prove(path, version, record, await this.#timeline.merge(record.rest, tiles), tiles),
    );
    await this.#memory.keepLookup(path, version, proven.body);
    this.#putAtHand(request, proven);
    return proven;
  }

  /**
   * A remembered lookup, proven again from remembered tiles against the head that it was kept with; undefined where
   * that fails for whatever reason, so that it is asked for anew. That head was on the timeline when it was kept.
   */
  async #recall(
    path: string,
    version: string,
    request: string,
    signal: AbortSignal,
  ): Promise<ProvenRecord | undefined> {
    const newest = await this.#timeline.newest();
    const body = await this.#memory.lookup(path, version);
    if (body === undefined || newest === undefined) return undefined;
    try {
      const record = parseRecord(body);
      const signed = this.#timeline.open(record.rest);
      if (signed.head.size > newest.head.size) return undefined;
      const proven = await this.#withTiles({ signal, offline: true }, (tiles) =>
        prove(path, version, record, signed, tiles),
      );
      this.#putAtHand(request, proven);
      return proven;
    } catch (error) {
      if (hasCode(error, 'bad_record', 'bad_note', 'bad_tile', 'bad_proof', 'not_stored')) return undefined;
      throw error;
    }
  }

  async #refresh(signal: AbortSignal): Promise<SignedHead> {
    return this.#latestRequests.do('latest', signal, async (shared) => {
      const note = await this.#fetchRequired('/latest', shared, MAX_LATEST);
      return this.#withTiles({ signal: shared, offline: false }, (tiles) =>
        this.#timeline.merge(note, tiles),
      );
    });
  }

  async #produceTile(tile: Tile, access: TileAccess): Promise<Buffer> {
    const { head } = await this.#headThatCovers(tile, access);
    return tile.level === DATA_LEVEL
      ? this.#produceRecords(tile, head, access)
      : Buffer.concat(await this.#hashes(tile, head, access));
  }

  /** Tiles are asked for as wide as the tree has them, so that what is proven and kept serves other widths. */
  async #produceRecords(tile: Tile, head: TreeHead, access: TileAccess): Promise<Buffer> {
    if (access.offline) throw notStored('a data tile of the checksum database');
    const full = { ...tile, width: FULL_WIDTH };
    const wide = entriesInTree(tile, head.size) >= FULL_WIDTH ? full : tile;
    const data = await this.#fetchRequired(`/${tilePath(wide)}`, access.signal, MAX_DATA_TILE);
    const texts = parseDataTile(data, wide.width);
    const hashes = await this.#hashes({ ...wide, level: 0 }, head, access);
    texts.forEach((text, i) => {
      if (hashes[i]?.equals(recordHash(text)) === true) return;
      throw new GokeepError(
        'bad_proof',
        'the checksum database sent a data tile with a record that is not in its log',
      );
    });
    await this.#memory.keepTile(wide, formatDataTile(texts));
    return formatDataTile(texts.slice(0, tile.width));
  }

  async #recallRecords(tile: Tile): Promise<Buffer | undefined> {
    const exact = await this.#memory.tile(tile);
    if (exact !== undefined) return exact;
    const full = await this.#memory.tile({ ...tile, width: FULL_WIDTH });
    return full && formatDataTile(parseDataTile(full, FULL_WIDTH).slice(0, tile.width));
  }

  /** The entries of a hash tile, proven. */
  #hashes(tile: Tile, head: TreeHead, access: TileAccess): Promise<readonly Hash[]> {
    const level = tile.level * TILE_HEIGHT;
    const first = tile.n * FULL_WIDTH;
    const indexes = Array.from({ length: tile.width }, (_, i) => storedHashIndex(level, first + i));
    return this.#withTiles(access, (tiles) => tileHashReader(head, tiles)(indexes));
  }

  async #headThatCovers(tile: Tile, access: TileAccess): Promise<SignedHead> {
    const covers = (signed: SignedHead) => entriesInTree(tile, signed.head.size) >= tile.width;
    const newest = await this.#timeline.newest();
    if (newest !== undefined && covers(newest)) return newest;
    if (access.offline) throw notStored('a tile of the checksum database');
    const refreshed = await this.#refresh(access.signal);
    if (covers(refreshed)) return refreshed;
    throw new GokeepError('not_found', 'the checksum database has no such tile yet');
  }

  /** Reads tiles; once more past the memory where damage to what it holds may be why they do not fit together. */
  async #withTiles<T>(access: TileAccess, work: (tiles: TileReader) => Promise<T>): Promise<T> {
    const tiles = this.#tiles.forRequest(access);
    try {
      const result = await work(tiles);
      await tiles.kept();
      return result;
    } catch (error) {
      const retry = hasCode(error, 'bad_tile') && tiles.usedMemory && !access.offline && !access.refetch;
      if (!retry) throw error;
    } finally {
      tiles.release();
    }
    return this.#withTiles({ ...access, refetch: true }, work);
  }

  #putAtHand(request: string, proven: ProvenRecord): void {
    // An asker with and one without network may both have found it: it counts once.
    if (this.#proven.has(request)) return;
    const bytes = proven.text.length + proven.note.length + proven.body.length;
    if (this.#proven.size >= MAX_PROVEN_AT_HAND || this.#provenBytes + bytes > MAX_PROVEN_BYTES) {
      this.#proven.clear();
      this.#provenBytes = 0;
    }
    this.#proven.set(request, proven);
    this.#provenBytes += bytes;
  }
}

/** How many entries of the tile's place a tree of this size has; may be negative. */
function entriesInTree(tile: Tile, size: number): number {
  return Math.floor(size / FULL_WIDTH ** Math.max(tile.level, 0)) - tile.n * FULL_WIDTH;
}

function notStored(what: string): GokeepError {
  return new GokeepError('not_stored', `${what} is not stored here, and we are not to ask for it`);
}

/** What keeps a record from being proven. An absence of the record itself speaks for itself. */
const UNPROVEN: readonly ErrorCode[] = [
  'bad_record',
  'bad_note',
  'bad_tile',
  'bad_proof',
  'upstream_refused',
  'upstream_failed',
  'upstream_unreachable',
  'upstream_timeout',
];

/** Names the module in what is wrong with an answer about it: the answer may be a tile, which names nothing. */
function aboutModule(path: string, version: string, error: unknown): unknown {
  if (!hasCode(error, ...UNPROVEN)) return error;
  return new GokeepError(error.code, `${path}@${version} cannot be verified: ${error.message}`, {
    cause: error,
    ...(error.detail === undefined ? {} : { detail: error.detail }),
  });
}
