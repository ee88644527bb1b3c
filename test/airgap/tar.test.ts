import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../src/airgap/byte-reader.ts';
import { BLOCK, END, formatHeader, readHeader } from '../../src/airgap/tar.ts';
import { inPieces } from './closed-site.ts';
import { archive } from './made-bundle.ts';

const read = (bytes: Buffer, size?: number) => readHeader(new ByteReader(inPieces(bytes, size)), 'before');
const element = fc.stringMatching(/^[a-z0-9.@!_-]{1,120}$/);
const name = fc.array(element, { minLength: 1, maxLength: 12 }).map((parts) => `x${parts.join('/')}`);

describe('a header', () => {
  it('is read as it was written, for every name and size, in whatever pieces it comes', async () => {
    await fc.assert(
      fc.asyncProperty(
        name,
        fc.nat(8 ** 11 - 1),
        fc.integer({ min: 1, max: 2000 }),
        async (n, size, piece) => {
          expect(await read(formatHeader({ name: n, size }), piece)).toEqual({ name: n, size });
        },
      ),
    );
  });

  it('with any byte changed is refused', async () => {
    await fc.assert(
      fc.asyncProperty(name, fc.nat(), fc.integer({ min: 1, max: 255 }), async (n, position, change) => {
        const header = formatHeader({ name: n, size: 1000 });
        header[position % header.length]! ^= change;
        await expect(read(header)).rejects.toMatchObject({ code: 'bad_bundle' });
      }),
    );
  });

  it('is not written for what it cannot hold', () => {
    for (const bad of ['', 'a b', 'a\0', 'ü', 'a\n', 'x'.repeat(8193)])
      expect(() => formatHeader({ name: bad, size: 1 })).toThrow('cannot hold');
    expect(() => formatHeader({ name: 'x', size: 8 ** 11 })).toThrow('cannot hold');
  });

  it('whose pax record has another key, or more than one, is refused', async () => {
    const long = `x/${'y'.repeat(300)}`;
    const header = formatHeader({ name: long, size: 5 });
    for (const [from, to] of [
      [' path=', ' comm='],
      [' path=', ' PATH='],
      ['312 ', '311 '],
      ['yy\n', 'y\n\n'],
    ] as const) {
      const changed = Buffer.from(header.toString('latin1').replace(from, to), 'latin1');
      expect(changed.equals(header)).toBe(false);
      await expect(read(changed)).rejects.toMatchObject({ code: 'bad_bundle' });
    }
  });

  it('takes no more memory than a name can need, whatever size it says', async () => {
    const header = formatHeader({ name: `x/${'y'.repeat(300)}`, size: 5 }).subarray(0, BLOCK);
    header.write('77777777777', 124);
    let given = 0;
    async function* endless() {
      yield header;
      for (; given < 2 ** 26; given += 2 ** 12) yield Buffer.alloc(2 ** 12, 'x');
    }
    await expect(readHeader(new ByteReader(endless()), '')).rejects.toThrow('at its beginning');
    expect(given).toBeLessThan(2 ** 15);
  });
});

describe('an archive', () => {
  it('ends with two empty blocks and nothing behind them', async () => {
    expect(await read(END)).toBeUndefined();
    await expect(read(END.subarray(0, 1023))).rejects.toThrow('behind before');
    await expect(read(Buffer.concat([END, Buffer.alloc(1)]))).rejects.toThrow('more bytes behind its end');
    await expect(read(Buffer.alloc(0))).rejects.toThrow('cut off behind before');
  });

  it('is read by tar', () => {
    const names = ['a.test/x', `a.test/${'p/'.repeat(70)}${'n'.repeat(90)}`, `a.test/${'l'.repeat(220)}/x`];
    const bytes = archive(names.map((each, n) => ({ name: each, body: Buffer.alloc(n * 600) })));
    expect(execFileSync('tar', ['-tf', '-'], { input: bytes }).toString()).toBe(`${names.join('\n')}\n`);
  });
});
