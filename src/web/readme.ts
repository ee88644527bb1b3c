import MarkdownIt, { type Token } from 'markdown-it';
import { Html, html, visible } from './html.ts';
import { sourceLink } from './links.ts';

/** Of a README so much is read, in bytes; it is an attacker's, and the time that it takes grows with it. */
export const MOST_READ = 32 * 1024;
/** Of HTML so much is shown, so that a page stays small. */
const MOST_SHOWN = 26 * 1024;

export interface ShownReadme {
  readonly html: Html;
  /** False where only its beginning is shown. */
  readonly whole: boolean;
}

interface Home {
  readonly path: string;
  readonly version: string;
  /** Name of the README, which its links are relative to. */
  readonly name: string;
}

/**
 * A README as HTML: markdown is rendered, anything else shown as it is. Nothing of it runs, loads or looks like ours: HTML in it is
 * text, images are links, and no address but http, https, mailto and the module's own files is one.
 *
 * @param bytes attacker-controlled
 * @param whole whether these are all
 */
export function showReadme(bytes: Buffer, whole: boolean, home: Home): ShownReadme {
  const text = visible(bytes.toString('utf8', 0, MOST_READ).replaceAll('\r\n', '\n'));
  const isMarkdown = /\.(?:md|markdown)$/i.test(home.name);
  let shown = text;
  for (;;) {
    const made = isMarkdown
      ? new Html(render(shown, home))
      : html`<pre class="plain" tabindex="0">${shown}</pre>`;
    if (made.toString().length <= MOST_SHOWN)
      return { html: made, whole: whole && shown === text && bytes.length <= MOST_READ };
    shown = beginning(shown);
  }
}

/** Two thirds of a text, up to the end of a paragraph where there is one. */
function beginning(text: string): string {
  const cut = text.slice(0, Math.floor((text.length * 2) / 3));
  const paragraph = cut.lastIndexOf('\n\n');
  return paragraph > cut.length / 2 ? cut.slice(0, paragraph) : cut;
}

const MARKDOWN = new MarkdownIt('default', { html: false, linkify: false, maxNesting: 20 });
MARKDOWN.validateLink = () => true;
const { rules } = MARKDOWN.renderer;
const open = (tag: string) => () => `<${tag}>`;

rules['fence'] = rules['code_block'] = (tokens, at) =>
  html`<pre tabindex="0"><code>${tokens[at]?.content}</code></pre>\n`.toString();
rules['table_open'] = () => '<div class="scroll" tabindex="0"><table>';
rules['table_close'] = () => '</table></div>';
// Their alignment would come as a style, which the policy refuses.
for (const name of ['th', 'td']) rules[`${name}_open`] = open(name);
rules['image'] = (tokens, at) => {
  const token = tokens[at];
  const alt = token?.content.trim() === '' ? 'image' : token?.content;
  const href = (token?.meta as { href?: string } | null)?.href;
  return (
    href === undefined ? html`${alt}` : html`<a href="${href}" rel="nofollow noopener">${alt}</a>`
  ).toString();
};

function render(text: string, home: Home): string {
  const tokens = MARKDOWN.parse(text, {});
  lowerHeadings(tokens);
  for (const { children } of tokens) if (children !== null) settleLinks(children, home);
  return MARKDOWN.renderer.render(tokens, MARKDOWN.options, {});
}

/** Below the headings of the page, and none left out on the way down, for who finds the way by them. */
function lowerHeadings(tokens: readonly Token[]): void {
  let last = 2;
  for (const token of tokens) {
    if (token.type === 'heading_open') last = Math.min(Number(token.tag.slice(1)) + 2, last + 1, 6);
    if (token.type.startsWith('heading_')) token.tag = `h${last}`;
  }
}

/** Gives each link its address, or none; an image in a link is only its text. */
function settleLinks(tokens: readonly Token[], home: Home): void {
  let depth = 0;
  for (const token of tokens) {
    if (token.type === 'link_close') depth--;
    if (token.type === 'link_open') {
      depth++;
      const href = settled(String(token.attrGet('href') ?? ''), home);
      token.attrs =
        href === undefined
          ? []
          : [
              ['href', href],
              ['rel', 'nofollow noopener'],
            ];
    } else if (token.type === 'image') {
      token.meta = { href: depth === 0 ? settled(String(token.attrGet('src') ?? ''), home) : undefined };
    }
  }
}

/** Where an address of a README leads; undefined for nowhere. */
function settled(address: string, { path, version, name }: Home): string | undefined {
  if (/^(?:https?:\/\/|mailto:)/i.test(address)) return URL.canParse(address) ? address : undefined;
  // Any other scheme, another host, and a place in the page: headings have no names here.
  if (/^(?:[a-z][a-z0-9+.-]*:|[/\\]{2}|#|$)/i.test(address)) return undefined;
  const base = new URL(`http://module.invalid/${name.split('/').map(encodeURIComponent).join('/')}`);
  try {
    const found = new URL(address, base);
    const file = decodeURIComponent(found.pathname).replace(/^\//, '');
    return found.origin === base.origin && file !== '' ? sourceLink(path, version, file) : undefined;
  } catch {
    return undefined;
  }
}
