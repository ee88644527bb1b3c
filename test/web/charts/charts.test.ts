import { describe, expect, it } from 'vitest';
import { across, upward } from '../../../src/web/charts/axes.ts';
import { graphPicture } from '../../../src/web/charts/graph-picture.ts';
import { inLayers } from '../../../src/web/charts/layers.ts';
import { growthFigure, type Point } from '../../../src/web/charts/growth.ts';
import { RANGES, requestsFigure } from '../../../src/web/charts/requests.ts';
import { madeRow } from '../made-status.ts';

const NOW = Date.UTC(2026, 5, 1, 10, 20);
const HOUR = 3_600_000;

/** Whatever stands in an attribute that places something has to be a number. */
function checkNumbers(text: string): void {
  expect(text).not.toMatch(/NaN|Infinity|undefined|\[object/);
}

const growth = (points: readonly Point[], gap?: number) =>
  growthFigure({ id: 'g', title: 'Growth', what: 'things', unit: 'count', points, gap })?.toString();

describe('axes', () => {
  it.each([[[]], [[0]], [[0, 0]], [[Number.NaN, Number.POSITIVE_INFINITY]], [[1]], [[3, 1e15]]])(
    'go from 0 to something for %j',
    (values) => {
      const { of, ticks } = upward(values, 'count');
      expect(ticks.length).toBeGreaterThan(1);
      expect(new Set(ticks.map(({ label }) => label)).size).toBe(ticks.length);
      for (const { at } of ticks) expect(at).toBeGreaterThanOrEqual(0);
      expect(of(0)).toBeGreaterThan(of(1));
    },
  );

  it('have at most four times below them, of any length, and a place for a single time', () => {
    for (let length = 1; length < 1e12; length *= 3) {
      const { ticks, of } = across(NOW - length, NOW);
      expect(ticks.length).toBeLessThanOrEqual(4);
      // 240 pixels are what a picture has on a screen of 360, and a character has seven.
      const ends = ticks.map(({ at, label }) => {
        const width = label.length * 7;
        const left = at * 2.4 - (at < 9 ? 0 : at > 91 ? width : width / 2);
        return { left, right: left + width };
      });
      for (const [n, { left }] of ends.entries()) if (n > 0) expect(left).toBeGreaterThan(ends[n - 1]!.right);
      expect(of(NOW)).toBe(length > 0 ? 100 : 0);
    }
    expect(across(NOW, NOW).of(NOW)).toBe(0);
    expect(across(NOW, NOW - HOUR).of(NOW)).toBe(0);
  });
});

describe('a picture of growth', () => {
  it('is none without numbers', () => {
    expect(growth([])).toBeUndefined();
    expect(growth([{ at: Number.NaN, value: 3 }])).toBeUndefined();
    expect(growth([{ at: NOW, value: Number.NaN }])).toBeUndefined();
  });

  it('shows one sample, samples of nothing, and a clock that went back', () => {
    for (const points of [
      [{ at: NOW, value: 7 }],
      [
        { at: NOW - HOUR, value: 0 },
        { at: NOW, value: 0 },
      ],
      [
        { at: NOW, value: 1 },
        { at: NOW - 9 * HOUR, value: 2 },
        { at: NOW + HOUR, value: 3 },
      ],
    ]) {
      const text = growth(points)!;
      checkNumbers(text);
      expect(text).toContain('class="dot"');
    }
  });

  it('has no line over a time of which nothing is known', () => {
    const points = [0, 1, 2, 50, 51].map((n) => ({ at: NOW + n * HOUR, value: n }));
    expect(growth(points, 5 * HOUR)!.match(/class="line"/g)).toHaveLength(2);
    expect(growth(points)!.match(/class="line"/g)).toHaveLength(1);
  });

  it('has the numbers in a table, the last among them, and few enough for a page', () => {
    const points = Array.from({ length: 1000 }, (_, n) => ({ at: NOW + n * HOUR, value: n + 1 }));
    const text = growth(points)!;
    expect(text).toContain('<td class="number">1,000</td>');
    expect(text.match(/<tr>/g)!.length).toBeLessThan(30);
  });
});

describe('a picture of requests', () => {
  const asked = { memory: 90, upstream: 5, failed: 1 };

  it('says what part was answered without asking anybody', () => {
    const text = requestsFigure([madeRow(NOW - HOUR, asked)], RANGES['day']!, NOW).toString();
    expect(text).toContain('<strong>94.7%</strong>');
    expect(text).toContain('96 requests: 90 from memory, 5 from upstream, 1 failed.');
  });

  it.each(Object.entries(RANGES))('of a %s leaves out other times, and what is no count', (_, range) => {
    const rows = [
      madeRow(NOW, asked),
      madeRow(NOW + 100 * 86_400_000, { memory: 1e6 }),
      madeRow(NOW - 400 * 86_400_000, { memory: 1e6 }),
      madeRow(NOW, { store: Number.NaN, stale: -5 }),
    ];
    const text = requestsFigure(rows, range, NOW).toString();
    checkNumbers(text);
    expect(text).toContain('96 requests');
    checkNumbers(requestsFigure([], range, NOW).toString());
  });
});

describe('layers', () => {
  const lines = (...pairs: string[]) => pairs.map(([from = '', to = '']) => ({ from, to }));

  it('lead forward, each as far as its longest way', () => {
    expect(inLayers(['a', 'b', 'c', 'd'], lines('ab', 'ac', 'bc', 'cd', 'ad'))).toEqual([
      ['a'],
      ['b'],
      ['c'],
      ['d'],
    ]);
  });

  it('are in an order in which lines need not cross', () => {
    expect(inLayers(['a', 'b', 'c', 'x', 'y'], lines('ab', 'ac', 'by', 'cx'))).toEqual([
      ['a'],
      expect.arrayContaining(['b', 'c']),
      expect.arrayContaining(['x', 'y']),
    ]);
    const [, [first] = [], [below] = []] = inLayers(['a', 'b', 'c', 'x', 'y'], lines('ab', 'ac', 'by', 'cx'));
    expect(below).toBe(first === 'b' ? 'y' : 'x');
  });

  it('end in circles, of one and of many', () => {
    expect(
      inLayers(['a', 'b', 'c'], lines('aa', 'ab', 'bc', 'ca'))
        .flat()
        .sort(),
    ).toEqual(['a', 'b', 'c']);
  });

  it('of the worst graph that is drawn take little time', () => {
    const nodes = Array.from({ length: 60 }, (_, n) => `m${n}`);
    const all = nodes.flatMap((from) => nodes.map((to) => ({ from, to })));
    const started = performance.now();
    expect(inLayers(nodes, all).flat()).toHaveLength(60);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('a picture of a graph', () => {
  it('shows no name as anything but text, and links to where it leads', () => {
    const name = `x.test/\u202e"><script>${'long'.repeat(50)}`;
    const node = (path: string, depth: number) => ({ path, version: 'v1.0.0', depth, held: false });
    const text = graphPicture(
      {
        nodes: [node('x.test/a', 0), node(name, 1), node('__proto__', 1)],
        edges: [
          { from: 'x.test/a', to: name, indirect: true },
          { from: name, to: 'x.test/a', indirect: false },
          { from: 'x.test/a', to: '__proto__', indirect: false },
        ],
        more: 3,
        whole: true,
      },
      'T',
    ).toString();
    checkNumbers(text);
    expect(text).not.toMatch(/<script|\u202e/);
    expect(text).toContain('href="/ui/mod/x.test/a@v1.0.0"');
    expect(text).toContain('3 modules and 3 requirements between them. 3 more are not drawn.');
    expect(text.match(/class="edge"/g)).toHaveLength(3);
  });
});
