import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { affects, fixedAfter } from '../../src/vulndb/affects.ts';
import { readEntry } from '../../src/vulndb/entry.ts';

interface Vector {
  readonly ranges: readonly unknown[];
  readonly answers: Readonly<Record<string, boolean>>;
}

const vectors = JSON.parse(
  readFileSync(new URL('../testdata/golden/vulndb/affects.json', import.meta.url), 'utf8'),
) as readonly Vector[];

const P = 'example.test/m';
const entry = (over: object) => ({ id: 'GO-2024-0001', affected: [{ package: { name: P } }], ...over });
const ranged = (ranges: readonly unknown[]) =>
  readEntry(entry({ affected: [{ package: { name: P }, ranges }] }), P)!.ranges;

describe('a vulnerability', () => {
  it('affects the versions that govulncheck says it does', () => {
    expect(vectors.length).toBeGreaterThan(20);
    for (const { ranges, answers } of vectors) {
      const made = ranged(ranges);
      const ours = Object.fromEntries(
        Object.keys(answers).map((version) => [version, affects(made, version)]),
      );
      expect([ranges, ours]).toEqual([ranges, answers]);
    }
  });

  it('is fixed in the first fixed version after this one', () => {
    const ranges = ranged([
      {
        type: 'SEMVER',
        events: [{ introduced: '0' }, { fixed: '1.2.0' }, { introduced: '2.0.0' }, { fixed: '2.1.0' }],
      },
    ]);
    expect(fixedAfter(ranges, 'v1.0.0')).toBe('v1.2.0');
    expect(fixedAfter(ranges, 'v2.0.5')).toBe('v2.1.0');
    expect(fixedAfter(ranges, 'v2.1.0')).toBeUndefined();
  });

  it('is read for the module that is asked for, not for another or the standard library', () => {
    const both = entry({
      affected: [
        { package: { name: 'stdlib' }, ecosystem_specific: { imports: [{ path: 'net/http' }] } },
        {
          package: { name: P },
          ecosystem_specific: { imports: [{ path: `${P}/a`, symbols: ['F', 'T.M'] }] },
        },
      ],
    });
    expect(readEntry(both, P)?.packages).toEqual([{ importPath: `${P}/a`, symbols: ['F', 'T.M'] }]);
    expect(readEntry(both, 'example.test/other')).toBeUndefined();
  });

  it('is bounded, and nothing in it has to be what it should be', () => {
    const evil = ['x', 1, null, [], {}, [null, 1, [], {}, { package: 1 }], 'y'.repeat(1e6)];
    for (const value of evil) {
      for (const json of [
        value,
        { affected: value },
        entry({
          aliases: value,
          summary: value,
          details: value,
          references: value,
          published: value,
          withdrawn: value,
        }),
      ])
        expect(JSON.stringify(readEntry(json, P) ?? {}).length).toBeLessThan(10_000);
      for (const affected of [
        { package: { name: P }, ranges: value },
        { package: { name: P }, ranges: [{ type: 'SEMVER', events: value }] },
        { package: { name: P }, ecosystem_specific: { imports: value } },
        { package: { name: P }, ecosystem_specific: { imports: [{ path: value, symbols: value }] } },
      ])
        expect(affects(readEntry(entry({ affected: [affected] }), P)!.ranges, 'v1.0.0')).toBeTypeOf(
          'boolean',
        );
    }
    const links = ['javascript:alert(1)', 'https://[', 'https://a.test/', 'ftp://a', 'http:a'].map((url) => ({
      url,
    }));
    expect(readEntry(entry({ references: links }), P)?.references).toEqual(['https://a.test/']);
  });
});
