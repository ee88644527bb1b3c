import { curveBumpX, line } from 'd3-shape';
import { type Html, html } from '../html.ts';
import { moduleLink } from '../links.ts';
import type { GraphNode, ModuleGraph } from '../module-graph.ts';
import { short } from './axes.ts';
import { inLayers } from './layers.ts';

const WIDE = 182;
const HIGH = 40;
/** Between boxes, and around all. */
const BELOW = 12;
const BESIDE = 46;
const MARGIN = 2;
/** Characters that have room in a box, in either line. */
const NAME = 25;
const VERSION = 26;

interface Placed {
  readonly x: number;
  readonly y: number;
}

/**
 * A graph in layers, what requires on the left of what it requires. Boxes are links for whoever points at them; by keyboard and
 * screen reader the list beside the picture is used, which says the same; an image may have no links in it, so this is a group.
 */
export function graphPicture(graph: ModuleGraph, title: string): Html {
  const { places, width, height } = placed(graph);
  const lines = graph.edges.map(({ from, to, indirect }) => {
    const [a, b] = [places.get(from), places.get(to)];
    if (a === undefined || b === undefined) return undefined;
    // Modules may require each other: such a line leads back.
    const side = b.x > a.x ? WIDE / 2 : -WIDE / 2;
    const path = CURVE([
      { x: a.x + side, y: a.y },
      { x: b.x - side, y: b.y },
    ]);
    return html`<path class="edge" d="${path ?? ''}" fill="none"${indirect && html` stroke-dasharray="4 4"`}/>`;
  });
  const boxes = graph.nodes.map((node) => box(node, places.get(node.path) ?? { x: 0, y: 0 }));
  const more = graph.more > 0 ? ` ${graph.more} more are not drawn.` : '';
  return html`<svg class="graph" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="group" aria-labelledby="graph-name graph-desc"><title id="graph-name">${title}</title><desc id="graph-desc">${graph.nodes.length} modules and ${graph.edges.length} requirements between them.${more}</desc>
${lines}
${boxes}
</svg>`;
}

const CURVE = line<Placed>(
  ({ x }) => x,
  ({ y }) => y,
)
  .curve(curveBumpX)
  .digits(0);

/** Beyond this height, in pixels, what comes first is at the top, where it is seen without scrolling. */
const SCREEN = 680;

/** Lines may pass behind boxes, so layers are stacked closely. */
function placed({ nodes, edges }: ModuleGraph): {
  readonly places: ReadonlyMap<string, Placed>;
  readonly width: number;
  readonly height: number;
} {
  const layers = inLayers(
    nodes.map(({ path }) => path),
    edges,
  );
  const highest = Math.max(...layers.map((layer) => layer.length));
  const height = highest * (HIGH + BELOW) - BELOW + 2 * MARGIN;
  const places = new Map<string, Placed>();
  for (const [n, layer] of layers.entries()) {
    const free = height <= SCREEN ? ((highest - layer.length) * (HIGH + BELOW)) / 2 : 0;
    for (const [m, path] of layer.entries())
      places.set(path, {
        x: MARGIN + WIDE / 2 + n * (WIDE + BESIDE),
        y: MARGIN + HIGH / 2 + free + m * (HIGH + BELOW),
      });
  }
  return { places, width: layers.length * (WIDE + BESIDE) - BESIDE + 2 * MARGIN, height };
}

function box({ path, version, depth, held }: GraphNode, { x, y }: Placed): Html {
  const kind = depth === 0 ? ' root' : !held && ' absent';
  return html`<a href="${moduleLink(path, version)}" tabindex="-1" aria-hidden="true"><g transform="translate(${short(x - WIDE / 2)} ${short(y - HIGH / 2)})"><title>${path}@${version}</title><rect class="box${kind}" width="${WIDE}" height="${HIGH}" rx="8"/><text class="name" x="10" y="17">${tail(path, NAME)}</text><text class="quiet" x="10" y="31">${head(version, VERSION)}</text></g></a>`;
}

/** The end of a path, from a slash on where one is in reach; whole characters. */
function tail(path: string, most: number): string {
  if (Array.from(path).length <= most) return path;
  const parts = path.split('/');
  for (let n = 1; n < parts.length; n++) {
    const rest = `…/${parts.slice(n).join('/')}`;
    if (Array.from(rest).length <= most) return rest;
  }
  return `…${Array.from(path)
    .slice(1 - most)
    .join('')}`;
}

function head(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}
