import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bundleId, formatManifest, type Manifest, parseManifest } from '../../src/airgap/manifest.ts';
import { SigningDatabase } from './made-bundle.ts';

const { vkey } = new SigningDatabase('own.test/sumdb', 1);
const second = new SigningDatabase('public.test', 2);
const head = (size: number) => ({ size, root: Buffer.alloc(32, size) });
const full: Manifest = {
  signed: false,
  tool: 'gokeep 1.0.0',
  base: 'ab'.repeat(16),
  entries: { count: 3, bytes: 4, size: 5, sha256: 'cd'.repeat(32) },
  databases: [
    { name: 'own.test/sumdb', vkey, head: head(9), earlier: [head(2), head(5)] },
    { name: 'public.test', vkey: second.vkey, head: head(7), earlier: [] },
  ],
  vulndb: { modified: '2026-01-02T03:04:05Z', source: 'https://vuln.go.dev' },
};
const text = formatManifest(full);

describe('a manifest', () => {
  it('is read as it was written', () => {
    expect(parseManifest(text)).toEqual(full);
    const least = { ...full, base: undefined, databases: [], vulndb: undefined };
    expect(parseManifest(formatManifest(least))).toEqual(least);
    const signed = { ...full, signed: true };
    expect(formatManifest(signed)).toBe(text.replace('bundle v1', 'bundle v2'));
    expect(parseManifest(formatManifest(signed))).toEqual(signed);
    expect(bundleId(text)).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ['another version', 'gokeep bundle v1', 'gokeep bundle v3'],
    ['a line that means nothing', 'tool ', 'more x\ntool '],
    ['a line twice', 'tool gokeep 1.0.0\n', 'tool gokeep 1.0.0\ntool gokeep 1.0.0\n'],
    ['an empty line', 'tool ', '\ntool '],
    ['no files', /entries .*\n/, ''],
    ['a number with a zero', 'entries 3', 'entries 03'],
    ['a negative number', 'entries 3', 'entries -3'],
    ['a number too large', 'entries 3', 'entries 9007199254740993'],
    ['a short hash', 'cdcd\n', 'cd\n'],
    ['a base that is no id', 'base abab', 'base ../..'],
    ['a head of another database', 'head own.test/sumdb 9', 'head public.test 9'],
    ['no head', /head own.*\n/, ''],
    ['an earlier head that is later', 'earlier own.test/sumdb 5', 'earlier own.test/sumdb 10'],
    ['an earlier head twice', 'earlier own.test/sumdb 5', 'earlier own.test/sumdb 2'],
    ['a key that is none', 'database public.test+', 'database public.test-'],
    ['a head without hash', /(head public.test 7) .*\n/, '$1\n'],
    ['a line behind the end', /$/, 'x'],
    ['no newline at the end', /\n$/, ''],
    ['a carriage return', 'v1\n', 'v1\r\n'],
  ])('with %s is refused', (_what, from, to) => {
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    expect(() => parseManifest(changed)).toThrow('the manifest of the bundle cannot be read');
  });

  it('with its databases out of order, or of a name that climbs out, is refused', () => {
    const reversed = formatManifest({ ...full, databases: full.databases.toReversed() });
    expect(() => parseManifest(reversed)).toThrow('canonical');
    for (const name of ['../x', 'a/../b', '/x', 'a//b', '.', 'a\\b']) {
      const database = new SigningDatabase(name, 3);
      const hostile = { name, vkey: database.vkey, head: head(1), earlier: [] };
      expect(() => parseManifest(formatManifest({ ...full, databases: [hostile] })), name).toThrow(
        'by a key',
      );
    }
  });

  it('of any text is refused with a sentence, or has no other spelling', () => {
    const lines = text.split('\n');
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...lines, 'x', '')), (some) => {
        const changed = ['gokeep bundle v1', ...some].join('\n');
        try {
          expect(formatManifest(parseManifest(changed))).toBe(changed);
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad_bundle' });
        }
      }),
    );
  });
});
