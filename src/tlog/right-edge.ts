import { GokeepError } from '../errors.ts';
import { EMPTY_ROOT, HASH_SIZE, type Hash, nodeHash } from './hash.ts';
import { foldSubtrees, isCount, MAX_TREE_SIZE } from './tree.ts';
import { subtreeHash } from './tile.ts';

const HEIGHT = 8;
const FULL_WIDTH = 2 ** HEIGHT;

/** A tile of height 8 that has changed; `data` has 32 bytes an entry, so its width is `data.length / 32`. */
export interface ChangedTile {
  readonly level: number;
  readonly n: number;
  readonly data: Buffer;
}

/** The rightmost tile of one level. `width` stays below 256: a tile that fills up leaves the edge. */
interface EdgeTile {
  n: number;
  width: number;
  data: Buffer;
  changed: boolean;
}

/**
 * The right edge of a log in tiles of height 8: all that is needed to append records and to know the root.
 *
 * Appending costs two hashes on average, and the root one for each one-bit of the size. Nothing is durable
 * here: the caller writes what {@link takeChangedTiles} hands over, and restores from it.
 */
export class RightEdge {
  #size = 0;
  /** Rightmost tile by tile level. */
  #edge: EdgeTile[] = [];
  /** The complete subtrees that make up the tree, by tree level: one for each one-bit of the size. */
  #subtrees: (Hash | undefined)[] = [];
  /** Tiles that filled up since they were last taken. */
  #filled: ChangedTile[] = [];

  /** The tree without records. */
  static empty(): RightEdge {
    return new RightEdge();
  }

  /**
   * The edge of a stored tree. `tiles` is asked for the partial tile of every level that has one (width 1 to 255) and
   * answers its 32 × width bytes. Whether they are the right bytes is for the caller to see: compare {@link root}.
   *
   * Throws `bad_tile` for data of another length and for a size that cannot be.
   */
  static restore(size: number, tiles: (level: number, n: number, width: number) => Buffer): RightEdge {
    if (!isCount(size) || size > MAX_TREE_SIZE) {
      throw new GokeepError('bad_tile', 'the stored size of the log cannot be');
    }
    const restored = new RightEdge();
    restored.#size = size;
    for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / FULL_WIDTH)) {
      const tile = newTile(Math.floor(hashes / FULL_WIDTH));
      tile.width = hashes % FULL_WIDTH;
      restored.#edge.push(tile);
      if (tile.width === 0) continue;
      const data = tiles(level, tile.n, tile.width);
      if (data.length !== tile.width * HASH_SIZE) {
        throw new GokeepError('bad_tile', 'a stored tile of the log has the wrong length', {
          detail: `level ${level}, tile ${tile.n}, width ${tile.width}: ${data.length} bytes`,
        });
      }
      tile.data.set(data);
      restored.#restoreSubtrees(level, data);
    }
    return restored;
  }

  /** Records in the tree. */
  get size(): number {
    return this.#size;
  }

  /** Adds one record by its leaf hash. */
  append(recordHash: Hash): void {
    if (recordHash.length !== HASH_SIZE) throw new GokeepError('internal', 'a record hash has 32 bytes');
    if (this.#size >= MAX_TREE_SIZE) throw new GokeepError('internal', 'the log is full');
    let hash = recordHash;
    let level = 0;
    this.#put(0, hash);
    for (;;) {
      const left = this.#subtrees[level];
      if (left === undefined) break;
      this.#subtrees[level] = undefined;
      hash = nodeHash(left, hash);
      level++;
      if (level % HEIGHT === 0) this.#put(level / HEIGHT, hash);
    }
    // The caller may use its buffer again.
    this.#subtrees[level] = level === 0 ? Buffer.from(hash) : hash;
    this.#size++;
  }

  /** The root; {@link EMPTY_ROOT} at size 0. */
  root(): Hash {
    const smallestFirst = this.#subtrees.filter((hash) => hash !== undefined);
    return smallestFirst.length === 0 ? EMPTY_ROOT : foldSubtrees(smallestFirst.toReversed());
  }

  /**
   * Every tile changed since this was last asked, or since it was restored: those that filled up, and the partial tile
   * of each level that grew. The data is not touched again.
   */
  takeChangedTiles(): ChangedTile[] {
    const taken = this.#filled;
    this.#filled = [];
    this.#edge.forEach((tile, level) => {
      if (!tile.changed) return;
      tile.changed = false;
      taken.push({ level, n: tile.n, data: Buffer.from(tile.data.subarray(0, tile.width * HASH_SIZE)) });
    });
    return taken.sort((a, b) => a.level - b.level || a.n - b.n);
  }

  /** An independent copy, with what is still to be taken: to try a batch and drop it. */
  clone(): RightEdge {
    const copy = new RightEdge();
    copy.#size = this.#size;
    copy.#edge = this.#edge.map((tile) => ({ ...tile, data: Buffer.from(tile.data) }));
    copy.#subtrees = [...this.#subtrees];
    copy.#filled = [...this.#filled];
    return copy;
  }

  #put(level: number, hash: Hash): void {
    const tile = (this.#edge[level] ??= newTile(0));
    tile.data.set(hash, tile.width * HASH_SIZE);
    tile.width++;
    tile.changed = true;
    if (tile.width < FULL_WIDTH) return;
    this.#filled.push({ level, n: tile.n, data: tile.data });
    this.#edge[level] = newTile(tile.n + 1);
  }

  /** A partial tile's entries, as the complete subtrees that the bits of its width stand for. */
  #restoreSubtrees(level: number, data: Buffer): void {
    let rest = data;
    for (let bit = HEIGHT - 1; bit >= 0; bit--) {
      const length = 2 ** bit * HASH_SIZE;
      if (rest.length < length) continue;
      this.#subtrees[level * HEIGHT + bit] = Buffer.from(subtreeHash(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
  }
}

function newTile(n: number): EdgeTile {
  return { n, width: 0, data: Buffer.alloc(FULL_WIDTH * HASH_SIZE), changed: false };
}
