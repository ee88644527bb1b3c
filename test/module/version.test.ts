import { describe, expect, it } from 'vitest';
import {
  canonicalVersion,
  checkModuleVersion,
  isCanonicalVersion,
  isPseudoVersion,
  pseudoVersionBase,
  pseudoVersionRev,
  pseudoVersionTime,
} from '../../src/module/version.ts';
import { accepts, golden, orNull } from './golden.ts';

interface VersionVector {
  version: string;
  moduleCanonical: string;
  pseudo: boolean;
  rev: string | null;
  /** Unix seconds. */
  time: number | null;
  base: string | null;
}

const versions = golden('versions.json') as VersionVector[];

describe('module versions agree with golang.org/x/mod/module', () => {
  it.each(versions)('$version', (v) => {
    expect(canonicalVersion(v.version)).toBe(v.moduleCanonical);
    expect(isPseudoVersion(v.version)).toBe(v.pseudo);
    expect(orNull(() => pseudoVersionRev(v.version))).toBe(v.rev);
    expect(orNull(() => pseudoVersionTime(v.version).getTime() / 1000)).toBe(v.time);
    expect(orNull(() => pseudoVersionBase(v.version))).toBe(v.base);
  });

  it('in which versions fit which paths', () => {
    const paths = golden('paths.json') as { path: string }[];
    const fits = golden('fits.json') as string[];
    const ours = paths.map(({ path }) =>
      versions.map((v) => (accepts(() => checkModuleVersion(path, v.version)) ? '1' : '0')).join(''),
    );
    expect(ours).toEqual(fits);
  });
});

it('only a version that equals its canonical form and fits the path is canonical', () => {
  expect(isCanonicalVersion('example.com/a', 'v1.2.3')).toBe(true);
  expect(isCanonicalVersion('example.com/a', 'v2.0.0+incompatible')).toBe(true);
  expect(isCanonicalVersion('example.com/a', 'v1.2')).toBe(false);
  expect(isCanonicalVersion('example.com/a', 'v1.2.3+meta')).toBe(false);
  expect(isCanonicalVersion('example.com/a', 'v2.0.0')).toBe(false);
  expect(isCanonicalVersion('example.com/a', 'master')).toBe(false);
  expect(isCanonicalVersion('example.com/a', '')).toBe(false);
});

it('a version that does not fit is refused with the path, the version and the reason', () => {
  expect(() => checkModuleVersion('example.com/a', 'v2.0.0')).toThrow(
    expect.objectContaining({
      code: 'bad_version',
      message: 'Version "v2.0.0" is invalid for module example.com/a: it should be v0 or v1, not v2.',
    }),
  );
});
