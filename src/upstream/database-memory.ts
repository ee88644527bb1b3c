import type { Tile } from '../tlog/tile.ts';

/**
 * What is remembered of one foreign checksum database. Durable: a promise that has resolved survives a power cut.
 *
 * The newest head is what makes a fork noticeable; losing the rest costs requests.
 */
export interface DatabaseMemory {
  /** The newest signed note that was verified. */
  latest(): Promise<Buffer | undefined>;
  /** Compare-and-swap of {@link latest}: false, and nothing changed, where it is not `from`. */
  advance(from: Buffer | undefined, to: Buffer): Promise<boolean>;
  tile(tile: Tile): Promise<Buffer | undefined>;
  /** Given verified tiles only. */
  keepTile(tile: Tile, data: Buffer): Promise<void>;
  lookup(path: string, version: string): Promise<Buffer | undefined>;
  /** Given verified answers only, which carry the head that proves them. */
  keepLookup(path: string, version: string, body: Buffer): Promise<void>;
}

/**
 * Asks the database: `/lookup/…`, `/tile/…` or `/latest`. Answers at most `maxBytes`.
 *
 * Throws `not_found` and `gone` where the database itself says so, and `upstream_*` for all other trouble.
 */
export type DatabaseFetch = (path: string, signal: AbortSignal, maxBytes: number) => Promise<Buffer>;
