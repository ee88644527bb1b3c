import { demand } from '../access/demand.ts';
import { GokeepError } from '../errors.ts';
import type { PackageDocs } from '../godoc/package-docs.ts';
import { sendPage } from './answer.ts';
import { showComment } from './doc-comment.ts';
import { docIndex, indexPage } from './doc-index.ts';
import { placesOf } from './doc-places.ts';
import { shownUnits } from './doc-shown.ts';
import { isDeprecated, type Unit, unitsOf } from './doc-units.ts';
import { html, type Part } from './html.ts';
import { docLink, moduleLink, parseDoc, sourceLink, withQuery } from './links.ts';
import { counted } from './present.ts';
import type { Site, Visit } from './site.ts';

/** Of the package comment so much is shown beside the declarations, in bytes of HTML. */
const MOST_COMMENT = 12_000;
/** And of a page's declarations, alone and below the comment and the index. */
const MOST_ALONE = 38_000;
const MOST_BELOW = 16_000;

export interface DocVisit {
  readonly site: Site;
  readonly visit: Visit;
  readonly path: string;
  readonly version: string;
  readonly directory: string;
  readonly docs: PackageDocs;
  readonly units: readonly Unit[];
  /** Of this page, without its query. */
  readonly address: string;
}

/** `/ui/doc/<path>@<version>/<directory>`: what a package declares, and says of it. */
export async function docPage(site: Site, visit: Visit, rest: string): Promise<void> {
  const { path, version, directory } = parseDoc(rest);
  demand(visit.principal, 'read', path);
  const docs = await site.packages.docs(path, version, directory);
  if (docs === undefined)
    throw new GokeepError('not_found', 'there is no such package in a module version that is held here');
  const address = docLink(path, version, directory);
  const doc = { site, visit, path, version, directory, docs, units: unitsOf(docs), address };
  const importPath = directory === '' ? path : `${path}/${directory}`;
  sendPage(site, visit, {
    title: `${docs.name} · ${importPath} ${version}`,
    place: 'modules',
    main: html`${head(doc, importPath)}
<div class="godoc">
${visit.query.get('tab') === 'index' ? indexPage(doc) : body(doc)}
</div>`,
  });
}

function head({ path, version, directory, docs }: DocVisit, importPath: string): Part {
  const isCommand = docs.name === 'main';
  const name = isCommand ? (importPath.split('/').at(-1) ?? '') : docs.name;
  const isInternal = `/${directory}/`.includes('/internal/');
  return html`<p class="crumb"><a href="${moduleLink(path, version)}">${path}@${version}</a> / <a href="${moduleLink(path, version, 'packages')}">packages</a></p>
<div class="module-head">
<h1>${isCommand ? 'Command' : 'Package'} ${name} <span class="version">${version}</span></h1>
${
  isCommand
    ? html`<pre class="copy" tabindex="0"><code>go install ${importPath}@${version}</code></pre>`
    : html`<pre class="copy" tabindex="0"><code>import "${importPath}"</code></pre>`
}
${(isInternal || isDeprecated(docs.doc)) && html`<p class="tags">${isInternal && html`<span class="tag">internal</span>`}${isDeprecated(docs.doc) && html`<span class="tag warn">deprecated</span>`}</p>`}
${!docs.whole && html`<div class="alerts"><p class="alert warn">Some of this package could not be read, or is too large, so declarations may be missing here.</p></div>`}
</div>`;
}

function body(doc: DocVisit): Part {
  const { visit, docs, units, address } = doc;
  const at = visit.query.get('at');
  const from = at === null ? 0 : Math.max(indexOf(units, at), 0);
  const isFirst = from === 0;
  const local = localLinks(doc, from, isFirst ? MOST_BELOW : MOST_ALONE);
  const places = placesOf(doc, local.link);
  const { parts, next } = shownUnits(doc, places, from, isFirst ? MOST_BELOW : MOST_ALONE);
  const comment = showComment(docs.doc, places, 3, MOST_COMMENT);
  return html`${
    isFirst
      ? html`${units.length > 0 && html`<p class="pager"><a href="#index">Index</a> <a href="#files">Source</a></p>`}
<section class="doc" aria-labelledby="overview"><h2 id="overview">Overview</h2>
${docs.doc === '' ? html`<p class="quiet">This package has no comment.</p>` : comment.html}
${!comment.whole && html`<p class="quiet">This is its beginning; all of it is in the source.</p>`}</section>
${docIndex(doc, local.link)}`
      : html`<p class="pager"><a href="${address}">Overview and index</a></p>`
  }
${parts}
${
  next !== undefined &&
  html`<nav class="pager" aria-label="More"><a class="button" rel="next" href="${withQuery(address, { at: next.id })}">More, from ${next.id}</a></nav>`
}
${docs.name === 'main' && html`<p class="quiet">This is a program: nothing of it can be imported.</p>`}
${isFirst && sources(doc)}`;
}

const indexOf = (units: readonly Unit[], name: string): number =>
  units.findIndex(({ id, names }) => id === name || names.includes(name));

/** Where each name is: on this page, or on one that begins with it. */
function localLinks(doc: DocVisit, from: number, most: number) {
  const here = new Set<string>();
  // What fits does not depend on where its links lead by more than some bytes.
  const { end } = shownUnits(
    doc,
    placesOf(doc, (name) => `#${name}`),
    from,
    most,
  );
  for (const { names } of doc.units.slice(from, end)) for (const name of names) here.add(name);
  const fragment = (name: string) => `#${encodeURIComponent(name)}`;
  return {
    link: (name: string) =>
      here.has(name) ? fragment(name) : `${withQuery(doc.address, { at: name })}${fragment(name)}`,
  };
}

/** The files that declarations came from. */
function sources({ path, version, directory, docs, units }: DocVisit): Part {
  const files = [...new Set(units.map(({ file }) => file))].sort();
  if (files.length === 0) return undefined;
  const within = (name: string) => (directory === '' ? name : `${directory}/${name}`);
  return html`<section aria-labelledby="files"><h2 id="files">Source</h2>
<p class="quiet">${counted(files.length, 'file')} with what is shown here, as built on ${docs.system}.</p>
<p class="files">${files.slice(0, 40).map((file) => html`<a href="${sourceLink(path, version, within(file))}">${file}</a> `)}</p></section>`;
}
