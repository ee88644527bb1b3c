/**
 * The first sentence of a package comment, as `go doc` and pkg.go.dev show it (go/doc, Package.Synopsis). The comment is
 * attacker-controlled; whoever shows the sentence escapes it.
 */

import { fields } from '../modfile/space.ts';

/** A comment before the package clause that begins so is a notice, and no documentation. */
const NO_DOCUMENTATION = /^(?:copyright|all rights|author)/i;

/** Longer sentences are cut: nobody reads a list of such. In UTF-16 units. */
const LONGEST = 400;
/** What is looked at. */
const MOST = 8192;

/** Packages whose name in brackets is a link (go/doc/comment, stdPkgs); those with a slash are links anyway. */
const STANDARD = new Set(
  (
    'bufio bytes cmp context crypto embed encoding errors expvar flag fmt hash html image io iter log maps math mime ' +
    'net os path plugin reflect regexp runtime slices sort strconv strings structs sync syscall testing time unicode unique ' +
    'unsafe weak'
  ).split(' '),
);

/** @param doc the comment without its markers; empty gives the empty string, and so does what is no sentence */
export function synopsisOf(doc: string): string {
  const sentence = firstSentence(doc.slice(0, MOST));
  if (NO_DOCUMENTATION.test(sentence)) return '';
  const text = fields(quoted(withoutLinks(firstParagraph(sentence)))).join(' ');
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST).toWellFormed()}…`;
}

/** Up to the first period before a space that does not follow exactly one upper-case letter: "J. Doe" goes on. */
function firstSentence(text: string): string {
  let [beforeThat, before, last] = ['', '', ''];
  let at = 0;
  for (const character of text) {
    const isSpace = character === ' ' || character === '\n' || character === '\r' || character === '\t';
    if (isSpace && last === '.' && (!isUpper(before) || isUpper(beforeThat))) return text.slice(0, at);
    if (last === '。' || last === '．') return text.slice(0, at);
    [beforeThat, before, last] = [before, last, isSpace ? ' ' : character];
    at += character.length;
  }
  return text;
}

function isUpper(character: string): boolean {
  return /^\p{Lu}$/u.test(character);
}

/** The first block of text, if it is a paragraph; empty for a heading, a list or code. */
function firstParagraph(text: string): string {
  const lines = unindented(text.split('\n'));
  for (let at = 0; at < lines.length; ) {
    const start = at;
    if (isIndented(lines[at] ?? '')) return '';
    while (at < lines.length && lines[at] !== '' && !isIndented(lines[at] ?? '')) at++;
    let end = at;
    const next = lines[at] ?? '';
    // Text before an indented block, without a blank line between them: what looks like the beginning of the block is.
    if (next !== '' && !isList(next)) {
      const above = lines[at - 1] ?? '';
      if (isList(above))
        do end--;
        while (end > start && isList(lines[end - 1] ?? ''));
      else if (/[{\\]$/.test(above)) end--;
    }
    if (end === start) return '';
    const block = lines.slice(start, end);
    if (block.length === 1 && /^#[ \t]+\S/.test(block[0] ?? '')) return '';
    if (!block.every(isLinkTarget)) return block.join('\n');
    while (lines[at] === '') at++;
  }
  return '';
}

function unindented(lines: readonly string[]): string[] {
  const bare = lines.map((line) => (/^[ \t]*$/.test(line) ? '' : line));
  const first = bare.findIndex((line) => line !== '');
  if (first < 0) return [];
  const from = bare.slice(first, bare.findLastIndex((line) => line !== '') + 1);
  let common = /^[ \t]*/.exec(from[0] ?? '')?.[0] ?? '';
  for (const line of from) {
    if (line === '') continue;
    while (!line.startsWith(common)) common = common.slice(0, -1);
  }
  return from.map((line) => line.slice(common.length));
}

function isIndented(line: string): boolean {
  return line.startsWith(' ') || line.startsWith('\t');
}

function isList(line: string): boolean {
  return /^\s*(?:[•*+-]|[0-9]+[.)])[ \t]+\S/u.test(line);
}

function isLinkTarget(line: string): boolean {
  return /^\[[^\]]*\]:[ \t]\s*[a-z]+:\/\//i.test(line);
}

/** Takes the brackets off `[fmt.Println]`; those around anything that is no such link stay. */
function withoutLinks(text: string): string {
  return text.replaceAll(
    /(?<=^|[\p{P} \t\n])\[(\*?([^\s[\]]+))\](?=$|[\p{P} \t\n])/gu,
    (whole, shown: string, name: string) => (isLink(name) ? shown : whole),
  );
}

function isLink(name: string): boolean {
  if (name.length > 200) return false;
  const isPackage = (path: string) =>
    path.includes('/')
      ? path.split('/').every((each) => /^(?!\.)[A-Za-z0-9\-.~_+]+(?<!\.)$/.test(each)) &&
        !path.startsWith('-')
      : STANDARD.has(path);
  const [, before] = /^(.+?)(?:\.\p{Lu}[\p{L}\p{Nd}_]*){0,2}$/u.exec(name) ?? [];
  return before !== undefined && isPackage(before);
}

function quoted(text: string): string {
  return text.replaceAll(/`{3,}|``|''/g, (found) => (found.length > 2 ? found : found === '``' ? '“' : '”'));
}
