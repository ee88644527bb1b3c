import { randomBytes } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../src/airgap/byte-reader.ts';
import { oneFrame, ZSTD } from '../../src/airgap/zstd-frame.ts';
import { inPieces } from './closed-site.ts';

async function through(bytes: Buffer, piece: number): Promise<Buffer> {
  const reader = new ByteReader(inPieces(bytes, piece));
  expect((await reader.read(4)).equals(ZSTD)).toBe(true);
  const parts: Buffer[] = [];
  for await (const part of oneFrame(reader)) parts.push(part);
  return Buffer.concat(parts);
}

const contents = {
  empty: Buffer.alloc(0),
  'one byte': Buffer.from('a'),
  zeros: Buffer.alloc(400_000),
  noise: randomBytes(400_000),
  text: Buffer.from('a bundle is a plain ustar archive: '.repeat(20_000)),
};

describe('a frame', () => {
  it.each(Object.entries(contents))(
    'of %s is found to its last byte, and nothing may follow',
    async (_, content) => {
      for (const checksum of [0, 1])
        for (const level of [1, 19]) {
          const params = {
            [constants.ZSTD_c_checksumFlag]: checksum,
            [constants.ZSTD_c_compressionLevel]: level,
          };
          const packed = zstdCompressSync(content, { params });
          for (const piece of [5, 1000, 1 << 20]) {
            const found = await through(packed, piece);
            expect(found.equals(packed)).toBe(true);
            expect(zstdDecompressSync(found).equals(content)).toBe(true);
            await expect(through(Buffer.concat([packed, Buffer.from('x')]), piece)).rejects.toMatchObject({
              code: 'bad_bundle',
            });
          }
        }
    },
  );

  it('that is cut off is passed on as far as it goes', async () => {
    const packed = zstdCompressSync(contents.noise);
    for (const length of [4, 5, 7, 9, 10, 100, packed.length - 1])
      expect((await through(packed.subarray(0, length), 1000)).length).toBe(length);
  });
});
