import { expect, it } from 'vitest';
import { newest } from '../../src/module/newest.ts';

it.each([
  ['a release before a newer pre-release', ['v1.0.0', 'v1.1.0-rc.1'], 'v1.0.0'],
  ['the newest release, in any order', ['v1.9.0', 'v1.10.0', 'v1.2.0'], 'v1.10.0'],
  [
    'a pre-release before a newer pseudo-version',
    ['v0.2.0-beta', 'v0.3.0-0.20240101000000-0123456789ab'],
    'v0.2.0-beta',
  ],
  [
    'the newest pseudo-version where there is nothing else',
    ['v0.0.0-20240101000000-0123456789ab', 'v0.0.0-20250101000000-0123456789ab'],
    'v0.0.0-20250101000000-0123456789ab',
  ],
  [
    'the later one of two that differ in their build only',
    ['v2.0.0', 'v2.0.0+incompatible'],
    'v2.0.0+incompatible',
  ],
  ['nothing of nothing', [], undefined],
])('the newest is %s', (_what, versions, expected) => {
  expect(newest(versions)).toBe(expected);
});
