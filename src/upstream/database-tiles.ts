import { GokeepError, hasCode } from '../errors.ts';
import { HASH_SIZE } from '../tlog/hash.ts';
import { isFull, type Tile, tilePath } from '../tlog/tile.ts';
import type { TileReader } from '../tlog/tile-reader.ts';
import type { DatabaseFetch, DatabaseMemory } from './database-memory.ts';
import { SharedWork } from './shared-work.ts';

/** The only height that clients, and so we, use. */
export const TILE_HEIGHT = 8;
export const FULL_WIDTH = 2 ** TILE_HEIGHT;

/** Proven tiles kept at hand, 8 KiB each: the right edge is read for every lookup. */
const MAX_AT_HAND = 256;

/** How one request reads tiles. */
export interface TileAccess {
  readonly signal: AbortSignal;
  /** From memory only. */
  readonly offline: boolean;
  /** Past the memory: what it holds turned out to be damaged. */
  readonly refetch?: boolean;
}

/** The hash tiles of a foreign database, each fetched once however many requests need it at a time. */
export class DatabaseTiles {
  readonly #memory: DatabaseMemory;
  readonly #fetch: DatabaseFetch;
  readonly #fetching = new SharedWork<Buffer>();
  readonly #unproven = new Map<string, Buffer>();
  readonly #atHand = new Map<string, Buffer>();

  /** `fetch` throws `upstream_failed` for a tile that is not there. */
  constructor(memory: DatabaseMemory, fetch: DatabaseFetch) {
    this.#memory = memory;
    this.#fetch = fetch;
  }

  forRequest(access: TileAccess): RequestTiles {
    return new RequestTiles(this, access);
  }

  /** A proven tile, cut from a full one where that is what is held. */
  async remembered(tile: Tile): Promise<Buffer | undefined> {
    const exact = await this.#held(tile);
    if (exact !== undefined || isFull(tile)) return exact;
    const full = await this.#held({ ...tile, width: FULL_WIDTH });
    return full?.subarray(0, tile.width * HASH_SIZE);
  }

  /** A tile from the database; every byte of it is still to be proven. */
  async fetched(tile: Tile, signal: AbortSignal): Promise<Buffer> {
    const path = tilePath(tile);
    const unproven = this.#unproven.get(path);
    if (unproven !== undefined) return unproven;
    return this.#fetching.do(path, signal, async (shared) => {
      const data = await this.#fetchOrCut(tile, shared);
      if (!shared.aborted) this.#unproven.set(path, data);
      return data;
    });
  }

  /** Lets go of what a request fetched: by now it is proven and kept, or of no use. */
  release(tile: Tile): void {
    this.#unproven.delete(tilePath(tile));
  }

  /** Keeps a proven tile; resolves when that is durable. */
  async keep(tile: Tile, data: Buffer): Promise<void> {
    this.#putAtHand(tilePath(tile), data);
    await this.#memory.keepTile(tile, data);
  }

  async #held(tile: Tile): Promise<Buffer | undefined> {
    const path = tilePath(tile);
    const data = this.#atHand.get(path) ?? (await this.#memory.tile(tile));
    if (data?.length !== tile.width * HASH_SIZE) return undefined;
    this.#putAtHand(path, data);
    return data;
  }

  /** A partial tile that is gone has become a full one (x/mod Client.readTile). */
  async #fetchOrCut(tile: Tile, signal: AbortSignal): Promise<Buffer> {
    try {
      return await this.#fetchExact(tile, signal);
    } catch (error) {
      if (isFull(tile) || !hasCode(error, 'upstream_failed')) throw error;
      try {
        const full = await this.#fetchExact({ ...tile, width: FULL_WIDTH }, signal);
        return full.subarray(0, tile.width * HASH_SIZE);
      } catch {
        throw error;
      }
    }
  }

  async #fetchExact(tile: Tile, signal: AbortSignal): Promise<Buffer> {
    const size = tile.width * HASH_SIZE;
    const data = await this.#fetch(`/${tilePath(tile)}`, signal, size);
    if (data.length === size) return data;
    throw new GokeepError('bad_tile', 'the checksum database sent a tile of the wrong length', {
      detail: `${tilePath(tile)}: ${data.length} bytes`,
    });
  }

  #putAtHand(path: string, data: Buffer): void {
    this.#atHand.delete(path);
    this.#atHand.set(path, data);
    if (this.#atHand.size <= MAX_AT_HAND) return;
    for (const oldest of this.#atHand.keys()) {
      this.#atHand.delete(oldest);
      break;
    }
  }
}

/** The tiles that one request reads. To be released when it is over. */
export class RequestTiles implements TileReader {
  readonly height = TILE_HEIGHT;
  readonly #tiles: DatabaseTiles;
  readonly #access: TileAccess;
  readonly #fetched = new Map<string, Tile>();
  readonly #keeping = new Map<string, Promise<void>>();
  #usedMemory = false;
  #released = false;

  constructor(tiles: DatabaseTiles, access: TileAccess) {
    this.#tiles = tiles;
    this.#access = access;
  }

  /** Whether a tile came out of memory: if the tiles do not fit together, that may be why. */
  get usedMemory(): boolean {
    return this.#usedMemory;
  }

  readTiles(tiles: readonly Tile[]): Promise<Buffer[]> {
    return Promise.all(tiles.map((tile) => this.#read(tile)));
  }

  /** Called for proven tiles only. Keeping goes on in the background until {@link kept}. */
  saveTiles(tiles: readonly Tile[], data: readonly Buffer[]): void {
    tiles.forEach((tile, i) => {
      const path = tilePath(tile);
      const bytes = data[i];
      if (bytes === undefined || !this.#fetched.has(path) || this.#keeping.has(path)) return;
      const keeping = this.#tiles.keep(tile, bytes);
      // Reported by kept(); until then nobody listens.
      keeping.catch(() => {});
      this.#keeping.set(path, keeping);
    });
  }

  /** Resolves when all proven tiles are durable. */
  async kept(): Promise<void> {
    await Promise.all(this.#keeping.values());
  }

  release(): void {
    this.#released = true;
    for (const tile of this.#fetched.values()) this.#tiles.release(tile);
  }

  async #read(tile: Tile): Promise<Buffer> {
    if (this.#access.refetch !== true) {
      const remembered = await this.#tiles.remembered(tile);
      if (remembered !== undefined) {
        this.#usedMemory = true;
        return remembered;
      }
    }
    if (this.#access.offline) {
      throw new GokeepError(
        'not_stored',
        'a tile of the checksum database that is needed here is not stored, and we are not to ask for it',
        { detail: tilePath(tile) },
      );
    }
    this.#fetched.set(tilePath(tile), tile);
    try {
      return await this.#tiles.fetched(tile, this.#access.signal);
    } finally {
      // The request may have ended on the failure of another tile.
      if (this.#released) this.#tiles.release(tile);
    }
  }
}
