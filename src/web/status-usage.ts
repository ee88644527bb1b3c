import { USAGE_DAYS } from '../proxy/usage.ts';
import { DAY_MS } from '../store/history-table.ts';
import { type Html, html, type Part } from './html.ts';
import { moduleLink } from './links.ts';
import { count } from './present.ts';
import { table } from './rows.ts';
import type { Site, Visit } from './site.ts';

const MOST_ROWS = 10;
/** Of a name that an issuer wrote, in characters. */
const LONGEST_NAME = 80;

/** Who uses what: modules that the reader may read, and clients for who may read everything. */
export async function usagePart({ status }: Site, visit: Visit): Promise<Part> {
  const { since, modules, clients } = await status.usage();
  const all = visit.principal.mayAll('read');
  const readable = modules.filter(({ path }) => visit.mayRead(path)).slice(0, MOST_ROWS);
  if (readable.length === 0 && !all) return undefined;
  const most = Math.max(...readable.map((module) => module.clients), 1);
  const mostDownloads = Math.max(...clients.map(({ downloads }) => downloads), 1);
  const number = (title: string) => html`<th scope="col" class="number">${title}</th>`;
  const modulesTable = table(
    'Modules used most',
    ['Module', html`<th scope="col" class="wide">Clients</th>`, number('Versions'), number('Downloads')],
    readable.map(
      ({ path, clients: to, versions, downloads }) =>
        html`<tr><th scope="row" class="any"><a href="${moduleLink(path)}">${path}</a></th><td>${bar(to, most)}</td><td class="number">${count(versions)}</td><td class="number">${count(downloads)}</td></tr>
`,
    ),
  );
  const clientsTable = table(
    'Who downloads most',
    ['Client', html`<th scope="col" class="wide">Downloads</th>`, number('Modules'), 'Last'],
    clients.slice(0, MOST_ROWS).map(
      ({ name, downloads, modules: used, lastDay }) =>
        html`<tr><th scope="row" class="any">${cut(name)}</th><td>${bar(downloads, mostDownloads)}</td><td class="number">${count(used)}</td><td class="day">${new Date(lastDay * DAY_MS).toISOString().slice(0, 10)}</td></tr>
`,
    ),
  );
  return html`<section aria-labelledby="usage-head"><div class="head"><h2 id="usage-head">Who uses what</h2>
<p class="quiet">Zips served in the last ${USAGE_DAYS} days, since ${new Date(since * DAY_MS).toISOString().slice(0, 10)}: once for each zip and client.</p></div>
${readable.length === 0 ? html`<p class="empty">No zip was served yet.</p>` : html`<div class="cards${all && ' two'}"><div>${modulesTable}</div>${all && html`<div>${clientsTable}</div>`}</div>`}</section>`;
}

/** A number, with its length beside it. */
function bar(value: number, most: number): Html {
  const width = Math.max(Math.round((100 * value) / most), 1);
  return html`<span class="bar-cell"><span class="bar-number">${count(value)}</span><svg width="100%" height="10" aria-hidden="true"><rect class="c-memory" width="${width}%" height="10" rx="3"/></svg></span>`;
}

const cut = (name: string): string => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);
