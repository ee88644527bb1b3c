import { after } from './found.ts';
import { html, type Html, type Part } from './html.ts';
import { diffLink, moduleLink, withQuery } from './links.ts';
import type { ModuleVisit } from './module-view.ts';
import { vulnerableTag } from './module-vulnerabilities.ts';
import { ago, bytes, counted } from './present.ts';
import { rowsOf, rowsPager, table } from './rows.ts';

const VERSIONS = 60;
const REQUIRES = 100;
const DEPENDENTS = 50;

/** All versions held, newest first, each to be compared with the one before it. */
export function versionsTab({ site, visit, module, known, address }: ModuleVisit): Html {
  const { path, versions } = module;
  if (versions.length === 0) return html`<p class="empty">No version of this module is held here.</p>`;
  const rows = rowsOf(versions, visit, VERSIONS, ({ version, time, size, yank, retracted }, at) => {
    const before = versions[at + 1]?.version;
    const flags: Part[] = [];
    if (yank !== undefined) flags.push(html` <span class="tag bad">yanked</span> ${yank.reason}`);
    if (retracted !== undefined) flags.push(html` <span class="tag bad">retracted</span> ${retracted}`);
    flags.push(vulnerableTag(known, path, version));
    return html`<tr><th scope="row"><a href="${moduleLink(path, version)}">${version}</a></th><td>${time === undefined ? html`<span class="quiet">not known</span>` : ago(time, site.now())}</td><td class="number">${bytes(size)}</td><td class="any">${flags}</td><td>${before !== undefined && html`<a href="${diffLink(path, before, version)}" aria-label="Changes from ${before} to ${version}">Changes</a>`}</td></tr>
`;
  });
  const size = html`<th scope="col" class="number">Zip</th>`;
  return html`<section aria-labelledby="versions-title"><h2 id="versions-title">${counted(versions.length, 'version')}</h2>
${table('Versions', ['Version', 'Made', size, 'State', 'Since the one before'], rows.rows)}
${rowsPager(rows, address, { tab: 'versions' })}</section>`;
}

/** What it requires, and which modules held here require it. */
export function dependenciesTab(m: ModuleVisit): Html {
  return html`<div class="cards two"><section aria-labelledby="requires-title">${requires(m)}</section>
<section aria-labelledby="dependents-title">${dependents(m)}</section></div>`;
}

function requires({ visit, chosen: { facts }, address }: ModuleVisit): Part {
  const all = facts?.requires ?? [];
  const rows = rowsOf(
    all,
    visit,
    REQUIRES,
    // A go.mod may name what is no module path.
    ({ path, version, indirect }) =>
      html`<tr><th scope="row" class="any"><a href="${moduleLink(path, version)}">${path}</a></th><td>${version}${indirect && html` <span class="tag">indirect</span>`}</td></tr>
`,
  );
  return html`<h2 id="requires-title">Requires</h2>
${all.length === 0 ? html`<p class="empty">Nothing that is known here.</p>` : table('Requires', ['Module', 'Version'], rows.rows)}
${rowsPager(rows, address, { tab: 'dependencies' })}`;
}

function dependents({ site, visit, module: { path }, address }: ModuleVisit): Part {
  const { mayRead } = visit;
  const found = site.catalogue.dependents(path, { mayRead, limit: DEPENDENTS, after: after(visit) });
  const last = found.length === DEPENDENTS ? found.at(-1)?.path : undefined;
  const rows = found.map(
    (each) =>
      html`<tr><th scope="row" class="any"><a href="${moduleLink(each.path, each.version)}">${each.path}</a></th><td>${each.requires}</td></tr>
`,
  );
  return html`<h2 id="dependents-title">Required here by</h2>
${found.length === 0 ? html`<p class="empty">No module that is held here and that you may read.</p>` : table('Required here by', ['Module', 'Requires'], rows)}
${last !== undefined && html`<nav class="pager" aria-label="More dependents"><a class="button" href="${withQuery(address, { tab: 'dependencies', after: last })}">More</a></nav>`}`;
}
