import { readFileSync } from 'node:fs';
import type { Hash } from '../../src/tlog/hash.ts';
import type { Tile } from '../../src/tlog/tile.ts';

/** What golang.org/x/mod answers: test/testdata/golden/tlog. */
export function golden(name: 'tree' | 'tile' | 'record' | 'note'): unknown {
  return JSON.parse(readFileSync(new URL(`../testdata/golden/tlog/${name}.json`, import.meta.url), 'utf8'));
}

export type Coordinates = readonly [height: number, level: number, n: number, width: number];

export function tileOf([height, level, n, width]: Coordinates): Tile {
  return { height, level, n, width };
}

export function fromBase64(text: string): Hash {
  return Buffer.from(text, 'base64');
}
