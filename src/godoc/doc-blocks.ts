/** Lines of a doc comment, taken apart into blocks (go/doc/comment, parseSpans). All of it is attacker-controlled. */

export type Block =
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly ListItem[] };

export interface ListItem {
  /** Empty for a bullet. */
  readonly number: string;
  readonly paragraphs: readonly string[];
}

export interface DocBlocks {
  readonly blocks: readonly Block[];
  /** Addresses by the text that stands for them in brackets. */
  readonly links: ReadonlyMap<string, string>;
}

type SpanKind = 'code' | 'heading' | 'list' | 'oldHeading' | 'paragraph';

/** @param text the comment without its markers */
export function docBlocks(text: string): DocBlocks {
  const lines = unindented(text.split('\n'));
  const links = new Map<string, string>();
  const blocks: Block[] = [];
  for (const { start, end, kind } of spans(lines)) {
    const own = lines.slice(start, end);
    const first = own[0] ?? '';
    if (kind === 'list') blocks.push(listOf(own, links));
    else if (kind === 'code') blocks.push({ kind, text: [...unindented(own), ''].join('\n') });
    else if (kind === 'heading') blocks.push({ kind, text: first.slice(1).trim() });
    else if (kind === 'oldHeading') blocks.push({ kind: 'heading', text: first.trim() });
    else {
      const paragraph = paragraphOf(own, links);
      if (paragraph !== undefined) blocks.push({ kind, text: paragraph });
    }
  }
  return { blocks, links };
}

function spans(lines: readonly string[]): { start: number; end: number; kind: SpanKind }[] {
  const found: { start: number; end: number; kind: SpanKind }[] = [];
  const line = (at: number) => lines[at] ?? '';
  let at = 0;
  let forced = 0;
  while (at < lines.length) {
    if (line(at) === '') {
      at++;
      continue;
    }
    const start = at;
    let end: number;
    let kind: SpanKind;
    if (at < forced || isIndented(line(at))) {
      // A list that nobody indented goes on up to the first blank line.
      let isLoose = isList(line(at)) && at < forced;
      for (at++; at < lines.length; at++) {
        if (line(at) === '') isLoose = false;
        else if (at >= forced && !isIndented(line(at)) && !(isLoose && isList(line(at)))) break;
      }
      end = at;
      while (end > start && line(end - 1) === '') end--;
      if (line(end).startsWith('}')) end++;
      kind = isList(line(start)) ? 'list' : 'code';
    } else {
      for (at++; at < lines.length && line(at) !== '' && !isIndented(line(at)); ) at++;
      end = at;
      // Before an indented block without a blank line between them, what looks like the block's beginning is.
      if (line(at) !== '' && !isList(line(at))) {
        if (isList(line(at - 1))) {
          forced = end;
          do end--;
          while (end > start && isList(line(end - 1)));
        } else if (/[{\\]$/.test(line(at - 1))) {
          forced = end;
          end--;
        }
        if (start === end && forced > start) {
          at = start;
          continue;
        }
      }
      const alone = end - start === 1;
      if (alone && isHeading(line(start))) kind = 'heading';
      else kind = alone && isOldHeading(lines, start) ? 'oldHeading' : 'paragraph';
    }
    found.push({ start, end, kind });
    at = end;
  }
  return found;
}

function unindented(lines: readonly string[]): string[] {
  let [from, to] = [0, lines.length];
  while (from < to && lines[from] === '') from++;
  while (to > from && lines[to - 1] === '') to--;
  const own = lines.slice(from, to);
  let prefix = /^[ \t]*/.exec(own[0] ?? '')?.[0] ?? '';
  for (const line of own) if (line !== '') while (!line.startsWith(prefix)) prefix = prefix.slice(0, -1);
  const cut = own.map((line) => (line.trim() === '' ? '' : line.slice(prefix.length)));
  while (cut[0] === '') cut.shift();
  while (cut.at(-1) === '') cut.pop();
  return cut;
}

function isIndented(line: string): boolean {
  return line.startsWith(' ') || line.startsWith('\t');
}

function isHeading(line: string): boolean {
  return /^#[ \t]/.test(line) && line.trim() !== '#';
}

/** A line alone that reads like a title, as headings were written before Go 1.19. */
function isOldHeading(lines: readonly string[], at: number): boolean {
  const after = lines[at + 2];
  if (at <= 0 || lines[at - 1] !== '' || lines[at + 1] !== '' || after === undefined || isIndented(after))
    return false;
  const line = (lines[at] ?? '').trim();
  if (!/^\p{Lu}/u.test(line) || !/[\p{L}\p{Nd}]$/u.test(line)) return false;
  if (/[;:!?+*/=[\]{}_^°&§~%#@<">\\]/.test(line)) return false;
  return !/'(?!s(?: |$))/.test(line) && !/\.(?: |$)/.test(line);
}

/** Undefined for one of link definitions, which are taken note of. */
function paragraphOf(lines: readonly string[], links: Map<string, string>): string | undefined {
  const found: (readonly [text: string, url: string])[] = [];
  for (const line of lines) {
    const definition = linkDefinition(line);
    if (definition === undefined) return lines.join('\n');
    found.push(definition);
  }
  for (const [text, url] of found) if (!links.has(text)) links.set(text, url);
  return undefined;
}

export const SCHEMES: readonly string[] = ['file', 'ftp', 'gopher', 'http', 'https', 'mailto', 'nntp'];

function linkDefinition(line: string): readonly [text: string, url: string] | undefined {
  const end = line.startsWith('[') ? line.indexOf(']:') : -1;
  if (end < 0 || !/^[ \t]./.test(line.slice(end + 2))) return undefined;
  const url = line.slice(end + 3).trim();
  return SCHEMES.includes(url.slice(0, Math.max(url.indexOf('://'), 0)))
    ? [line.slice(1, end), url]
    : undefined;
}

function listOf(lines: readonly string[], links: Map<string, string>): Block {
  const isNumbered = (marker(lines[0] ?? '')?.number ?? '') !== '';
  const items: { number: string; paragraphs: string[] }[] = [];
  let text: string[] = [];
  const flush = () => {
    const paragraph = text.length === 0 ? undefined : paragraphOf(text, links);
    if (paragraph !== undefined) items.at(-1)?.paragraphs.push(paragraph);
    text = [];
  };
  for (const each of lines) {
    let line = each;
    const found = marker(line);
    if (found !== undefined && (found.number !== '') === isNumbered) {
      flush();
      items.push({ number: found.number, paragraphs: [] });
      line = found.rest;
    }
    line = line.trim();
    if (line === '') flush();
    else text.push(line);
  }
  flush();
  return { kind: 'list', items };
}

function isList(line: string): boolean {
  return marker(line) !== undefined;
}

function marker(line: string): { number: string; rest: string } | undefined {
  const [, found = '', rest = ''] = /^\s*([•*+-]|[0-9]+[.)])([ \t].*)$/su.exec(line) ?? [];
  if (rest.trim() === '') return undefined;
  return { number: /^[0-9]/.test(found) ? found.slice(0, -1) : '', rest };
}
