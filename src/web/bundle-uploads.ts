import type { BundleDesk } from '../airgap/jobs/desk.ts';
import { GokeepError } from '../errors.ts';
import { redirect, sendPage, sendRefused } from './answer.ts';
import { BUNDLES, jobLink, trustNobody } from './bundle-list.ts';
import { html, type Html, type Part } from './html.ts';
import { readForm } from './multipart.ts';
import { hash } from './present.ts';
import type { Site, Visit } from './site.ts';

/** `/ui/bundles/import`: takes a bundle, all of it or nothing. */
export function importPage(site: Site, visit: Visit, desk: BundleDesk): void {
  sendPage(site, visit, {
    title: 'Import a bundle',
    place: 'bundles',
    script: true,
    main: importForm(desk, undefined),
  });
}

function importForm({ o }: BundleDesk, problem: string | undefined): Part {
  const isTrusting = o.trusts.length > 0;
  return html`<p class="crumb"><a href="${BUNDLES}">Bundles</a></p>
<h1>Import a bundle</h1>
<p class="lead">Everything in it is checked before anything changes; one thing wrong, and nothing of it is taken.</p>
${alert(problem)}
${
  isTrusting
    ? html`${!o.offline && html`<p class="alert warn">This site has a network, and fetches for itself what is asked for. A bundle is good here for what it cannot reach.</p>`}
${upload('import', 'Import it', undefined)}
<section aria-labelledby="trust-title"><h2 id="trust-title">Whose bundles are taken</h2><ul class="keys">${o.trusts.map((key) => html`<li>${hash(key)}</li>`)}</ul>
<p class="quiet">As the operator wrote it into <code>bundles.trust</code>. A key of an earlier bundle that is not among them any more takes no new ones.</p></section>`
    : trustNobody()
}`;
}

/** `/ui/bundles/inspect`: says what is in a bundle, and takes nothing of it. */
export function inspectPage(site: Site, visit: Visit, desk: BundleDesk): void {
  sendPage(site, visit, {
    title: 'Look into a bundle',
    place: 'bundles',
    script: true,
    main: inspectForm(desk, undefined),
  });
}

function inspectForm({ o }: BundleDesk, problem: string | undefined): Part {
  const made = o.made.list().slice(0, 10);
  return html`<p class="crumb"><a href="${BUNDLES}">Bundles</a></p>
<h1>Look into a bundle</h1>
<p class="lead">What is in it and what proves it, as <code>gokeep bundle verify</code> says. Nothing is imported, and the file is not kept.</p>
${alert(problem)}
${upload('inspect', 'Check it', html`<div class="field"><label for="key">Key of who made it</label><input id="key" name="key" autocomplete="off" spellcheck="false" aria-describedby="key-hint" placeholder="one that is known here"><p class="quiet" id="key-hint">Its <code>GOSUMDB</code> line, where this server neither made it nor trusts who did.</p></div>`)}
${
  made.length > 0 &&
  html`<section aria-labelledby="here-title"><h2 id="here-title">Or one that was made here</h2><ul class="list">${made.map(
    ({ id }) =>
      html`<li class="row-actions"><a href="${BUNDLES}/${id}"><code>${id}</code></a><form method="post" action="${BUNDLES}/${id}/check"><button class="plain">Check<span class="hidden"> ${id}</span></button></form></li>`,
  )}</ul></section>`
}`;
}

function alert(problem: string | undefined): Part {
  return (
    problem !== undefined &&
    html`<p class="alert" id="problem" role="alert">${problem.charAt(0).toUpperCase()}${problem.slice(1)}</p>`
  );
}

/** With the script it shows how much has come; without, the browser does. */
function upload(what: string, verb: string, fields: Part): Html {
  return html`<form method="post" action="${BUNDLES}/${what}" enctype="multipart/form-data" class="card stack upload" data-upload>
${fields}
<div class="field"><label for="bundle">The bundle</label><input id="bundle" name="bundle" type="file" required accept=".tar,.zst" aria-describedby="bundle-hint"><p class="quiet" id="bundle-hint">One file, compressed or not. The parts of a split one are joined first: <code>cat first.tar.* &gt; first.tar</code></p></div>
<div class="progress" hidden><progress id="sent" max="1" value="0" aria-label="Sent"></progress><p class="quiet" role="status" aria-live="polite"></p></div>
<div class="actions"><button class="button">${verb}</button></div>
</form>`;
}

/** `POST /ui/bundles/import`: is answered once all of it has come, or it is clear that it is not taken. */
export function sendImport(site: Site, visit: Visit, desk: BundleDesk): Promise<void> {
  const said = visit.request.headers['content-length'] ?? '';
  const size = /^[0-9]{1,15}$/.test(said) ? Number(said) : 0;
  return taking(
    site,
    visit,
    { title: 'Import a bundle', form: (problem) => importForm(desk, problem) },
    async (chunks) => {
      const { job, read } = desk.import(chunks, size, site.exchange.actor(visit));
      await read;
      return job.id;
    },
  );
}

/** `POST /ui/bundles/inspect` */
export function sendInspect(site: Site, visit: Visit, desk: BundleDesk): Promise<void> {
  return taking(
    site,
    visit,
    { title: 'Look into a bundle', form: (problem) => inspectForm(desk, problem) },
    async (chunks, fields) => {
      const key = fields.get('key')?.trim() || undefined;
      return (await desk.verify(chunks, key, site.exchange.actor(visit))).id;
    },
  );
}

async function taking(
  site: Site,
  visit: Visit,
  { title, form }: { title: string; form: (problem: string) => Part },
  take: (chunks: AsyncIterable<Buffer>, fields: URLSearchParams) => Promise<string>,
): Promise<void> {
  let job: string | undefined;
  try {
    await readForm(visit.request, async ({ field, chunks }, fields) => {
      if (field === 'bundle') job ??= await take(chunks, fields);
    });
    if (job === undefined) throw new GokeepError('bad_request', 'choose the file of the bundle');
    redirect(site, visit, jobLink(job), []);
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    sendRefused(site, visit, { title, place: 'bundles', script: true, main: form(error.message) }, error);
  }
}
