export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

const TOKEN = /<!--(?:(?!--)[^])*-->|<\/([\w.]+)>|<([\w.]+)((?:\s+[\w:.]+="[^"<]*")*)\s*(\/?)>|([^<]+)|(<)/g;
const ENTITY = /&(?!(?:amp|lt|gt|quot|apos);)/;

/** Reads the XML that a setup writes: elements, attributes, text and comments. Throws for what is not well-formed, or more than that. */
export function parseXml(text: string): Element {
  const root: { children: Element[]; text: string } = { children: [], text: '' };
  const open: { name: string; attributes: Record<string, string>; children: Element[]; text: string }[] = [];
  for (const [all, end, start, attributes = '', empty, content, stray] of text.matchAll(TOKEN)) {
    const inner = open.at(-1) ?? root;
    if (stray !== undefined) throw new Error(`a tag that is none, after ${JSON.stringify(inner.text)}`);
    if (ENTITY.test(content ?? attributes)) throw new Error(`an entity that is none: ${all}`);
    if (content !== undefined) inner.text += content;
    else if (start !== undefined) {
      const pairs = [...attributes.matchAll(/([\w:.]+)="([^"]*)"/g)].map(([, name, value]) => [
        name!,
        value!,
      ]);
      const element = { name: start, attributes: Object.fromEntries(pairs), children: [], text: '' };
      if (Object.keys(element.attributes).length !== pairs.length) throw new Error(`twice the same: ${all}`);
      inner.children.push(element);
      if (empty === '') open.push(element);
    } else if (end !== undefined && open.pop()?.name !== end) throw new Error(`</${end}> ends nothing`);
  }
  const [only, ...more] = root.children;
  if (open.length > 0 || only === undefined || more.length > 0 || root.text.trim() !== '')
    throw new Error('not one element');
  return only;
}
