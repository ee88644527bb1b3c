import { GokeepError } from '../errors.ts';
import { HASH_SIZE, type Hash, hashNodeInto } from './hash.ts';
import { isCount, splitStoredHashIndex } from './tree.ts';

/**
 * A tile of height H at level L lists `width` consecutive hashes of tree level H·L, from number n·2^H on.
 * A full tile has 2^H of them; what lies between its hashes and level H·(L+1) follows from them.
 */
export interface Tile {
  /** 1 to 30; every client uses 8. */
  readonly height: number;
  /** 0 to 63; −1 is the level of the records themselves ("data"). */
  readonly level: number;
  readonly n: number;
  /** 1 to 2^height. */
  readonly width: number;
}

/** The level of data tiles. */
export const DATA_LEVEL = -1;

const MAX_HEIGHT = 30;
const MAX_LEVEL = 63;
const TILE_PATH =
  /^tile\/([0-9]{1,2})\/(data|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,10}))?$/;

/**
 * Reads `tile/H/L/NNN[.p/W]` (x/mod tlog.ParseTilePath). Throws `bad_tile`, for every spelling but the canonical
 * one too: a path is a cache key and a file name.
 */
export function parseTilePath(path: string): Tile {
  const match = TILE_PATH.exec(path);
  if (match !== null) {
    const [, height = '', level = '', n = '', width] = match;
    const tile: Tile = {
      height: Number(height),
      level: level === 'data' ? DATA_LEVEL : Number(level),
      n: Number(n.replaceAll(/[x/]/g, '')),
      width: width === undefined ? 2 ** Number(height) : Number(width),
    };
    if (isTile(tile) && tilePath(tile) === path) return tile;
  }
  throw new GokeepError('bad_tile', 'malformed tile path: it must look like tile/8/0/x001/234.p/5');
}

/** The path of a tile: n in groups of three digits, all but the last with an `x` in front. */
export function tilePath(tile: Tile): string {
  let groups = String(tile.n % 1000).padStart(3, '0');
  for (let n = Math.floor(tile.n / 1000); n > 0; n = Math.floor(n / 1000)) {
    groups = `x${String(n % 1000).padStart(3, '0')}/${groups}`;
  }
  const level = tile.level === DATA_LEVEL ? 'data' : tile.level;
  const partial = isFull(tile) ? '' : `.p/${tile.width}`;
  return `tile/${tile.height}/${level}/${groups}${partial}`;
}

/** Whether the tile has all its hashes, so that it can never change again. */
export function isFull(tile: Tile): boolean {
  return tile.width === 2 ** tile.height;
}

/** The narrowest tile of height h that holds the stored hash. */
export function tileForIndex(h: number, index: number): Tile {
  return locate(h, index).tile;
}

/** The tiles to publish when the log grows: every one completed, and the partial one of each level that grew. */
export function newTiles(h: number, oldSize: number, newSize: number): Tile[] {
  const full = fullWidth(h);
  const tiles: Tile[] = [];
  for (let level = 0, span = 1; newSize / span >= 1; level++, span *= full) {
    const before = Math.floor(oldSize / span);
    const after = Math.floor(newSize / span);
    if (before === after) continue;
    const edge = Math.floor(after / full);
    for (let n = Math.floor(before / full); n < edge; n++) tiles.push({ height: h, level, n, width: full });
    if (after % full > 0) tiles.push({ height: h, level, n: edge, width: after % full });
  }
  return tiles;
}

/**
 * The stored hash `index` out of the tile that holds it, or a wider one.
 * Throws `bad_tile` where the data is too short or the hash lies elsewhere.
 */
export function hashFromTile(tile: Tile, data: Buffer, index: number): Hash {
  if (!isTile(tile) || tile.level === DATA_LEVEL) throw new GokeepError('bad_tile', 'not a tile of hashes');
  if (data.length < tile.width * HASH_SIZE)
    throw new GokeepError('bad_tile', 'the data of a tile is too short');
  const { tile: holder, start } = locate(tile.height, index);
  if (tile.level !== holder.level || tile.n !== holder.n || tile.width < holder.width) {
    throw new GokeepError('bad_tile', 'a hash was looked for in a tile that does not hold it');
  }
  return subtreeHash(data.subarray(start * HASH_SIZE, holder.width * HASH_SIZE));
}

/** The hash of the subtree whose lowest level is `data`: 2^k hashes, at least one. */
export function subtreeHash(data: Buffer): Hash {
  if (data.length === HASH_SIZE) return data;
  // Level by level, in one copy: a tile is 255 hashes, and a buffer for each would cost three times the hashing.
  const level = Buffer.from(data);
  for (let length = level.length; length > HASH_SIZE; length /= 2)
    for (let at = 0; at < length; at += 2 * HASH_SIZE) hashNodeInto(level, at, at / 2);
  return Buffer.from(level.subarray(0, HASH_SIZE));
}

/** Whether the coordinates are those of a tile. */
export function isTile({ height, level, n, width }: Tile): boolean {
  return (
    isCount(height) &&
    height >= 1 &&
    height <= MAX_HEIGHT &&
    Number.isInteger(level) &&
    level >= DATA_LEVEL &&
    level <= MAX_LEVEL &&
    isCount(n) &&
    isCount(width) &&
    width >= 1 &&
    width <= 2 ** height
  );
}

/** The narrowest tile for a stored hash; the hash is that of entries `start` to `tile.width` − 1. */
function locate(h: number, index: number): { tile: Tile; start: number } {
  const full = fullWidth(h);
  const { level, n } = splitStoredHashIndex(index);
  const tileLevel = Math.floor(level / h);
  const entries = 2 ** (level - tileLevel * h);
  const tileN = Math.floor((n * entries) / full);
  const start = n * entries - tileN * full;
  return { tile: { height: h, level: tileLevel, n: tileN, width: start + entries }, start };
}

function fullWidth(h: number): number {
  if (!isCount(h) || h < 1 || h > MAX_HEIGHT)
    throw new GokeepError('bad_tile', 'a tile has a height of 1 to 30');
  return 2 ** h;
}
