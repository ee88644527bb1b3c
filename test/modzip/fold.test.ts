import { expect, it } from 'vitest';
import { foldCase } from '../../src/modzip/fold.ts';
import { golden } from '../module/golden.ts';

it('two letters fold together exactly when they do in Go, for all of Unicode', () => {
  const folds = new Map(golden('folds.json') as [number, number][]);
  const goByOurs = new Map<string, Set<number>>();
  const oursByGo = new Map<number, Set<string>>();
  const add = <K, V>(map: Map<K, Set<V>>, key: K, value: V) => {
    map.set(key, (map.get(key) ?? new Set()).add(value));
  };
  for (const [first, last] of golden('letters.json') as [number, number][]) {
    for (let c = first; c <= last; c++) {
      const go = folds.get(c) ?? c;
      const ours = foldCase(String.fromCodePoint(c));
      add(goByOurs, ours, go);
      add(oursByGo, go, ours);
    }
  }
  expect([...goByOurs].filter(([, classes]) => classes.size > 1)).toEqual([]);
  expect([...oursByGo].filter(([, classes]) => classes.size > 1)).toEqual([]);
});

it('names fold letter by letter', () => {
  expect(foldCase('Ab/ſ\u212a.GO')).toBe(foldCase('aB/sk.go'));
  expect(foldCase('ß')).not.toBe(foldCase('ss'));
});
