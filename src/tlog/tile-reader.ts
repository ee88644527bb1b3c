import { GokeepError } from '../errors.ts';
import { HASH_SIZE, type Hash } from './hash.ts';
import { hashFromTile, isFull, subtreeHash, type Tile, tileForIndex, tilePath } from './tile.ts';
import {
  foldSubtrees,
  type HashReader,
  isCount,
  storedHashCount,
  storedHashIndex,
  subtreeIndexes,
} from './tree.ts';
import type { TreeHead } from './tree-note.ts';

/** Where tiles come from. What it reads is not believed. */
export interface TileReader {
  readonly height: number;
  /** Answers every tile, each exactly 32 × width bytes, or throws. */
  readTiles(tiles: readonly Tile[], signal?: AbortSignal): Promise<readonly Buffer[]>;
  /** Told which of the tiles it read are proven to belong to the tree, so that it may keep them. */
  saveTiles(tiles: readonly Tile[], data: readonly Buffer[]): void | Promise<void>;
}

/**
 * Reads hashes out of tiles that it proves to belong to the tree (x/mod tlog.TileHashReader of v0.40 and later).
 *
 * First the tiles at the right edge, which together must give the root; then each further tile, parents before
 * children, whose own hash must be the one its parent has for it. Without the second step any hash inside the tree
 * could be exchanged (CVE-2026-56865). Throws `bad_tile` where the tiles do not belong to the tree; nothing is
 * saved then, and it cannot be known which tile is the wrong one.
 */
export function tileHashReader(tree: TreeHead, tileReader: TileReader, signal?: AbortSignal): HashReader {
  return async (indexes) => {
    if (indexes.length === 0) return [];
    if (indexes.some((index) => !isCount(index) || index >= storedHashCount(tree.size))) {
      throw new GokeepError('bad_proof', 'a hash was asked for that is not in the tree');
    }
    const plan = planTiles(tree.size, indexes, tileReader.height);
    const data = await tileReader.readTiles(plan.tiles, signal);
    if (data.length !== plan.tiles.length)
      throw new GokeepError('internal', 'a reader of tiles left some out');
    const read = new ReadTiles(plan.tiles, data);
    authenticate(tree, plan, read);
    await tileReader.saveTiles(plan.tiles, data);
    return indexes.map((index) => read.hash(tileIn(tree.size, tileReader.height, index), index));
  };
}

interface Plan {
  readonly height: number;
  /** The stored hashes that give the root, largest subtree first. */
  readonly rootIndexes: readonly number[];
  /** Those that hold `rootIndexes`, then full tiles, parents before children. */
  readonly tiles: readonly Tile[];
  /** How many of `tiles` hold `rootIndexes`. */
  readonly edge: number;
}

function planTiles(size: number, indexes: readonly number[], height: number): Plan {
  const tiles = new Map<string, Tile>();
  const rootIndexes = subtreeIndexes(0, size);
  for (const index of rootIndexes) {
    const tile = tileIn(size, height, index);
    tiles.set(tilePath(tile), tile);
  }
  const edge = tiles.size;
  for (const index of indexes) {
    const path: Tile[] = [];
    // Up to the first tile that is planned already: that one will be proven.
    let tile = tileIn(size, height, index);
    while (!tiles.has(tilePath(tile))) {
      path.push(tile);
      tile = parentOf(tile, size);
    }
    for (const child of path.toReversed()) tiles.set(tilePath(child), child);
  }
  return { height, rootIndexes, tiles: [...tiles.values()], edge };
}

function authenticate(tree: TreeHead, plan: Plan, read: ReadTiles): void {
  const subtrees = plan.rootIndexes.map((index) => read.hash(tileIn(tree.size, plan.height, index), index));
  if (!foldSubtrees(subtrees).equals(tree.root)) throw inconsistent();
  for (const tile of plan.tiles.slice(plan.edge)) {
    const parent = parentOf(tile, tree.size);
    const want = read.hash(parent, storedHashIndex(parent.level * parent.height, tile.n));
    if (!subtreeHash(read.data(tile)).equals(want)) throw inconsistent();
  }
}

/** Tiles and their data, by path. */
class ReadTiles {
  readonly #data = new Map<string, Buffer>();

  constructor(tiles: readonly Tile[], data: readonly Buffer[]) {
    tiles.forEach((tile, i) => {
      const bytes = data[i];
      if (bytes === undefined || bytes.length !== tile.width * HASH_SIZE) {
        throw new GokeepError('bad_tile', 'a checksum database tile has the wrong length', {
          detail: `${tilePath(tile)}: ${bytes?.length} bytes`,
        });
      }
      this.#data.set(tilePath(tile), bytes);
    });
  }

  data(tile: Tile): Buffer {
    const data = this.#data.get(tilePath(tile));
    if (data === undefined) throw new GokeepError('internal', 'a tile that was needed was not planned for');
    return data;
  }

  hash(tile: Tile, index: number): Hash {
    return hashFromTile(tile, this.data(tile), index);
  }
}

/** The tile that holds the stored hash, as wide as a tree of this size has it. */
function tileIn(size: number, height: number, index: number): Tile {
  return widened(tileForIndex(height, index), size);
}

/** The tile that has the hash of this full tile as one of its entries. Only full tiles have one. */
function parentOf(tile: Tile, size: number): Tile {
  if (!isFull(tile)) throw new GokeepError('internal', 'a partial tile has no parent');
  const n = Math.floor(tile.n / 2 ** tile.height);
  return widened({ height: tile.height, level: tile.level + 1, n, width: 1 }, size);
}

function widened(tile: Tile, size: number): Tile {
  const full = 2 ** tile.height;
  const hashes = Math.floor(size / 2 ** (tile.level * tile.height)) - tile.n * full;
  if (hashes < 1) throw new GokeepError('internal', 'a tile was needed that is not in the tree');
  return { ...tile, width: Math.min(full, hashes) };
}

function inconsistent(): GokeepError {
  return new GokeepError(
    'bad_tile',
    'the checksum database sent tiles that do not belong to its signed tree',
  );
}
