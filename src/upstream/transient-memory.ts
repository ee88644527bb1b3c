import { type Tile, tilePath } from '../tlog/tile.ts';
import type { DatabaseMemory } from './database-memory.ts';

/**
 * What is remembered of a database for as long as a command runs, and no longer. A fork is noticed only among the heads that
 * the database shows during that time, and the one it begins with.
 */
export class TransientMemory implements DatabaseMemory {
  #latest: Buffer | undefined;
  readonly #tiles = new Map<string, Buffer>();
  readonly #lookups = new Map<string, Buffer>();

  /** @param latest a verified note that somebody has kept */
  constructor(latest: Buffer | undefined) {
    this.#latest = latest;
  }

  latest(): Promise<Buffer | undefined> {
    return Promise.resolve(this.#latest);
  }

  advance(from: Buffer | undefined, to: Buffer): Promise<boolean> {
    const isFrom = from === undefined ? this.#latest === undefined : this.#latest?.equals(from) === true;
    if (isFrom) this.#latest = to;
    return Promise.resolve(isFrom);
  }

  tile(tile: Tile): Promise<Buffer | undefined> {
    return Promise.resolve(this.#tiles.get(tilePath(tile)));
  }

  keepTile(tile: Tile, data: Buffer): Promise<void> {
    this.#tiles.set(tilePath(tile), data);
    return Promise.resolve();
  }

  lookup(path: string, version: string): Promise<Buffer | undefined> {
    return Promise.resolve(this.#lookups.get(`${path}@${version}`));
  }

  keepLookup(path: string, version: string, body: Buffer): Promise<void> {
    this.#lookups.set(`${path}@${version}`, body);
    return Promise.resolve();
  }
}
