import { expect, it } from 'vitest';
import { compareGoVersion, supportsGraphPruning } from '../../src/modfile/go-version.ts';
import { golden } from '../module/golden.ts';

it('Go versions are ordered as Go orders them', () => {
  const orders = golden('go-versions.json') as [version: string, order: string][];
  const ours = orders.map(([v]) => [v, orders.map(([w]) => '<=>'[compareGoVersion(v, w) + 1]).join('')]);
  expect(ours).toEqual(orders);
});

it('module graphs are pruned from Go 1.17 on', () => {
  for (const go of [undefined, '1.16', '1', '1.9', 'nonsense']) expect(supportsGraphPruning(go)).toBe(false);
  for (const go of ['1.17', '1.17.0', '1.21rc1', '1.100', '2.0']) expect(supportsGraphPruning(go)).toBe(true);
});
