import { SCHEMES } from './doc-blocks.ts';

/** The text of a paragraph, with its links (go/doc/comment, parseLinkedText). */
export type Text =
  | { readonly kind: 'plain'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly url: string }
  /** Something in a package: this one, where `importPath` is empty. */
  | {
      readonly kind: 'doc';
      readonly text: string;
      readonly importPath: string;
      /** `Name` or `Type.Method`; empty for the package itself. */
      readonly name: string;
    };

/** What names in brackets can mean. */
export interface Names {
  readonly links: ReadonlyMap<string, string>;
  /** Whether this package has it: `Name` or `Type.Name`. */
  readonly has: (name: string) => boolean;
  /** The import path that a name stands for. */
  readonly imported: (name: string) => string | undefined;
}

/** Longer ones are no links. */
const LONGEST = 300;

export function docText(text: string, names: Names): Text[] {
  const out: Text[] = [];
  let wrote = 0;
  let start = -1;
  const flush = (to: number) => {
    if (wrote < to) plain(out, text.slice(wrote, to));
  };
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (c === '[') start = at;
    if (c !== ']') continue;
    if (start >= 0 && at - start <= LONGEST) {
      const inner = text.slice(start + 1, at);
      const url = names.links.get(inner.replaceAll(/[\n\t]/g, ' '));
      const link: Text | undefined =
        url === undefined ? docLink(text, start, at, names) : { kind: 'link', text: quoted(inner), url };
      if (link !== undefined) {
        flush(start);
        out.push(link);
        wrote = at + 1;
      }
    }
    start = -1;
  }
  flush(text.length);
  return out;
}

const BOUNDARY = /^[\p{P} \t\n]$/u;

function docLink(text: string, start: number, end: number, names: Names): Text | undefined {
  const before = start === 0 ? ' ' : Array.from(text.slice(Math.max(start - 2, 0), start)).at(-1);
  const after = end + 1 === text.length ? ' ' : Array.from(text.slice(end + 1, end + 3))[0];
  if (!BOUNDARY.test(before ?? ' ') || !BOUNDARY.test(after ?? ' ')) return undefined;
  const inner = text.slice(start + 1, end);
  const [rest, name] = split(inner.replace(/^\*/, ''));
  const [first, receiver] = name === '' ? [rest, ''] : split(rest);
  const full = receiver === '' ? name : `${receiver}.${name}`;
  if (first === '')
    return names.has(full) ? { kind: 'doc', text: quoted(inner), importPath: '', name: full } : undefined;
  const importPath = packageOf(first, names);
  return importPath === undefined ? undefined : { kind: 'doc', text: quoted(inner), importPath, name: full };
}

/** Takes a capitalized name off the end. */
function split(text: string): [before: string, name: string] {
  const dot = text.lastIndexOf('.');
  const name = text.slice(dot + 1);
  return /^\p{Lu}[\p{L}0-9_]*$/u.test(name) ? [text.slice(0, Math.max(dot, 0)), name] : [text, ''];
}

function packageOf(text: string, names: Names): string | undefined {
  if (!text.includes('/')) return names.imported(text);
  const isPath = text
    .split('/')
    .every((each) => /^[A-Za-z0-9\-.~_+]+$/.test(each) && !each.startsWith('.') && !each.endsWith('.'));
  return isPath && !text.startsWith('-') ? text : undefined;
}

const ADDRESS = /([a-z]{3,6}):\/\/([A-Za-z0-9_@\-.[\]:,;?!]+)/g;
const HOST_END = '.,:;?!';
/** So far, in characters, a bracket of an address is looked for that closes one: each address may open one that none closes. */
const FARTHEST = 300;

/** Text with its addresses as links. */
function plain(out: Text[], text: string): void {
  let wrote = 0;
  ADDRESS.lastIndex = 0;
  for (let found = ADDRESS.exec(text); found !== null; found = ADDRESS.exec(text)) {
    const [, scheme = '', host = ''] = found;
    const isWord = found.index > 0 && /[\p{L}0-9_]/u.test(text[found.index - 1] ?? '');
    const first = /^[A-Za-z0-9_@\-[\]]/.test(host);
    if (isWord || !first || !SCHEMES.includes(scheme)) {
      ADDRESS.lastIndex = found.index + scheme.length;
      continue;
    }
    const end = pathEnd(text, found.index + scheme.length + 3 + hostLength(host));
    if (wrote < found.index) out.push({ kind: 'plain', text: quoted(text.slice(wrote, found.index)) });
    const url = text.slice(found.index, end);
    out.push({ kind: 'link', text: url, url });
    wrote = ADDRESS.lastIndex = end;
  }
  if (wrote < text.length) out.push({ kind: 'plain', text: quoted(text.slice(wrote)) });
}

/** Hosts have no comma, semicolon, question or exclamation mark in them, and end in no punctuation. An expression for that end takes quadratic time. */
function hostLength(host: string): number {
  const own = /^[A-Za-z0-9_@\-.[\]:]*/.exec(host)?.[0] ?? '';
  let end = own.length;
  while (end > 0 && HOST_END.includes(own[end - 1] ?? '')) end--;
  return end;
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[': ']' };

/** Punctuation at its end belongs to the sentence, and so does a bracket that was opened before it. */
function pathEnd(text: string, from: number): number {
  const open: string[] = [];
  let end = from;
  for (let at = from; at < text.length && at - end <= FARTHEST; at++) {
    const c = text[at] ?? '';
    if ('.,:;?!'.includes(c)) continue;
    if (!/[A-Za-z0-9$'()*+&#=@~_/\-[\]{}%]/.test(c)) break;
    if (CLOSING[c] !== undefined) open.push(CLOSING[c]);
    else if (c === ')' || c === '}' || c === ']') {
      if (open.pop() !== c) break;
    }
    if (open.length === 0) end = at + 1;
  }
  return end;
}

function quoted(text: string): string {
  return text.replaceAll(/`{3,}|``|''/g, (found) => (found.length > 2 ? found : found === '``' ? '“' : '”'));
}
