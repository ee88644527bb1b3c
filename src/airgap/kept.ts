import { GokeepError } from '../errors.ts';
import type { LogReader } from '../store/log-reader.ts';
import type { ModuleFile, ModuleStore } from '../store/module-store.ts';
import type { UpstreamReader } from '../store/upstream-reader.ts';
import { formatGoSumRecord } from '../tlog/go-sum-record.ts';
import { HASH_SIZE } from '../tlog/hash.ts';
import { parseRecord } from '../tlog/record.ts';
import type { Tile } from '../tlog/tile.ts';

const FULL = 256;

/**
 * What lies in the data directory of one checksum database, read beside the server: so it need not be asked for each record
 * and tile. Nothing of it is believed before it is proven.
 */
export interface KeptDatabase {
  /** The newest signed head. */
  latest(): Buffer | undefined;
  record(path: string, version: string): { id: number; text: Buffer } | undefined;
  /** As wide as asked for. */
  tile(tile: Tile): Buffer | undefined;
}

/** Our own log. */
export function keptLog(log: LogReader): KeptDatabase {
  let published = 0;
  return {
    latest: () => log.publishedHead()?.note,
    record: (path, version) => {
      const record = log.find(path, version);
      if (record === undefined) return undefined;
      if (record.id >= published) published = log.publishedHead()?.size ?? 0;
      // The server waits for the head that covers it.
      if (record.id >= published) return undefined;
      return { id: record.id, text: formatGoSumRecord(path, version, record.zip, record.mod) };
    },
    tile: ({ level, n, width }) => cut(log.tile(level, n), width),
  };
}

/** A public database, as far as its answers are remembered. */
export function rememberedDatabase(remembered: UpstreamReader, name: string): KeptDatabase {
  return {
    latest: () => remembered.head(name),
    record: (path, version) => {
      const body = remembered.lookup(name, path, version);
      if (body === undefined) return undefined;
      try {
        return parseRecord(body);
      } catch (error) {
        // Damaged: the server asks for it anew.
        if (error instanceof GokeepError) return undefined;
        throw error;
      }
    },
    tile: (tile) =>
      cut(remembered.tile(name, tile) ?? remembered.tile(name, { ...tile, width: FULL }), tile.width),
  };
}

/** Module files that are held and on record: what the server would answer without asking anybody. */
export class KeptModules {
  readonly #store: ModuleStore;
  readonly #log: LogReader;

  constructor(store: ModuleStore, log: LogReader) {
    this.#store = store;
    this.#log = log;
  }

  has(kind: ModuleFile, path: string, version: string): boolean {
    return this.#store.sizeNow(kind, path, version) !== undefined && this.#isOnRecord(path, version);
  }

  async read(kind: ModuleFile, path: string, version: string): Promise<Buffer | undefined> {
    return this.#isOnRecord(path, version) ? this.#store.read(kind, path, version) : undefined;
  }

  #isOnRecord(path: string, version: string): boolean {
    return this.#log.find(path, version) !== undefined;
  }
}

function cut(tile: Buffer | undefined, width: number): Buffer | undefined {
  return tile === undefined || tile.length < width * HASH_SIZE
    ? undefined
    : tile.subarray(0, width * HASH_SIZE);
}
