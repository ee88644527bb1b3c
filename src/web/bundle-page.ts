import type { BundleDesk } from '../airgap/jobs/desk.ts';
import type { LeftOut } from '../airgap/jobs/job.ts';
import { fileName, type MadeBundle } from '../airgap/jobs/made-bundles.ts';
import { GokeepError } from '../errors.ts';
import { sendPage } from './answer.ts';
import { bundleLink, BUNDLES, shortId } from './bundle-list.ts';
import { html, type Part } from './html.ts';
import { moduleLink } from './links.ts';
import { ago, bytes, count, counted, hash } from './present.ts';
import { rowsPager, table, unseen, wholeNumber } from './rows.ts';
import type { Site, Visit } from './site.ts';

const A_PAGE = 60;
const MOST_SHOWN = 100;

/** `/ui/bundles/<id>`: a bundle that was made or imported here. */
export async function bundlePage(site: Site, visit: Visit, { o }: BundleDesk, id: string): Promise<void> {
  const known = await o.receipts.find(id);
  if (known === undefined)
    throw new GokeepError('not_found', 'no bundle of this id was made or imported here');
  const waiting = o.made.find(id);
  const from = wholeNumber(visit.query.get('from'));
  const { versions, total } = await o.receipts.versions(id, from, A_PAGE);
  const { manifest, origin, signer } = known;
  const size = html`<th scope="col" class="number">Size</th>`;
  const rows = versions.map(
    (
      each,
    ) => html`<tr><th scope="row" class="any"><a href="${moduleLink(each.path, each.version)}">${each.path}@${each.version}</a></th><td>${!each.zip && html`<span class="quiet">its go.mod only</span>`}</td><td class="number">${bytes(each.size)}</td></tr>
`,
  );
  const next = from + versions.length < total ? from + versions.length : undefined;
  sendPage(site, visit, {
    title: `Bundle ${id.slice(0, 12)}`,
    place: 'bundles',
    main: html`<p class="crumb"><a href="${BUNDLES}">Bundles</a></p>
<div class="job-head"><h1 class="id">Bundle ${id}</h1><span class="tag">${origin === 'made' ? 'made here' : 'imported'}</span></div>
<p class="under quiet">Signed by ${signer}, ${origin === 'made' ? 'made' : 'imported'} ${ago(known.keptAt, site.now())}${manifest.base !== undefined && html`, follows on <a href="${bundleLink(manifest.base)}">${shortId(manifest.base)}</a>`}</p>
${waiting === undefined ? facts(known) : madeFacts(site, waiting)}
${waiting === undefined && heads(manifest.databases.map(({ name, head }) => ({ name, size: head.size, root: head.root.toString('base64') })))}
${manifest.vulndb !== undefined && html`<p class="note">With the vulnerability database of ${manifest.vulndb.modified}, from ${manifest.vulndb.source}.</p>`}
<section aria-labelledby="versions-title"><h2 id="versions-title">${counted(total, 'module version')}</h2>
${total === 0 ? html`<p class="empty">No module: it brings newer heads only.</p>` : html`${table('Module versions', ['Module and version', unseen('What of it'), size], rows)}${rowsPager({ rows, from, next }, bundleLink(id))}`}</section>`,
  });
}

function facts({
  zips,
  mods,
  signatures,
  manifest,
}: {
  zips: number;
  mods: number;
  signatures: number;
  manifest: { entries: { bytes: number } };
}): Part {
  return html`<dl class="counts"><div><dt>Zips</dt><dd>${count(zips)}</dd></div><div><dt>go.mod files</dt><dd>${count(mods)}</dd></div><div><dt>Signatures</dt><dd>${count(signatures)}</dd></div><div><dt>Files in all</dt><dd>${bytes(manifest.entries.bytes)}</dd></div></dl>`;
}

/** A bundle that waits: what is in it, how to have it, and how to check it on the other side. */
export function madeFacts(site: Site, made: MadeBundle): Part {
  const name = `gokeep-${made.id}${fileName(made.compressed).slice('bundle'.length)}`;
  const command = `gokeep bundle verify ${name} --key "${site.settings().vkey}"`;
  return html`<dl class="counts"><div><dt>Zips</dt><dd>${count(made.zips)}</dd></div><div><dt>go.mod files</dt><dd>${count(made.mods)}</dd></div><div><dt>Signatures</dt><dd>${count(made.signatures)}</dd></div><div><dt>Size</dt><dd>${bytes(made.size)}</dd></div></dl>
<div class="actions"><a class="button" href="${bundleLink(made.id)}/file" download>Download</a>
<form method="post" action="${bundleLink(made.id)}/check"><button class="second">Check it here</button></form>
<form method="post" action="${bundleLink(made.id)}/delete"><button class="plain">Delete</button></form></div>
<dl class="facts under"><div><dt>SHA-256</dt><dd>${hash(made.sha256)}</dd></div><div><dt>Id</dt><dd><a href="${bundleLink(made.id)}">${hash(made.id)}</a></dd></div></dl>
${leftOut('Could not be had', made.missing)}
${leftOut('Left out', made.leftOut)}
<section class="card spaced" aria-labelledby="check-title"><div class="card-head"><h2 id="check-title">Check it, anywhere</h2></div>
<pre class="copy" tabindex="0" data-copy="the command" aria-labelledby="check-title"><code>${command}</code></pre></section>
${heads(made.databases)}`;
}

export function heads(
  all: readonly { readonly name: string; readonly size: number; readonly root: string }[],
): Part {
  if (all.length === 0) return undefined;
  const records = html`<th scope="col" class="number">Records</th>`;
  const rows = all.map(
    ({
      name,
      size,
      root,
    }) => html`<tr><th scope="row" class="any">${name}</th><td class="number">${count(size)}</td><td class="any">${hash(root)}</td></tr>
`,
  );
  return html`<section aria-labelledby="heads-title"><h2 id="heads-title">Tree heads</h2>${table('Tree heads', ['Database', records, 'Root'], rows)}</section>`;
}

export function leftOut(title: string, all: readonly LeftOut[]): Part {
  if (all.length === 0) return undefined;
  const id = title.toLowerCase().replaceAll(' ', '-');
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2><ul class="list problems">${all.slice(0, MOST_SHOWN).map(({ what, why }) => html`<li><span class="path">${what}</span><p>${why}</p></li>`)}</ul>
${all.length > MOST_SHOWN && html`<p class="quiet">And ${count(all.length - MOST_SHOWN)} more.</p>`}</section>`;
}
