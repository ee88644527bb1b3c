import { describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { verifyModuleZip, type ZipFacts } from '../../src/modzip/verify.ts';
import type { ZipSource } from '../../src/modzip/zip-source.ts';
import { golden } from '../module/golden.ts';
import { memorySource, zipOf } from './zip.ts';

interface ZipVector {
  name: string;
  path: string;
  version: string;
  /** Go's hash; empty when Go refuses. */
  h1: string;
  refusal: string;
  /** We refuse what Go accepts. */
  strict: boolean;
  /** In base64. */
  zip: string;
}

const vectors = golden('zips.json') as ZipVector[];
const { path, version } = { path: 'x.y/Z', version: 'v1.2.3' };
const prefix = 'x.y/Z@v1.2.3/';

async function verdict(source: ZipSource, at = version): Promise<ZipFacts | GokeepError> {
  try {
    return await verifyModuleZip(source, path, at);
  } catch (error) {
    if (error instanceof GokeepError) return error;
    throw error;
  }
}

describe('a zip that Go accepts has the h1 hash that Go gives it', () => {
  it.each(vectors.filter((v) => v.h1 !== '' && !v.strict))('$name', async (v) => {
    expect(await verdict(memorySource(Buffer.from(v.zip, 'base64')), v.version)).toMatchObject({ h1: v.h1 });
  });
});

describe('a zip that Go refuses is refused, in one sentence that names the module', () => {
  it.each(vectors.filter((v) => v.h1 === ''))('$name', async (v) => {
    const error = await verdict(memorySource(Buffer.from(v.zip, 'base64')), v.version);
    expect(error).toMatchObject({ code: expect.stringMatching(/^bad_(zip|version)$/) });
    expect((error as GokeepError).message).toMatch(/^(The zip of|Version) \P{C}*x\.y\/Z\P{C}*\.$/u);
  });
});

describe('a zip in which two readers could see different files is refused, though Go takes it', () => {
  it.each(vectors.filter((v) => v.strict))('$name', async (v) => {
    expect(await verdict(memorySource(Buffer.from(v.zip, 'base64')))).toMatchObject({ code: 'bad_zip' });
  });
});

it('a zip with one bit flipped is refused, or hashes as it does in Go', async () => {
  const [flips] = golden('zip-flips.json') as [{ zip: string; accepted: Record<string, number[]> }];
  const h1ByBit = new Map(
    Object.entries(flips.accepted).flatMap(([h1, bits]) => bits.map((bit) => [bit, h1] as const)),
  );
  const original = Buffer.from(flips.zip, 'base64');
  const wrong: unknown[] = [];
  let accepted = 0;
  for (let bit = 0; bit < original.length * 8; bit++) {
    const flipped = Buffer.from(original);
    flipped[Math.floor(bit / 8)]! ^= 1 << (bit % 8);
    const facts = await verdict(memorySource(flipped));
    if (facts instanceof GokeepError) continue;
    accepted++;
    if (facts.h1 !== h1ByBit.get(bit)) wrong.push({ bit, ours: facts.h1, go: h1ByBit.get(bit) });
  }
  expect(wrong).toEqual([]);
  // Times, versions, attributes: bits that say nothing about content.
  expect(accepted).toBeGreaterThan(100);
  expect(accepted).toBeLessThan(h1ByBit.size);
});

it.each(golden('zip-counts.json') as { files: number; h1: string }[])(
  'a module of $files files is accepted: zip64 where Go writes it',
  async ({ files, h1 }) => {
    const names = Array.from({ length: files }, (_, i) => `${prefix}${i}`);
    expect(await verdict(memorySource(zipOf(names.map((name) => ({ name })))))).toMatchObject({ h1, files });
  },
);

it('the facts are those of the content', async () => {
  const files = [
    { name: `${prefix}sub/` },
    { name: `${prefix}go.mod`, content: Buffer.from('module x.y/Z\n') },
    { name: `${prefix}sub/a`, content: Buffer.alloc(3_000_000, 'abc') },
  ];
  expect(await verdict(memorySource(zipOf(files)))).toMatchObject({
    files: 2,
    uncompressedBytes: 3_000_013,
    goMod: Buffer.from('module x.y/Z\n'),
  });
});

it('a refusal names the file and the rule', async () => {
  const error = await verdict(memorySource(zipOf([{ name: `${prefix}a/con` }])));
  expect(error).toMatchObject({
    code: 'bad_zip',
    message:
      'The zip of x.y/Z@v1.2.3 was refused: file "x.y/Z@v1.2.3/a/con": "con" is a reserved name on Windows.',
  });
});

it('a path or version that is none is refused as such', async () => {
  const source = memorySource(zipOf([]));
  await expect(verifyModuleZip(source, 'x.y/../z', version)).rejects.toMatchObject({ code: 'bad_path' });
  await expect(verifyModuleZip(source, path, 'v2.0.0')).rejects.toMatchObject({ code: 'bad_version' });
  await expect(verifyModuleZip(source, path, 'v1.2')).rejects.toMatchObject({ code: 'bad_version' });
});

it('a source that fails is not the zip’s fault', async () => {
  const bytes = zipOf([{ name: `${prefix}a`, content: Buffer.alloc(3_000_000) }]);
  for (const failing of [1, 2, 3, 4]) {
    let reads = 0;
    const source: ZipSource = {
      size: bytes.length,
      async read(position, length) {
        if (++reads === failing) throw new Error('disk on fire');
        return bytes.subarray(position, position + length);
      },
    };
    await expect(verifyModuleZip(source, path, version)).rejects.toThrow('disk on fire');
  }
});

it('a source that gives less than asked for is a zip cut short', async () => {
  const bytes = zipOf([{ name: `${prefix}a`, content: Buffer.from('x') }]);
  const source: ZipSource = {
    size: bytes.length,
    read: async (position, length) => bytes.subarray(position, position + length - 1),
  };
  expect(await verdict(source)).toMatchObject({ code: 'bad_zip', message: /cut short/ });
});
