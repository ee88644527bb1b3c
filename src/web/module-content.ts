import { html, type Html } from './html.ts';
import { docLink, sourceLink } from './links.ts';
import type { ModuleVisit } from './module-view.ts';
import { bytes, counted } from './present.ts';
import { rowsOf, rowsPager, table } from './rows.ts';

const PACKAGES = 100;
const FILES = 200;

/** The packages of a version, with what each says of itself. */
export function packagesTab({
  visit,
  module: { path },
  chosen: { version, facts, held },
  address,
}: ModuleVisit): Html {
  if (facts === undefined || facts.packages.length === 0)
    return html`<p class="empty">No package is known of this version.</p>`;
  const rows = rowsOf(
    facts.packages,
    visit,
    PACKAGES,
    ({ importPath, name, synopsis }) =>
      html`<tr><th scope="row" class="any import">${held === undefined ? html`<code>${importPath}</code>` : html`<a href="${docLink(path, version, importPath.slice(path.length + 1))}"><code>${importPath}</code></a>`}</th><td>${name}</td><td class="any">${synopsis.slice(0, 300)}</td></tr>
`,
  );
  return html`<section aria-labelledby="packages-title"><h2 id="packages-title">${counted(facts.packages.length, 'package')}</h2>
${table('Packages', ['Import path', 'Name', 'Synopsis'], rows.rows)}
${rowsPager(rows, address, { tab: 'packages' })}</section>`;
}

/** The files of a version's zip. */
export async function filesTab({
  site,
  visit,
  module: { path },
  chosen,
  address,
}: ModuleVisit): Promise<Html> {
  const files = await site.zips.files(path, chosen.version);
  if (files === undefined) return html`<p class="empty">The zip of this version is not held here.</p>`;
  const rows = rowsOf(
    files,
    visit,
    FILES,
    ({ name, size }) =>
      html`<tr><th scope="row" class="any"><a href="${sourceLink(path, chosen.version, name)}">${name}</a></th><td class="number">${bytes(size)}</td></tr>
`,
  );
  return html`<section aria-labelledby="files-title"><h2 id="files-title">${counted(files.length, 'file')}</h2>
${table('Files', ['Name', html`<th scope="col" class="number">Size</th>`], rows.rows)}
${rowsPager(rows, address, { tab: 'files' })}</section>`;
}
