import { graphPicture } from './charts/graph-picture.ts';
import { type Html, html, type Part } from './html.ts';
import { moduleLink } from './links.ts';
import { type GraphNode, type ModuleGraph, moduleGraph } from './module-graph.ts';
import type { ModuleVisit } from './module-view.ts';
import { counted } from './present.ts';
import { table } from './rows.ts';

const MOST_NODES = 60;
/** What picture and list together may have, in characters, so that the page stays small whatever modules are called. */
const MOST_SHOWN = 27_000;
/** What a box and its row have beside names, and what a line has. */
const A_BOX = 420;
const A_LINE = 150;

/** What a version requires, and what that requires in turn: as a picture, and as a list. */
export function graphTab({ site, visit, module: { path }, chosen }: ModuleVisit): Html {
  const { version, facts } = chosen;
  if (facts === undefined)
    return html`<p class="empty">What this version requires is not known: its zip is not held here.</p>`;
  const { mayRead } = visit;
  const whole = moduleGraph(site.catalogue, path, version, { mayRead, mostNodes: MOST_NODES });
  if (whole.nodes.length === 1)
    return html`<p class="empty">It requires no module${site.asksWho && ' that you may read'}.</p>`;
  const graph = fitting(whole);
  const name = `What ${path}@${version} requires`;
  const all = whole.nodes.length - 1 + whole.more;
  const leftOut = whole.edges.length - graph.edges.length;
  return html`<section aria-labelledby="graph-title"><div class="head"><h2 id="graph-title">${counted(all, 'module')} required${!whole.whole && ', and perhaps more'}</h2>
<p class="quiet">In the newest version that is required of each. A dashed box is of a module whose zip is not held here; a dashed line says that only this go.mod names it.</p></div>
<div class="scroll graph-scroll" tabindex="0" role="group" aria-label="${name}">${graphPicture(graph, name)}</div>
${(graph.more > 0 || leftOut > 0) && html`<p class="quiet graph-more">${more(graph.more, leftOut)}</p>`}</section>
<section aria-labelledby="list-title"><h2 id="list-title">As a list</h2>
${table('Modules required', ['Module', 'Version', 'Steps', 'Here'], graph.nodes.slice(1).map(row))}
${graph.more > 0 && html`<p class="quiet graph-more">And ${counted(graph.more, 'more module', 'more modules')}.</p>`}</section>`;
}

function more(modules: number, lines: number): Part {
  const parts: string[] = [];
  if (modules > 0) parts.push(counted(modules, 'module'));
  if (lines > 0) parts.push(counted(lines, 'requirement'));
  return `Not drawn: ${parts.join(', ')} more.`;
}

function row({ path, version, depth, held }: GraphNode): Html {
  return html`<tr><th scope="row" class="any"><a href="${moduleLink(path, version)}">${path}</a></th><td class="day">${version}</td><td>${depth}</td><td class="day">${held ? 'held' : html`<span class="quiet">not held</span>`}</td></tr>
`;
}

/** As much of it as a page has room for; nearest first. */
function fitting(graph: ModuleGraph): ModuleGraph {
  let size = 0;
  const nodes = graph.nodes.filter((node) => {
    size += A_BOX + 2 * moduleLink(node.path, node.version).length + 2 * node.path.length;
    return node.depth === 0 || size <= MOST_SHOWN - 20 * A_LINE;
  });
  const left = Math.floor((MOST_SHOWN - size) / A_LINE);
  const shown = new Set(nodes.map(({ path }) => path));
  const edges = graph.edges.filter(({ from, to }) => shown.has(from) && shown.has(to));
  return {
    ...graph,
    nodes,
    edges: edges.slice(0, Math.max(left, nodes.length)),
    more: graph.more + graph.nodes.length - nodes.length,
  };
}
