/** Who requires whom, by path. */
export interface Line {
  readonly from: string;
  readonly to: string;
}

/** How often layers are put in order, forth and back: more changes little. */
const SWEEPS = 6;

/**
 * Puts nodes into layers, so that lines lead from one layer to a later one, and each layer in an order in which few lines cross.
 * A line that closes a circle leads back. Takes time with the number of nodes and lines alone, whatever their shape: the graph
 * may be anybody's.
 *
 * @param nodes those first that others are reached from
 */
export function inLayers(nodes: readonly string[], lines: readonly Line[]): string[][] {
  const following = new Map<string, string[]>(nodes.map((node) => [node, []]));
  const preceding = new Map<string, string[]>(nodes.map((node) => [node, []]));
  for (const { from, to } of lines) {
    following.get(from)?.push(to);
    preceding.get(to)?.push(from);
  }
  const layers: string[][] = [];
  for (const [node, layer] of depths(nodes, following)) (layers[layer] ??= []).push(node);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isForth = sweep % 2 === 0;
    const beside = isForth ? preceding : following;
    const place = new Map<string, number>();
    for (const layer of isForth ? layers : layers.toReversed()) {
      const wanted = new Map(
        layer.map((node, n) => [node, middle(beside.get(node) ?? [], place) ?? share(n, layer)]),
      );
      layer.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
      for (const [n, node] of layer.entries()) place.set(node, share(n, layer));
    }
  }
  return layers;
}

/** Where in its layer, between 0 and 1: layers of few are as high as those of many. */
const share = (n: number, layer: readonly string[]): number => (n + 0.5) / layer.length;

/** The mean place of those that have one already. */
function middle(nodes: readonly string[], place: ReadonlyMap<string, number>): number | undefined {
  const places = nodes.flatMap((node) => place.get(node) ?? []);
  return places.length === 0 ? undefined : places.reduce((sum, each) => sum + each, 0) / places.length;
}

/** The longest way to each node, without what closes a circle. */
function depths(
  nodes: readonly string[],
  following: ReadonlyMap<string, readonly string[]>,
): Map<string, number> {
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const forward: Line[] = [];
  for (const start of nodes) {
    if (state.has(start)) continue;
    const stack: { readonly node: string; next: number }[] = [{ node: start, next: 0 }];
    state.set(start, 'open');
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const to = following.get(top.node)?.[top.next++];
      if (to === undefined) {
        state.set(top.node, 'done');
        order.push(top.node);
        stack.pop();
      } else if (state.get(to) !== 'open') {
        forward.push({ from: top.node, to });
        if (state.has(to)) continue;
        state.set(to, 'open');
        stack.push({ node: to, next: 0 });
      }
    }
  }
  const from = Map.groupBy(forward, (line) => line.from);
  const depth = new Map(nodes.map((node) => [node, 0]));
  for (const node of order.toReversed()) {
    const next = (depth.get(node) ?? 0) + 1;
    for (const { to } of from.get(node) ?? []) depth.set(to, Math.max(depth.get(to) ?? 0, next));
  }
  return depth;
}
