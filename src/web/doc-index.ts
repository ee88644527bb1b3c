import type { DocVisit } from './doc-page.ts';
import type { Unit } from './doc-units.ts';
import { type Html, html, type Part } from './html.ts';
import { withQuery } from './links.ts';
import { count } from './present.ts';
import { rowsOf, rowsPager } from './rows.ts';

/** Of the index so much stands above the declarations, in bytes of HTML; the rest has pages of its own. */
const MOST_SHOWN = 12_000;
const LONGEST = 160;
const ROWS = 400;

type Link = (name: string) => string;

/** What the index names: sections of constants and variables as a whole, and each function and type. */
function entries(units: readonly Unit[]): Unit[] {
  const seen = new Set<string>();
  return units.filter(({ short, section, below }) => {
    if (short !== undefined) return true;
    if (below !== undefined || seen.has(section)) return false;
    seen.add(section);
    return true;
  });
}

function row({ id, short, section, below, deprecated }: Unit, link: Link): Html {
  const text =
    short === undefined
      ? section
      : short.length > LONGEST
        ? `${short.slice(0, LONGEST).toWellFormed()}…`
        : short;
  return html`<li${below !== undefined && html` class="below"`}><a href="${link(id)}">${text}</a>${deprecated && html` <span class="tag warn">deprecated</span>`}</li>
`;
}

export function docIndex({ units, address }: DocVisit, link: Link): Part {
  const all = entries(units);
  if (all.length === 0) return undefined;
  const shown: Html[] = [];
  let size = 0;
  for (const each of all) {
    const made = row(each, link);
    size += Buffer.byteLength(made.toString());
    if (size > MOST_SHOWN) break;
    shown.push(made);
  }
  return html`<section aria-labelledby="index"><h2 id="index">Index</h2>
<ul class="index">${shown}</ul>
${shown.length < all.length && html`<p class="pager"><a class="button" href="${withQuery(address, { tab: 'index' })}">All ${count(all.length)} of the index</a></p>`}</section>`;
}

/** The index alone, page by page. */
export function indexPage({ units, visit, address }: DocVisit): Part {
  const link: Link = (name) => `${withQuery(address, { at: name })}#${encodeURIComponent(name)}`;
  const rows = rowsOf(entries(units), visit, ROWS, (unit) => row(unit, link));
  return html`<p class="pager"><a href="${address}">Overview</a></p>
<section aria-labelledby="index"><h2 id="index">Index</h2>
<ul class="index">${rows.rows}</ul>
${rowsPager(rows, address, { tab: 'index' })}</section>`;
}
