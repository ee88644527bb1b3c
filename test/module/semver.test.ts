import { describe, expect, it } from 'vitest';
import {
  build,
  canonical,
  compare,
  isValid,
  major,
  newestFirst,
  prerelease,
} from '../../src/module/semver.ts';
import { golden } from './golden.ts';

interface VersionVector {
  version: string;
  valid: boolean;
  canonical: string;
  major: string;
  prerelease: string;
  build: string;
}

const versions = golden('versions.json') as VersionVector[];

describe('versions agree with golang.org/x/mod/semver', () => {
  it.each(versions)('$version', (v) => {
    expect(isValid(v.version)).toBe(v.valid);
    expect(canonical(v.version)).toBe(v.canonical);
    expect(major(v.version)).toBe(v.major);
    expect(prerelease(v.version)).toBe(v.prerelease);
    expect(build(v.version)).toBe(v.build);
  });
});

it('the order of every two versions agrees with golang.org/x/mod/semver', () => {
  const orders = golden('orders.json') as string[];
  const ours = versions.map((v) => versions.map((w) => '<=>'[compare(v.version, w.version) + 1]).join(''));
  expect(ours).toEqual(orders);
});

it('sorts by that order, newest first, and equal ones by their text, whatever order they come in', () => {
  const texts = [...new Set(versions.map(({ version }) => version))];
  const sorted = newestFirst(texts, (version) => version);
  expect(newestFirst(texts.toReversed(), (version) => version)).toEqual(sorted);
  for (const [at, version] of sorted.slice(1).entries()) {
    const before = sorted[at] ?? '';
    expect(compare(before, version)).toBeGreaterThanOrEqual(0);
    if (compare(before, version) === 0) expect(before < version).toBe(true);
  }
});
