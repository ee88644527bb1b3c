import type { MadeVersion } from './made-catalogue.ts';

const NAMES = ['api', 'client-go', 'runtime', 'logr', 'yaml', 'protobuf', 'net', 'text', 'sys', 'tools'];

/** A module that requires others in layers, as programs do, and one that names whatever a go.mod can name. */
export function layeredGraph(host = 'graph.test'): MadeVersion[] {
  const version = 'v1.0.0';
  const name = (layer: number, n: number) => `${host}/${NAMES[n % NAMES.length]}-${layer}/part-${n}`;
  const layers = [1, 4, 9, 14, 8];
  const made: MadeVersion[] = layers.flatMap((size, layer) =>
    Array.from({ length: size }, (_, n) => ({
      path: layer === 0 ? `${host}/root` : name(layer, n),
      version,
      requires:
        layer === layers.length - 1
          ? []
          : [n, n * 3 + 1, n * 5 + 2].map((to) => ({
              path: name(layer + 1, to % (layers[layer + 1] ?? 1)),
              version,
              indirect: false,
            })),
    })),
  );
  const requires = [
    { path: `${host}/${'very-long-'.repeat(19)}`, version: 'v1.0.0-20260101000000-abcdefabcdef' },
    { path: 'other.test/\u202eevil<script>', version },
    { path: 'other.test/no-version', version: 'latest' },
    ...Array.from({ length: 3000 }, (_, n) => ({ path: `${host}/many-${n}`, version })),
  ].map((each) => ({ ...each, indirect: false }));
  const wild = { path: `${host}/wild`, version, requires };
  const first = { path: `${host}/root`, version, indirect: true };
  return [...made, { ...wild, requires: [...requires, first] }];
}
