import type { ModuleVulnerabilities } from '../catalogue/known-vulnerabilities.ts';
import { affects, fixedAfter } from '../vulndb/affects.ts';
import type { Vulnerability } from '../vulndb/entry.ts';
import { html, type Html, type Part } from './html.ts';
import { docLink, moduleLink } from './links.ts';
import type { ModuleVisit } from './module-view.ts';
import { ago, count, counted } from './present.ts';
import { rowsOf, rowsPager } from './rows.ts';

const SHOWN = 25;
const IN_OVERVIEW = 5;
const SYMBOLS = 12;
const PACKAGES = 12;

/** Those of a module that a version of it is affected by. */
export function affecting(known: ModuleVulnerabilities, version: string): readonly Vulnerability[] {
  return known.kind === 'known' ? known.vulnerabilities.filter(({ ranges }) => affects(ranges, version)) : [];
}

/** Beside a version in the list of them. */
export function vulnerableTag(known: ModuleVulnerabilities, path: string, version: string): Part {
  const found = affecting(known, version).length;
  return (
    found > 0 &&
    html` <a class="tag bad" href="${moduleLink(path, version, 'vulnerabilities')}">${counted(found, 'vulnerability', 'vulnerabilities')}</a>`
  );
}

/** Beside the README: the first of them, or that there are none, or that nobody knows. */
export function vulnerabilitiesCard({ known, module: { path }, chosen: { version } }: ModuleVisit): Part {
  const found = affecting(known, version);
  const all = html`<a href="${moduleLink(path, version, 'vulnerabilities')}">`;
  if (known.kind !== 'known') return undefined;
  return html`<section class="card" aria-labelledby="vulnerable-title"><h2 id="vulnerable-title">Vulnerabilities</h2>
${
  found.length === 0
    ? html`<p>${all}None known</a> of this version.</p>`
    : html`<ul class="vulns">${found
        .slice(0, IN_OVERVIEW)
        .map(
          (each) =>
            html`<li><a href="${moduleLink(path, version, 'vulnerabilities')}#${each.id}">${each.id}</a> ${each.summary}<br><span class="quiet">${fixedText(each, version)}</span></li>`,
        )}</ul>
${found.length > IN_OVERVIEW && html`<p>${all}All ${count(found.length)}</a></p>`}`
}</section>`;
}

function fixedText({ ranges }: Vulnerability, version: string): string {
  const fixed = fixedAfter(ranges, version);
  return fixed === undefined ? 'no fixed version is known' : `fixed in ${fixed}`;
}

/** All that the imported database knows of a module, and what of it affects this version. */
export function vulnerabilitiesTab(m: ModuleVisit): Html {
  const { site, visit, known, module, chosen, address } = m;
  if (known.kind === 'none')
    return html`<p class="empty">No vulnerability database was imported here, so nothing is known of vulnerabilities. A bundle brings one: <code>gokeep bundle create --vulndb</code>, where there is a network, and <code>gokeep bundle import</code> here.</p>`;
  if (known.kind === 'unreadable')
    return html`<p class="empty">The vulnerability database of this server cannot be read; its operator has to import one again.</p>`;
  const found = affecting(known, chosen.version);
  const others = known.vulnerabilities.filter((each) => !found.includes(each));
  const rows = rowsOf(found, visit, SHOWN, (each) => details(m, each));
  const of =
    known.modified !== undefined &&
    html`<p class="quiet">By a vulnerability database last changed ${ago(known.modified, site.now())}.</p>`;
  return html`<section aria-labelledby="vulns-title"><h2 id="vulns-title">${found.length === 0 ? `No vulnerability of ${chosen.version} is known` : `${counted(found.length, 'vulnerability', 'vulnerabilities')} of ${chosen.version}`}</h2>
${of}
${!known.whole && html`<p class="alert warn">The database says more of this module than could be read here; govulncheck reads all of it.</p>`}
${rows.rows.length > 0 && html`<div class="cards vulnerable">${rows.rows}</div>`}
${rowsPager(rows, address, { tab: 'vulnerabilities' })}</section>
${
  others.length > 0 &&
  html`<section aria-labelledby="others-title"><h2 id="others-title">Of other versions</h2>
<ul class="list">${others.slice(0, SHOWN).map((each) => html`<li><span class="path">${each.id}</span> ${aliases(each)}<p>${each.summary}</p><p class="packages">${rangesText(each)}</p></li>`)}</ul>
${others.length > SHOWN && html`<p class="quiet">And ${count(others.length - SHOWN)} more.</p>`}</section>`
}${module.versions.length > 1 && html`<p class="pager"><a href="${moduleLink(module.path, undefined, 'versions')}">Which versions are affected</a></p>`}`;
}

const aliases = ({ aliases }: Vulnerability): Part =>
  aliases.length > 0 && html`<span class="quiet">${aliases.slice(0, 6).join(', ')}</span>`;

function details(
  { site, module: { path }, chosen: { version, facts } }: ModuleVisit,
  vulnerability: Vulnerability,
): Html {
  const { id, summary, details, published, modified, packages, references } = vulnerability;
  const known = new Set(facts?.packages.map(({ importPath }) => importPath));
  const shown = packages.slice(0, PACKAGES).map(({ importPath, symbols }) => {
    const name = known.has(importPath)
      ? html`<a href="${docLink(path, version, importPath.slice(path.length + 1))}"><code>${importPath}</code></a>`
      : html`<code>${importPath}</code>`;
    const more = symbols.length > SYMBOLS && ` and ${count(symbols.length - SYMBOLS)} more`;
    return html`<li>${name}${symbols.length > 0 && html`: ${symbols.slice(0, SYMBOLS).join(', ')}${more}`}</li>`;
  });
  return html`<section class="card stack" id="${id}" aria-labelledby="${id}-title"><div><h3 id="${id}-title">${id}</h3>
${aliases(vulnerability)}</div>
<p>${summary === '' ? html`<span class="quiet">No summary.</span>` : summary}</p>
${details !== '' && details !== summary && html`<p class="quiet details">${details}</p>`}
<dl class="facts">
<div><dt>Fixed in</dt><dd>${fixedAfter(vulnerability.ranges, version) ?? 'no version that is known'}</dd></div>
<div><dt>Affected versions</dt><dd>${rangesText(vulnerability)}</dd></div>
<div><dt>Affected packages</dt><dd>${shown.length === 0 ? 'all of the module' : html`<ul>${shown}</ul>${packages.length > PACKAGES && html`<p class="quiet">And ${count(packages.length - PACKAGES)} more.</p>`}`}</dd></div>
${published !== undefined && html`<div><dt>Published</dt><dd>${ago(published, site.now())}</dd></div>`}
${modified !== undefined && html`<div><dt>Last changed</dt><dd>${ago(modified, site.now())}</dd></div>`}
${references.length > 0 && html`<div><dt>More</dt><dd><ul>${references.slice(0, 6).map((url) => html`<li><a href="${url}" rel="nofollow noopener noreferrer">${url}</a></li>`)}</ul></dd></div>`}
</dl></section>
`;
}

/** "from 1.2.0 before 1.3.1", each range. */
function rangesText({ ranges }: Vulnerability): string {
  const parts = ranges
    .filter(({ type }) => type === 'SEMVER')
    .slice(0, 20)
    .flatMap(({ events }) =>
      events
        .slice(0, 40)
        .map(({ introduced, fixed }) =>
          fixed !== undefined ? `before ${fixed}` : introduced === '0' ? 'all' : `from ${introduced ?? ''}`,
        ),
    );
  return parts.length === 0 ? 'all' : parts.join(' ').replaceAll(/ (?=from|all)/g, ', ');
}
