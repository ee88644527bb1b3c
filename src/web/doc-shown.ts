import { showCode } from './doc-code.ts';
import { type DocPlaces, showComment } from './doc-comment.ts';
import type { DocVisit } from './doc-page.ts';
import type { Unit } from './doc-units.ts';
import { type Html, html, type Part } from './html.ts';
import { sourceLink } from './links.ts';

/** Of one declaration so much is shown, in bytes of HTML: the rest of it is in the source. */
const MOST_CODE = 14_000;
const MOST_COMMENT = 12_000;

export interface ShownUnits {
  readonly parts: Part;
  /** Index of the first that is not shown. */
  readonly end: number;
  readonly next: Unit | undefined;
}

/** Declarations from one on, as many as a page holds, below their headings. */
export function shownUnits(doc: DocVisit, places: DocPlaces, from: number, most: number): ShownUnits {
  const { units } = doc;
  const parts: Html[] = [];
  let section = '';
  let size = 0;
  let end = from;
  for (const unit of units.slice(from)) {
    const made = shown(doc, unit, places);
    size += Buffer.byteLength(made.toString());
    if (end > from && size > most) break;
    if (unit.section !== section) {
      section = unit.section;
      parts.push(html`<h2 id="${section.toLowerCase()}">${section}</h2>\n`);
    }
    parts.push(made);
    end++;
  }
  return { parts, end, next: units[end] };
}

function shown({ path, version, directory }: DocVisit, unit: Unit, places: DocPlaces): Html {
  const { kind, id, below, code, doc, file, line, deprecated } = unit;
  const name = directory === '' ? file : `${directory}/${file}`;
  const source = `${sourceLink(path, version, name)}${line > 1 ? `?line=${Math.max(line - 3, 1)}` : ''}#L${line}`;
  const isValue = kind === 'const' || kind === 'var';
  const made = cutCode(code, isValue ? new Set(unit.names) : new Set());
  const comment = showComment(doc, places, below === undefined ? 4 : 5, MOST_COMMENT);
  const title = html`${kind === 'func' && id.includes('.') ? 'method' : kind} ${isValue ? groupName(unit) : id}`;
  const heading = html`<a class="to" href="#${encodeURIComponent(id)}">${title}</a>`;
  return html`<section class="decl${below !== undefined && ' below'}"${!isValue && html` id="${id}"`}>
<div class="decl-head">${below === undefined ? html`<h3>${heading}</h3>` : html`<h4>${heading}</h4>`}${deprecated && html`<span class="tag warn">deprecated</span>`}<a class="at" href="${source}"><span class="hidden">Source of ${id}: </span>${file}:${line}</a></div>
${made.html}
${!made.whole && html`<p class="quiet">This is its beginning; all of it is in the source.</p>`}
${doc !== '' && html`<div class="doc">${comment.html}${!comment.whole && html`<p class="quiet">The rest of this comment is in the source.</p>`}</div>`}
</section>
`;
}

/** "A", or "A, …" for a group. */
function groupName({ names }: Unit): string {
  return names.length > 1 ? `${names[0]}, …` : (names[0] ?? '');
}

function cutCode(code: string, anchors: ReadonlySet<string>): { html: Html; whole: boolean } {
  for (let text = code; ; text = text.slice(0, Math.floor(text.length * 0.6)).toWellFormed()) {
    const made = showCode(text.length > MOST_CODE ? text.slice(0, MOST_CODE).toWellFormed() : text, anchors);
    if (Buffer.byteLength(made.toString()) <= MOST_CODE)
      return { html: made, whole: text.length === code.length };
  }
}
