import { describe, expect, it } from 'vitest';
import type { VersionFacts } from '../../src/catalogue/catalogue.ts';
import { moduleGraph } from '../../src/web/module-graph.ts';

type Requires = readonly (readonly [path: string, version: string, indirect?: boolean])[];

/** Made of what each version requires. */
function catalogueOf(held: Readonly<Record<string, Requires>>) {
  let reads = 0;
  return {
    get reads() {
      return reads;
    },
    facts: (path: string, version: string) => {
      reads++;
      const requires = held[`${path}@${version}`]?.map(([path, version, indirect = false]) => ({
        path,
        version,
        indirect,
      }));
      return requires && ({ path, version, requires } as unknown as VersionFacts);
    },
  };
}

const mayRead = () => true;
const graphOf = (
  held: Readonly<Record<string, Requires>>,
  o: Partial<Parameters<typeof moduleGraph>[3]> = {},
) => moduleGraph(catalogueOf(held), 'a', 'v1.0.0', { mayRead, mostNodes: 60, ...o });

describe('the graph of a version', () => {
  it('has each module once, in the newest version that anything held requires, and how many steps away it is', () => {
    const { nodes, edges, more, whole } = graphOf({
      'a@v1.0.0': [
        ['b', 'v1.0.0'],
        ['c', 'v1.0.0'],
      ],
      'b@v1.0.0': [['c', 'v1.2.0']],
      'c@v1.0.0': [['old', 'v1.0.0']],
      'c@v1.2.0': [['d', 'v1.0.0']],
    });
    expect(nodes.map(({ path, version, depth, held }) => [path, version, depth, held])).toEqual([
      ['a', 'v1.0.0', 0, true],
      ['b', 'v1.0.0', 1, true],
      ['c', 'v1.2.0', 1, true],
      ['d', 'v1.0.0', 2, false],
    ]);
    expect(edges.map(({ from, to }) => from + to).sort()).toEqual(['ab', 'ac', 'bc', 'cd']);
    expect([more, whole]).toEqual([0, true]);
  });

  it('leads to what only the first go.mod names, where nothing held says through whom it is needed', () => {
    const { edges } = graphOf({
      'a@v1.0.0': [
        ['b', 'v1.0.0'],
        ['known', 'v1.0.0', true],
        ['stray', 'v1.0.0', true],
      ],
      'b@v1.0.0': [['known', 'v1.0.0']],
    });
    expect(edges).toEqual([
      { from: 'a', to: 'b', indirect: false },
      { from: 'b', to: 'known', indirect: false },
      { from: 'a', to: 'stray', indirect: true },
    ]);
  });

  it('neither has nor counts what its reader may not read, nor what is needed through that alone', () => {
    const graph = graphOf(
      {
        'a@v1.0.0': [
          ['secret', 'v1.0.0'],
          ['b', 'v1.0.0'],
        ],
        'secret@v1.0.0': [['behind', 'v1.0.0']],
      },
      { mayRead: (path) => path !== 'secret' },
    );
    expect(graph).toMatchObject({ nodes: [{ path: 'a' }, { path: 'b' }], more: 0, whole: true });
    expect(JSON.stringify(graph)).not.toMatch(/secret|behind/);
  });

  it('ends in circles, and of a module that requires itself', () => {
    const { nodes } = graphOf({
      'a@v1.0.0': [
        ['a', 'v2.0.0'],
        ['b', 'v1.0.0'],
      ],
      'b@v1.0.0': [['a', 'v1.9.0']],
    });
    expect(nodes).toHaveLength(2);
    expect(nodes[0]).toMatchObject({ path: 'a', version: 'v1.0.0' });
  });

  it('is bounded, and says how many are left out: a go.mod may name thousands, each of which does', () => {
    const names = Array.from({ length: 3000 }, (_, n) => [`m${n}`, 'v1.0.0'] as const);
    const held = Object.fromEntries(names.map(([path]) => [`${path}@v1.0.0`, names]));
    const catalogue = catalogueOf({ 'a@v1.0.0': [...names, ['bad', 'latest']], ...held });
    const graph = moduleGraph(catalogue, 'a', 'v1.0.0', { mayRead, mostNodes: 60 });
    expect(graph.nodes).toHaveLength(60);
    expect(graph.more).toBe(2941);
    expect(graph.whole).toBe(false);
    expect(graph.edges.length).toBeLessThanOrEqual(300);
    // Nobody is shown to whom no line leads.
    const reached = new Set(graph.edges.map(({ to }) => to));
    expect(graph.nodes.slice(1).filter(({ path }) => !reached.has(path))).toEqual([]);
    expect(catalogue.reads).toBeLessThanOrEqual(200);
  });
});
