import type { Catalogue, VersionFacts } from '../catalogue/catalogue.ts';
import { compare, isValid } from '../module/semver.ts';

/** A module that a version needs, in the newest of the versions of it that are required. */
export interface GraphNode {
  readonly path: string;
  readonly version: string;
  /** Steps from the module that the graph is of; 0 for itself. */
  readonly depth: number;
  /** Its zip is held here, so that it is known what it requires in turn. */
  readonly held: boolean;
}

export interface GraphEdge {
  /** Paths of nodes. */
  readonly from: string;
  readonly to: string;
  /** Nothing that is held says through which module it is needed: go.mod of the first one alone names it. */
  readonly indirect: boolean;
}

export interface ModuleGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** Modules that are not among the nodes, because there are too many. */
  readonly more: number;
  /** False where so many modules are needed that not all were looked at: there may be others. */
  readonly whole: boolean;
}

export interface GraphOptions {
  readonly mayRead: (modulePath: string) => boolean;
  readonly mostNodes: number;
}

/** Versions whose requirements are read for one graph: each is unpacked, on the thread that answers requests. */
const MOST_READ = 120;
/** Requirements that are looked at. A go.mod can name thousands, and each module that it names as many again. */
const MOST_LOOKED_AT = 20_000;
/** Lines that can still be told apart. */
const MOST_EDGES = 300;

/**
 * What a version requires, directly and in turn, as far as it is held here. Modules that the reader may not read are left out,
 * with all that is needed through them alone, and not counted.
 */
export function moduleGraph(
  catalogue: Pick<Catalogue, 'facts'>,
  path: string,
  version: string,
  { mayRead, mostNodes }: GraphOptions,
): ModuleGraph {
  const known = new KnownRequirements(catalogue, mayRead);
  const chosen = chooseVersions(known, path, version);
  const parents = new Map<string, { depth: number; held: boolean }>([[path, { depth: 0, held: true }]]);
  const edges: GraphEdge[] = [];
  const further: GraphEdge[] = [];
  const queue = [path];
  const versionOf = (of: string) => (of === path ? version : chosen.get(of));
  for (let from = queue.shift(); from !== undefined; from = queue.shift()) {
    const node = parents.get(from);
    const at = versionOf(from);
    const required = at === undefined ? undefined : known.of(from, at);
    if (node === undefined || required === undefined) continue;
    node.held = true;
    for (const to of required) {
      if (to.indirect || to.path === path || !chosen.has(to.path)) continue;
      const isFirst = !parents.has(to.path);
      // What is left out first is what a picture can do without: nobody loses the line that leads to him.
      (isFirst ? edges : further).push({ from, to: to.path, indirect: false });
      if (!isFirst) continue;
      parents.set(to.path, { depth: node.depth + 1, held: false });
      queue.push(to.path);
    }
  }
  // What only the first go.mod names: whoever needs it is not held here.
  for (const to of known.of(path, version) ?? []) {
    if (parents.has(to.path)) continue;
    parents.set(to.path, { depth: 1, held: known.of(to.path, chosen.get(to.path) ?? '') !== undefined });
    edges.push({ from: path, to: to.path, indirect: true });
  }
  const nodes = [...parents]
    .map(([of, { depth, held }]) => ({ path: of, version: versionOf(of) ?? '', depth, held }))
    .sort((a, b) => a.depth - b.depth)
    .slice(0, mostNodes);
  const shown = new Set(nodes.map((node) => node.path));
  return {
    nodes,
    edges: [...edges, ...further]
      .filter(({ from, to }) => shown.has(from) && shown.has(to))
      .slice(0, MOST_EDGES),
    more: parents.size - nodes.length,
    whole: known.whole,
  };
}

type Requirement = VersionFacts['requires'][number];

/** What versions require, each read once, without what the reader may not know of. */
class KnownRequirements {
  readonly #catalogue: Pick<Catalogue, 'facts'>;
  readonly #mayRead: (modulePath: string) => boolean;
  readonly #read = new Map<string, readonly Requirement[] | undefined>();
  #looked = 0;
  whole = true;

  constructor(catalogue: Pick<Catalogue, 'facts'>, mayRead: (modulePath: string) => boolean) {
    this.#catalogue = catalogue;
    this.#mayRead = mayRead;
  }

  /** Undefined for a version that is not held, or one too many. */
  of(path: string, version: string): readonly Requirement[] | undefined {
    const key = `${path}@${version}`;
    if (this.#read.has(key)) return this.#read.get(key);
    if (this.#read.size >= MOST_READ || this.#looked >= MOST_LOOKED_AT) {
      this.whole = false;
      return undefined;
    }
    const all = this.#catalogue.facts(path, version)?.requires;
    const looked = all?.slice(0, MOST_LOOKED_AT - this.#looked);
    if (looked !== undefined && all !== undefined && looked.length < all.length) this.whole = false;
    this.#looked += looked?.length ?? 0;
    // A go.mod may name what is no version.
    const required = looked?.filter((each) => isValid(each.version) && this.#mayRead(each.path));
    this.#read.set(key, required);
    return required;
  }
}

/** The newest version of each module that anything needed requires, as `go` chooses it. */
function chooseVersions(known: KnownRequirements, path: string, version: string): Map<string, string> {
  const chosen = new Map<string, string>();
  const queue: (readonly [path: string, version: string])[] = [[path, version]];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const required of known.of(...next) ?? []) {
      if (required.path === path) continue;
      const before = chosen.get(required.path);
      if (before !== undefined && compare(required.version, before) <= 0) continue;
      chosen.set(required.path, required.version);
      queue.push([required.path, required.version]);
    }
  }
  return chosen;
}
