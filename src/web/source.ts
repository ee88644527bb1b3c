import { demand } from '../access/demand.ts';
import { GokeepError } from '../errors.ts';
import { sendPage } from './answer.ts';
import { html, type Part, visible } from './html.ts';
import { moduleLink, parseSource, sourceLink, withQuery } from './links.ts';
import { bytes, count } from './present.ts';
import { wholeNumber } from './rows.ts';
import type { Site, Visit } from './site.ts';

/** Of a file so much is read, in bytes; go files beyond it are made by programs. */
const MOST_READ = 4 * 1024 * 1024;
/** Of text so much is shown at once, in characters, and of one line. */
const MOST_SHOWN = 18_000;
const LONGEST_LINE = 2_000;
/** What a line costs in HTML, beside its text. */
const LINE_COST = 48;

/** `/ui/src/<path>@<version>/<file>`: a file of a zip as it is, with a number for each line. */
export async function sourcePage(site: Site, visit: Visit, rest: string): Promise<void> {
  const { path, version, name } = parseSource(rest);
  demand(visit.principal, 'read', path);
  const found = await site.zips.read(path, version, name, MOST_READ);
  if (found === undefined)
    throw new GokeepError('not_found', 'there is no such file in a module version that is held here');
  const { bytes: content, whole } = found;
  const address = sourceLink(path, version, name);
  sendPage(site, visit, {
    title: `${name} · ${path}@${version}`,
    place: 'modules',
    main: html`<p class="crumb"><a href="${moduleLink(path, version)}">${path}@${version}</a> / <a href="${moduleLink(path, version, 'files')}">files</a></p>
<div class="head"><h1>${name}</h1><p class="quiet">${bytes(content.length)}${!whole && ' and more'}</p></div>
${isText(content) ? text(content.toString('utf8'), whole, wholeNumber(visit.query.get('line')), address) : html`<p class="empty">This is no text, so it is not shown.</p>`}`,
  });
}

/** As git decides: text has no zero byte in its beginning. */
export const isText = (content: Buffer): boolean => !content.subarray(0, 8_000).includes(0);

function text(content: string, whole: boolean, asked: number, address: string): Part {
  const lines = content.split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) return html`<p class="empty">This file is empty.</p>`;
  const first = Math.min(Math.max(asked, 1), lines.length);
  const shown: Part[] = [];
  let length = 0;
  for (const [at, line] of lines.slice(first - 1).entries()) {
    const cut = line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
    const made = html`${cut}`.toString();
    length += made.length + LINE_COST;
    if (shown.length > 0 && length > MOST_SHOWN * 2) break;
    shown.push(row(first + at, cut));
  }
  const next = first + shown.length;
  const hidden = shown.length > 0 && visible(content) !== content;
  return html`${hidden && html`<p class="alert warn">Characters of this file that nobody would see, or that turn the direction of text, are shown by their number.</p>`}
${first > 1 && html`<p class="pager"><a href="${address}">From line 1</a></p>`}
<pre class="source" tabindex="0" aria-label="Content of the file"><code>${shown}</code></pre>
${
  next <= lines.length
    ? html`<p class="pager"><a class="button" rel="next" href="${withQuery(address, { line: next })}">From line ${count(next)}</a></p>`
    : !whole && html`<p class="quiet">The rest of this file is not shown.</p>`
}`;
}

const row = (number: number, line: string): Part =>
  html`<span class="l" id="L${number}"><a href="#L${number}">${number}</a>${line}
</span>`;
