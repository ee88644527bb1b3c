import { demandAll } from '../access/demand.ts';
import { hasCode } from '../errors.ts';
import type { LoggedRecord } from '../store/log-reader.ts';
import type { SignedHead } from '../sumdb/log-engine.ts';
import { sendPage } from './answer.ts';
import { html, type Html, type Part } from './html.ts';
import { moduleLink, withQuery } from './links.ts';
import { logGrowth } from './log-growth.ts';
import { incident } from './module-record.ts';
import { provenanceText } from './module-view.ts';
import { ago, count, counted, hash } from './present.ts';
import { table, wholeNumber } from './rows.ts';
import type { Site, Visit } from './site.ts';

const RECENT = 20;
const A_PAGE = 60;
const INCIDENTS = 20;
/** Paths may be long, and a page stays small. */
const MOST_SHOWN = 36_000;

/** `/ui/log`: its head, which is everybody's, and for who may read everything what came last. */
export function logPage(site: Site, visit: Visit): void {
  const head = headOf(site);
  sendPage(site, visit, {
    title: 'Log',
    place: 'log',
    main: html`<h1>Log</h1>
<p class="lead">Every module version that is served here has one record in this log, for ever. Clients check that it is there.</p>
${head === undefined ? html`<p class="empty">There is no tree head yet: nothing was imported into this replica.</p>` : shownHead(site, head)}
${visit.principal.mayAll('read') ? content(site, head?.size ?? 0) : html`<p class="note">Records and incidents are shown to those who may read every module.</p>`}`,
  });
}

/** Undefined in a replica that nothing was imported into. */
export function headOf({ reader }: Site): SignedHead | undefined {
  try {
    return reader.head;
  } catch (error) {
    if (hasCode(error, 'not_stored')) return undefined;
    throw error;
  }
}

function shownHead(site: Site, { size, root, note, signedAt }: SignedHead): Part {
  return html`<section class="card log-head" aria-labelledby="head-title"><h2 id="head-title">Head</h2>
<dl class="counts"><div><dt>Records</dt><dd>${count(size)}</dd></div></dl>
<dl class="facts">
<div><dt>Root</dt><dd>${hash(root.toString('base64'))}</dd></div>
<div><dt>Signed</dt><dd>${ago(signedAt, site.now())}</dd></div>
<div><dt>Verifier key</dt><dd>${hash(site.settings().vkey)}</dd></div>
<div><dt>As clients get it</dt><dd><pre tabindex="0" aria-label="Signed tree head"><code>${note.toString()}</code></pre></dd></div>
</dl></section>`;
}

function content(site: Site, size: number): Part {
  const records = site.reader.records(Math.max(size - RECENT, 0), RECENT).toReversed();
  const incidents = site.reader.incidents(INCIDENTS);
  const grown = logGrowth(site, size);
  return html`${
    grown !== undefined &&
    html`<section class="log-growth" aria-labelledby="growth-title"><h2 id="growth-title">How it grew</h2>
${grown}</section>`
  }
<section aria-labelledby="recent-title"><h2 id="recent-title">Recent records</h2>
${records.length === 0 ? html`<p class="empty">No records yet.</p>` : recordTable(site, records).table}
<p class="pager"><a href="/ui/log/records">All records</a></p></section>
<section aria-labelledby="incidents-title"><h2 id="incidents-title">Incidents</h2>
${
  incidents.length === 0
    ? html`<p class="empty">None. Whenever something else than what is on record is seen, it is refused and shown here.</p>`
    : html`<div class="card"><ul class="incidents">${incidents.map((each) => incident(site, each, true))}</ul></div>`
}</section>`;
}

/** `/ui/log/records?from=`: records in their order. */
export function recordsPage(site: Site, visit: Visit): void {
  demandAll(visit.principal, 'read');
  const size = headOf(site)?.size ?? 0;
  const from = Math.min(wholeNumber(visit.query.get('from')), Math.max(size - 1, 0));
  const records = size === 0 ? [] : site.reader.records(from, A_PAGE);
  const shown = recordTable(site, records);
  const last = records[shown.rows - 1]?.id ?? size;
  sendPage(site, visit, {
    title: `Records from ${from}`,
    place: 'log',
    main: html`<p class="crumb"><a href="/ui/log">Log</a></p>
<div class="head"><h1>Records</h1><p class="quiet">${counted(size, 'record')}</p></div>
<form class="big-find from" action="/ui/log/records"><label class="hidden" for="from">From number</label><input id="from" name="from" inputmode="numeric" pattern="[0-9]*" value="${from}"><button class="button">Show from here</button></form>
${records.length === 0 ? html`<p class="empty">No records from here on.</p>` : shown.table}
<nav class="pager" aria-label="More">
${from > 0 && html`<a rel="prev" href="${withQuery('/ui/log/records', { from: Math.max(from - A_PAGE, 0) })}">Earlier</a>`}
${last + 1 < size && html`<a class="button" rel="next" href="${withQuery('/ui/log/records', { from: last + 1 })}">Later</a>`}
</nav>`,
  });
}

function recordTable(site: Site, records: readonly LoggedRecord[]): { table: Html; rows: number } {
  const rows: Html[] = [];
  let length = 0;
  for (const record of records) {
    const row = recordRow(site, record);
    length += row.toString().length;
    if (rows.length > 0 && length > MOST_SHOWN) break;
    rows.push(row);
  }
  const number = html`<th scope="col" class="number">Number</th>`;
  return {
    table: table('Records', [number, 'Module', 'Where it came from', 'First seen'], rows),
    rows: rows.length,
  };
}

function recordRow(site: Site, { id, path, version }: LoggedRecord): Html {
  const provenance = site.reader.provenance(id);
  // The heads of our audit trail are records too, of no module.
  const isModule = provenance?.source !== 'audit';
  const name = `${path}@${version}`;
  return html`<tr><td class="number">${count(id)}</td><th scope="row" class="any">${isModule ? html`<a href="${moduleLink(path, version, 'record')}">${name}</a>` : name}</th><td>${provenance !== undefined && provenanceText(provenance)}</td><td>${provenance !== undefined && ago(provenance.firstSeen * 1000, site.now())}</td></tr>
`;
}
