import path from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBundlePaths, formatBundlePath, parseBundlePath } from '../../src/airgap/bundle-path.ts';

const DATABASES = ['own.test/sumdb', 'public.test'];

describe('the path of a file in a bundle', () => {
  it.each([
    [`bundles/${'0a'.repeat(16)}/manifest`, 'manifest'],
    [`bundles/${'0a'.repeat(16)}/entries`, 'entries'],
    ['sumdb/public.test/supported', 'supported'],
    ['sumdb/own.test/sumdb/latest', 'head'],
    ['sumdb/own.test/sumdb/lookup/example.test/!upper@v1.0.0-!r!c1', 'lookup'],
    ['sumdb/own.test/sumdb/tile/8/0/x001/234.p/5', 'tile'],
    ['example.test/!upper/@v/v1.0.0.info', 'info'],
    ['example.test/m/@v/v1.0.0.mod', 'mod'],
    ['example.test/m/v2/@v/v2.0.0.zip', 'zip'],
    ['example.test/m/@v/list', 'list'],
    ['example.test/m/@latest', 'latest'],
    ['example.test/m/@v/main.info', 'query'],
    [`signatures/example.test/!upper/@v/v1.0.0-!r!c1/${'0a'.repeat(32)}.json`, 'signature'],
    ['vulndb/index/db.json', 'vulndb'],
    ['vulndb/ID/GO-2024-0001.json', 'vulndb'],
  ])('%s is read and written the same', (name, kind) => {
    const read = parseBundlePath(name, DATABASES);
    expect(read.kind).toBe(kind);
    expect(formatBundlePath(read)).toBe(name);
  });

  it.each([
    '',
    '/etc/passwd',
    '../x',
    'example.test/../@v/v1.0.0.mod',
    'example.test//m/@v/v1.0.0.mod',
    'example.test/M/@v/v1.0.0.mod',
    'example.test/m/@v/v1.0.0.mod/',
    'example.test/m/@v/../v1.0.0.mod',
    'bundles/x/manifest',
    `bundles/${'0A'.repeat(16)}/manifest`,
    `bundles/${'0a'.repeat(16)}/other`,
    'sumdb/other.test/latest',
    'sumdb/public.test/other',
    'sumdb/public.test/tile/8/0/1',
    'sumdb/public.test/tile/8/0/000.p/256',
    'sumdb/public.test/lookup/example.test/m@latest',
    `signatures/example.test/m/@v/main/${'0a'.repeat(32)}.json`,
    `signatures/example.test/m/@v/v1.0.0/${'0A'.repeat(32)}.json`,
    `signatures/example.test/m/@v/v1.0.0/${'0a'.repeat(31)}.json`,
    `signatures/example.test/m/@v/v1.0.0/../${'0a'.repeat(32)}.json`,
    `signatures/../example.test/m/@v/v1.0.0/${'0a'.repeat(32)}.json`,
    `signatures//example.test/m/@v/v1.0.0/${'0a'.repeat(32)}.json`,
    `signatures/example.test/m/@v/v1.0.0/x/${'0a'.repeat(32)}.json`,
    `signatures/example.test/m/@v/v1.0.0%2f..%2f/${'0a'.repeat(32)}.json`,
    `signatures/m/@latest/${'0a'.repeat(32)}.json`,
    'vulndb/../x',
    'vulndb/a/../../../x',
    'vulndb/.hidden',
    'vulndb/',
  ])('%j is refused', (name) => {
    expect(() => parseBundlePath(name, DATABASES)).toThrow('is not the name of a file that a bundle holds');
  });

  it('never leads out of the directory that a bundle is unpacked to', () => {
    const part = fc.constantFrom(
      '..',
      '.',
      '',
      'vulndb',
      'signatures',
      `${'0a'.repeat(32)}.json`,
      'sumdb',
      'public.test',
      'a.test',
      '@v',
      'v1.0.0.mod',
      '\\',
      'latest',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const name = parts.join('/');
        try {
          parseBundlePath(name, DATABASES);
        } catch {
          return;
        }
        expect(path.posix.normalize(name)).toBe(name);
        expect(name).not.toMatch(/^\.\.|^\//);
      }),
      { numRuns: 2000 },
    );
  });
});

it('proofs come first, then modules, then the vulnerability database', () => {
  const names = ['vulndb/a', 'zzz.test/@v/list', 'a.test/@v/list', 'sumdb/x/latest', 'bundles/x/manifest'];
  expect(names.toSorted(compareBundlePaths)).toEqual(names.toReversed());
});
