import type { HeadOnRecord } from '../audit/heads-on-record.ts';
import type { ShownEntry, TrailPage } from '../audit/trail-pages.ts';
import { hasCode } from '../errors.ts';
import { TRAIL_KINDS, type TrailEntry } from '../store/trail-entry.ts';
import { type Administration, adminTabs, demandAdministrator } from './administration.ts';
import { sendRefused, sendUnkept } from './answer.ts';
import { type Html, html, type Part } from './html.ts';
import { withQuery } from './links.ts';
import { ago, count, counted, moment } from './present.ts';
import { table } from './rows.ts';
import type { Site, Visit } from './site.ts';
import { belowOf, TRAIL_QUERY, trailFilter } from './trail-query.ts';

const ADDRESS = '/ui/admin/audit';
const A_PAGE = 40;
/** Texts of others may be long, and a page stays small. */
const MOST_SHOWN = 30_000;
const LONGEST_NAME = 120;
const LONGEST_FACTS = 160;
const TITLE = 'Audit trail';

/** `/ui/admin/audit`: who did what, newest first. */
export async function auditPage(site: Site, visit: Visit): Promise<void> {
  const admin = demandAdministrator(site, visit);
  try {
    const found = await admin.trail.page(trailFilter(visit), belowOf(visit), A_PAGE);
    const main = html`${top(site, admin, visit, undefined)}${listed(site, visit, found)}`;
    sendUnkept(site, visit, { title: TITLE, place: 'admin', main });
  } catch (error) {
    if (!hasCode(error, 'bad_request')) throw error;
    const main = top(
      site,
      admin,
      visit,
      `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`,
    );
    sendRefused(site, visit, { title: TITLE, place: 'admin', main }, error);
  }
}

function top(site: Site, admin: Administration, visit: Visit, problem: string | undefined): Html {
  const { n } = admin.trail.head();
  return html`${adminTabs('audit')}
<div class="head"><h1>Audit trail</h1><p class="quiet">${counted(n, 'entry', 'entries')}</p></div>
<p class="quiet covered">${covered(site, n, admin.heads?.newest(), admin.heads !== undefined)}</p>
${problem !== undefined && html`<p class="alert" role="alert">${problem}</p>`}
${filterForm(visit)}`;
}

/** How much of it the log vouches for. */
function covered(site: Site, n: number, newest: HeadOnRecord | undefined, signs: boolean): Part {
  if (!signs)
    return 'Each entry is chained to the one before it. A replica signs no log, so the chain is recorded nowhere.';
  if (newest === undefined)
    return 'The log has not recorded the chain yet. It does so every five minutes, when something was added.';
  const rest = n - newest.n;
  return html`The log recorded the chain up to entry ${count(newest.n)}${newest.at !== undefined && html`, ${ago(newest.at * 1000, site.now())}`}: <a href="${recordLink(newest)}">${newest.path}@${newest.version}</a>.${rest > 0 && ` ${counted(rest, 'entry since is', 'entries since are')} not covered yet.`}`;
}

export const recordLink = ({ record }: HeadOnRecord): string =>
  withQuery('/ui/log/records', { from: record });

function filterForm({ query }: Visit): Html {
  const kind = query.get('kind') ?? '';
  const field = (name: string, label: string, more: Part) =>
    html`<div class="field"><label for="${name}">${label}</label><input id="${name}" name="${name}" value="${query.get(name) ?? ''}" maxlength="1024" autocomplete="off" spellcheck="false"${more}></div>
`;
  const kinds = ['', ...TRAIL_KINDS];
  const all = kinds.includes(kind) ? kinds : [...kinds, kind];
  return html`<form class="filter" action="${ADDRESS}" role="search" aria-label="Audit trail">
<div class="field"><label for="kind">What</label><select id="kind" name="kind">${all.map((each) => html`<option value="${each}"${each === kind && html` selected`}>${each === '' ? 'everything' : each}</option>`)}</select></div>
${field('who', 'Who', html` placeholder="token:ci"`)}${field('module', 'Module', html` placeholder="corp.example/*"`)}${field('since', 'From (UTC)', html` type="date"`)}${field('until', 'To (UTC)', html` type="date"`)}
<button class="button">Show</button></form>`;
}

function listed(site: Site, visit: Visit, { entries, next }: TrailPage): Part {
  const asked = Object.fromEntries(TRAIL_QUERY.map((name) => [name, visit.query.get(name) ?? undefined]));
  const isFiltered = Object.values(asked).some((value) => value !== undefined && value !== '');
  const rows: Html[] = [];
  let length = 0;
  let last = next;
  for (const [at, shown] of entries.entries()) {
    const row = html`${!isFiltered && missing(entries[at - 1]?.n, shown.n)}${entryRow(site, shown)}`;
    length += row.toString().length;
    if (rows.length > 0 && length > MOST_SHOWN) break;
    rows.push(row);
    if (at < entries.length - 1) last = shown.n;
    else last = next;
  }
  const started = visit.query.get('after') !== null;
  const none = isFiltered ? 'No entry fits.' : 'Nothing has happened yet.';
  return html`${
    rows.length === 0
      ? html`<p class="empty">${next === undefined ? none : `No entry fits among those down to ${count(next)}; there are older ones.`}</p>`
      : table(TITLE, [html`<th scope="col" class="number">Entry</th>`, 'When', 'What', 'Who'], rows)
  }
<nav class="pager" aria-label="More">
${started && html`<a href="${withQuery(ADDRESS, asked)}">Newest</a>`}
${last !== undefined && html`<a class="button" rel="next" href="${withQuery(ADDRESS, { ...asked, after: last })}">Older</a>`}
</nav>`;
}

/** Numbers that nothing has: entries were lost, which one of kind gap tells of. */
function missing(above: number | undefined, n: number): Part {
  if (above === undefined || above - n < 2) return undefined;
  const which = above - n === 2 ? `Entry ${n + 1} is` : `Entries ${n + 1} to ${above - 1} are`;
  return html`<tr class="lost"><td></td><td colspan="3"><strong>${which} missing.</strong></td></tr>
`;
}

function entryRow(site: Site, { n, entry }: ShownEntry): Html {
  const number = html`<th scope="row" class="number"><a href="${ADDRESS}/${n}">${n}</a></th>`;
  if (entry === undefined)
    return html`<tr>${number}<td></td><td colspan="2"><span class="tag bad">damaged</span> Run <code>gokeep audit verify</code>.</td></tr>
`;
  const who = cut(entry.who, LONGEST_NAME);
  return html`<tr>${number}<td class="when">${moment(Date.parse(entry.at), site.now())}</td><td class="any">${kindTag(entry.kind)} ${subject(entry)}<div class="quiet small">${cut(told(entry), LONGEST_FACTS)}</div></td><td class="any who-cell">${who}${entry.from !== undefined && html`<div class="quiet small">${cut(entry.from, LONGEST_NAME)}</div>`}</td></tr>
`;
}

const TONES: Readonly<Record<string, string>> = {
  incident: 'bad',
  gap: 'bad',
  refusal: 'warn',
  mark: 'warn',
};

export const kindTag = (kind: string): Html => {
  const tone = Object.hasOwn(TONES, kind) ? (TONES[kind] ?? '') : '';
  return html`<span class="tag ${tone}">${cut(kind, 20)}</span>`;
};

/** Which module it is about. */
export function subject({ path, version }: TrailEntry): string {
  if (path === undefined) return '';
  return cut(`${path}${version === undefined ? '' : `@${version}`}`, 2 * LONGEST_NAME);
}

/** What else is said, in a line. */
function told({ facts = {} }: TrailEntry): string {
  return Object.entries(facts)
    .filter(([, value]) => !Array.isArray(value) || value.length > 0)
    .map(([name, value]) => `${name} ${inWords(value)}`)
    .join(' · ');
}

function inWords(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value.join(', ');
  return JSON.stringify(value) ?? '';
}

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most)}…` : text);
