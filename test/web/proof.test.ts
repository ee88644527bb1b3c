import { describe, expect, it } from 'vitest';
import { nodeHash, recordHash } from '../../src/tlog/hash.ts';
import { parseTilePath, subtreeHash } from '../../src/tlog/tile.ts';

/** The script that browsers run. */
const { rootFrom, parseLookup, check } = (await import(
  new URL('../../assets/page.js', import.meta.url).href
)) as {
  rootFrom: (
    id: number,
    leaf: Uint8Array,
    size: number,
    readTile: (path: string) => Promise<Uint8Array>,
  ) => Promise<{ root: Uint8Array; tiles: string[] }>;
  parseLookup: (body: string) => { id: number; record: string; size: number };
  check: (
    claim: object,
    get: (url: string) => Promise<Response>,
  ) => Promise<{ problem?: string; signed?: boolean }>;
};

const leaves = Array.from({ length: 70_000 }, (_, n) => recordHash(Buffer.from(`${n}`)));
/** Each level's full tiles' hashes, as they make the level above. */
const levels = [leaves];
for (let level = levels[0]!; level.length >= 256; level = levels.at(-1)!)
  levels.push(
    Array.from({ length: Math.floor(level.length / 256) }, (_, n) =>
      subtreeHash(Buffer.concat(level.slice(n * 256, n * 256 + 256))),
    ),
  );

const readTile = async (path: string) => {
  const { level, n, width } = parseTilePath(path);
  const hashes = levels[level]!.slice(n * 256, n * 256 + width);
  if (hashes.length !== width) throw new Error(`no ${path}`);
  return new Uint8Array(Buffer.concat(hashes));
};

/** RFC 6962, section 2.1, word for word. */
function rootOf(lo: number, hi: number): Buffer {
  if (hi - lo === 1) return leaves[lo]!;
  let k = 1;
  while (k * 2 < hi - lo) k *= 2;
  return nodeHash(rootOf(lo, lo + k), rootOf(lo + k, hi));
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('the root that a browser computes', () => {
  const sizes = [
    1, 2, 3, 5, 7, 8, 255, 256, 257, 511, 512, 513, 1000, 65_535, 65_536, 65_537, 66_000, 70_000,
  ];
  it.each(sizes)('is that of the tree of %i records, from any of them', async (size) => {
    const expected = hex(rootOf(0, size));
    for (const id of new Set([0, 1, Math.floor(size / 2), 255, 256, size - 2, size - 1])) {
      if (id < 0 || id >= size) continue;
      const { root } = await rootFrom(id, leaves[id]!, size, readTile);
      expect([id, hex(root)]).toEqual([id, expected]);
    }
  });

  it('is another one for another record, another place, or another tile', async () => {
    const size = 1000;
    const expected = hex(rootOf(0, size));
    expect(hex((await rootFrom(5, recordHash(Buffer.from('x')), size, readTile)).root)).not.toBe(expected);
    expect(hex((await rootFrom(6, leaves[5]!, size, readTile)).root)).not.toBe(expected);
    const { tiles } = await rootFrom(5, leaves[5]!, size, readTile);
    for (const changed of tiles) {
      const lying = async (path: string) => {
        const bytes = await readTile(path);
        // The last hash of each is beside the way from this record to the root.
        if (path === changed) bytes[bytes.length - 1]! ^= 1;
        return bytes;
      };
      expect(hex((await rootFrom(5, leaves[5]!, size, lying)).root)).not.toBe(expected);
    }
  });

  it('is not computed from tiles of another width', async () => {
    await expect(rootFrom(5, leaves[5]!, 1000, async () => new Uint8Array(32))).rejects.toThrow('bytes');
  });
});

describe('an answer to a lookup', () => {
  const body = '3\na v1 h1:x\na v1/go.mod h1:y\n\ngo.sum database tree\n5\nAAAA\n\n— n sig\n';

  it('is read', () => {
    expect(parseLookup(body)).toMatchObject({ id: 3, record: 'a v1 h1:x\na v1/go.mod h1:y\n', size: 5 });
  });

  it('is refused where it is none, or is of another record', async () => {
    for (const text of [
      '',
      '3\n',
      '<html>\n\n<p>\n\nx',
      body.replace('3\n', '-1\n'),
      body.replace('tree', 'bush'),
    ])
      expect(() => parseLookup(text)).toThrow('no record');
    const claim = { module: 'a', version: 'v1', zip: 'h1:z', mod: 'h1:y', key: '', lookup: '', database: '' };
    expect((await check(claim, async () => new Response(body))).problem).toContain('another record');
    const same = { ...claim, zip: 'h1:x' };
    const beyond = body.replace('3\n', '5\n');
    expect((await check(same, async () => new Response(beyond))).problem).toContain('beyond');
  });
});
