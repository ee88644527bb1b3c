import { type Block, docBlocks } from '../godoc/doc-blocks.ts';
import { docText, type Names, type Text } from '../godoc/doc-text.ts';
import { type Html, html, type Part } from './html.ts';

/** Of a comment so much is read, in characters, and shown, in bytes of HTML: a page stays small. */
const MOST_READ = 60_000;

/** Where what is named in a comment is to be found. */
export interface DocPlaces extends Pick<Names, 'has' | 'imported'> {
  /** @param importPath empty for this package @returns undefined where there is no page of it here */
  readonly link: (importPath: string, name: string) => string | undefined;
}

export interface ShownComment {
  readonly html: Html;
  /** False where only its beginning is shown. */
  readonly whole: boolean;
}

/**
 * A doc comment as HTML, by the rules of https://go.dev/doc/comment.
 *
 * @param text without comment markers; attacker-controlled
 * @param heading what its headings are: a number of 2 to 6
 * @param most bytes of HTML
 */
export function showComment(text: string, places: DocPlaces, heading: number, most: number): ShownComment {
  const { blocks, links } = docBlocks(text.slice(0, MOST_READ).toWellFormed());
  const names = { ...places, links };
  const shown: Html[] = [];
  let left = most;
  let whole = text.length <= MOST_READ;
  for (const block of blocks) {
    let made = showBlock(block, names, places, heading);
    if (size(made) > left) {
      whole = false;
      if (block.kind !== 'code' || left < 1000) break;
      made = code(block.text.slice(0, Math.floor(left / 6)));
      left = 0;
    }
    shown.push(made);
    left -= size(made);
    if (!whole && left <= 0) break;
  }
  return { html: html`${shown}`, whole };
}

const size = (made: Html): number => Buffer.byteLength(made.toString());

function showBlock(block: Block, names: Names, places: DocPlaces, heading: number): Html {
  const inline = (text: string): Part => docText(text, names).map((each) => showText(each, places));
  switch (block.kind) {
    case 'paragraph':
      return html`<p>${inline(block.text)}</p>
`;
    case 'heading':
      return titled(heading, block.text);
    case 'code':
      return code(block.text);
    case 'list': {
      const items = block.items.map(({ paragraphs }) => {
        const [only, ...more] = paragraphs;
        return more.length === 0
          ? html`<li>${inline(only ?? '')}</li>`
          : html`<li>${paragraphs.map((each) => html`<p>${inline(each)}</p>`)}</li>`;
      });
      const first = block.items[0]?.number ?? '';
      if (first === '') return html`<ul>${items}</ul>\n`;
      return /^[0-9]{1,9}$/.test(first) && Number(first) !== 1
        ? html`<ol start="${Number(first)}">${items}</ol>\n`
        : html`<ol>${items}</ol>\n`;
    }
  }
}

const code = (text: string): Html => html`<pre tabindex="0"><code>${text.replace(/\n$/, '')}</code></pre>\n`;

function titled(level: number, text: string): Html {
  if (level <= 3) return html`<h3>${text}</h3>\n`;
  return level === 4 ? html`<h4>${text}</h4>\n` : html`<h5>${text}</h5>\n`;
}

function showText(text: Text, places: DocPlaces): Part {
  if (text.kind === 'plain') return text.text;
  if (text.kind === 'link')
    return /^(?:https?|mailto):/.test(text.url) && URL.canParse(text.url)
      ? html`<a href="${text.url}" rel="nofollow noopener noreferrer">${text.text}</a>`
      : text.text;
  const href = places.link(text.importPath, text.name);
  return href === undefined ? text.text : html`<a href="${href}">${text.text}</a>`;
}
