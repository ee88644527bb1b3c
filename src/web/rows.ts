import { type Html, html, type Part } from './html.ts';
import { withQuery } from './links.ts';
import type { Visit } from './site.ts';

/** Of rows so much is shown at once, in characters of HTML: names out of zips may be thousands long, and a page stays small. */
const MOST_SHOWN = 30_000;

export interface Rows {
  readonly rows: readonly Html[];
  /** Which of all the first one is. */
  readonly from: number;
  /** Where the next page begins; undefined at the end. */
  readonly next: number | undefined;
}

/** A page of a list, from where its address says. */
export function rowsOf<T>(
  items: readonly T[],
  visit: Visit,
  most: number,
  row: (item: T, at: number) => Html,
): Rows {
  const from = Math.min(wholeNumber(visit.query.get('from')), Math.max(items.length - 1, 0));
  const rows: Html[] = [];
  let length = 0;
  for (const [at, item] of items.slice(from, from + most).entries()) {
    const made = row(item, from + at);
    length += made.toString().length;
    if (rows.length > 0 && length > MOST_SHOWN) break;
    rows.push(made);
  }
  const end = from + rows.length;
  return { rows, from, next: end < items.length ? end : undefined };
}

/** The client's: anything else than a number is 0. */
export function wholeNumber(text: string | null): number {
  return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : 0;
}

export function rowsPager(
  { from, next }: Rows,
  address: string,
  query: Readonly<Record<string, string | undefined>> = {},
): Part {
  if (from === 0 && next === undefined) return undefined;
  return html`<nav class="pager" aria-label="More">
${from > 0 && html`<a href="${withQuery(address, query)}">From the beginning</a>`}
${next !== undefined && html`<a class="button" rel="next" href="${withQuery(address, { ...query, from: next })}">More</a>`}
</nav>`;
}

/** The head of a column that needs no word where it is seen. */
export const unseen = (title: string): Html =>
  html`<th scope="col"><span class="hidden">${title}</span></th>`;

/** A table that scrolls by itself where it is too wide, also by keyboard. */
export function table(caption: string, head: readonly Part[], rows: readonly Html[]): Html {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${caption}"><table>
<thead><tr>${head.map((title) => (title instanceof Object ? title : html`<th scope="col">${title}</th>`))}</tr></thead>
<tbody>
${rows}
</tbody></table></div>`;
}
