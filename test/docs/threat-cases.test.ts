import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const ROOT = path.join(import.meta.dirname, '..', '..');

it('every case from 1 to 95, and of bundles from B1 to B17, has a line, which names tests that exist or says why there is none', () => {
  const text = readFileSync(path.join(ROOT, 'docs', 'threat-cases.md'), 'utf8');
  const rows = [...text.matchAll(/^\| (B?[0-9]+) \| .+ \| (.+) \|$/gm)];
  const numbers = rows.map(([, number]) => number!);
  expect(numbers.slice(0, 95)).toEqual(Array.from({ length: 95 }, (_, i) => `${i + 1}`));
  expect(numbers.slice(95)).toEqual(Array.from({ length: 17 }, (_, i) => `B${i + 1}`));
  const missing = rows.flatMap(([, number, tried = '']) => {
    const tests = [...tried.matchAll(/`([a-z0-9]+\/[a-z0-9-]+)`/g)].map(([, name]) => `test/${name}.test.ts`);
    if (tests.length === 0 && !tried.startsWith('not built: ')) return [`case ${number}: nothing`];
    return tests.filter((file) => !existsSync(path.join(ROOT, file)));
  });
  expect(missing).toEqual([]);
});
