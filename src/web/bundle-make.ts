import type { BundleDesk } from '../airgap/jobs/desk.ts';
import { type MakeRequest, MOST_INPUT } from '../airgap/jobs/make-request.ts';
import { GokeepError } from '../errors.ts';
import { redirect, sendPage, sendRefused } from './answer.ts';
import { BUNDLES, jobLink } from './bundle-list.ts';
import { html, type Part } from './html.ts';
import { readForm, textOf } from './multipart.ts';
import type { Site, Visit } from './site.ts';

const EARLIER = 50;
/** A form that was filled in wrongly comes back as it was, but for long texts: a page stays small. */
const MOST_KEPT = 20_000;

/** `/ui/bundles/make`: what is to go into a bundle. */
export function makePage(site: Site, visit: Visit, desk: BundleDesk): void {
  const main = desk.o.canMake
    ? form(desk, new URLSearchParams(), undefined)
    : html`<h1>Make a bundle</h1><p class="empty">A replica has no key to sign bundles with. Have them made on the server that it follows.</p>`;
  sendPage(site, visit, { title: 'Make a bundle', place: 'bundles', main });
}

/** `POST /ui/bundles/make` */
export async function sendMake(site: Site, visit: Visit, desk: BundleDesk): Promise<void> {
  const files: string[] = [];
  let size = 0;
  const filled = await readForm(visit.request, async (file) => {
    const text = await textOf(file);
    size += text.length;
    if (size > MOST_INPUT)
      throw new GokeepError('too_large', `The files have more than ${MOST_INPUT / 2 ** 20} MiB together.`);
    files.push(text);
  });
  try {
    const job = desk.make(requestOf(filled, files), site.exchange.actor(visit));
    redirect(site, visit, jobLink(job.id), []);
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    const main = form(desk, filled, error.message);
    sendRefused(site, visit, { title: 'Make a bundle', place: 'bundles', main }, error);
  }
}

/** The words of a line, however they are separated. */
const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');

export function requestOf(filled: URLSearchParams, files: readonly string[]): MakeRequest {
  const text = (name: string) => filled.get(name)?.trim() || undefined;
  return {
    inputs: [filled.get('input') ?? '', ...files],
    all: filled.has('all'),
    servedSince: text('served-since'),
    tests: filled.has('tests'),
    toolchains: words(filled.get('toolchains') ?? ''),
    platforms: words(filled.get('platforms') ?? ''),
    vulndb: text('vulndb'),
    since: filled.getAll('since').filter((id) => id !== ''),
    compressed: filled.has('compressed'),
    skipMissing: filled.has('skip-missing'),
    dryRun: filled.has('dry-run'),
  };
}

function form({ o }: BundleDesk, filled: URLSearchParams, problem: string | undefined): Part {
  const input = filled.get('input') ?? '';
  const box = (name: string, label: string, hint: string) =>
    html`<label class="check"><input type="checkbox" name="${name}"${filled.has(name) && html` checked`}><span>${label} <span class="quiet">${hint}</span></span></label>`;
  const field = (name: string, label: string, hint: Part, more: Part) =>
    html`<div class="field"><label for="${name}">${label}</label><input id="${name}" name="${name}" value="${(filled.get(name) ?? '').slice(0, 2_000)}" autocomplete="off" spellcheck="false" aria-describedby="${name}-hint"${more}><p class="quiet" id="${name}-hint">${hint}</p></div>`;
  return html`<p class="crumb"><a href="${BUNDLES}">Bundles</a></p>
<h1>Make a bundle</h1>
<p class="lead">Say what it is for; what is not held yet is fetched, verified and recorded first.</p>
${o.offline && html`<p class="alert warn">This site is offline: only what is held here can go in.</p>`}
${problem !== undefined && html`<p class="alert" id="problem" role="alert">${problem.charAt(0).toUpperCase()}${problem.slice(1)}</p>`}
<form method="post" action="${BUNDLES}/make" enctype="multipart/form-data" class="make">
<fieldset><legend>What it is for</legend>
<div class="field"><label for="input">A go.mod, a go.sum, a bill of materials, or a list of <code>module@version</code></label>
<textarea id="input" name="input" rows="10" spellcheck="false" autocomplete="off" placeholder="example.com/tool@v1.2.3"${problem !== undefined && html` aria-invalid="true" aria-describedby="problem"`}>
${input.length <= MOST_KEPT && input}</textarea>
<p class="quiet">The wish list of the closed side is such a list. Which of them it is, is seen by what is in it.</p></div>
<div class="field"><label for="files">Or files</label><input id="files" name="files" type="file" multiple></div>
${box('all', 'Everything that is held here', '')}
${field('served-since', 'And what was served since', 'A day in UTC, such as 2026-11-01; left empty, nothing.', html` type="date"`)}
</fieldset>
<fieldset><legend>What goes along</legend>
${box('tests', 'Tests', 'what only the tests of dependencies need')}
<div class="pair">${field('toolchains', 'Go toolchains', html`Such as <code>go1.26.9</code>, or <code>auto</code> for those that the inputs ask for.`, html` placeholder="none"`)}
${field('platforms', 'For platforms', html`Such as <code>linux/amd64 darwin/arm64</code>.`, html` placeholder="the one of this server"`)}</div>
${!o.offline && field('vulndb', 'Vulnerability database', html`Its address, such as <code>https://vuln.go.dev</code>.`, html` type="url" placeholder="none"`)}
</fieldset>
<fieldset><legend>How</legend>
<div class="field"><label for="since">Only what is not in</label><select id="since" name="since" aria-describedby="since-hint"><option value="">no earlier bundle: everything goes in</option>${o.receipts
    .ids()
    .slice(0, EARLIER)
    .map((id) => earlier(o, id, filled))}</select>
<p class="quiet" id="since-hint">The bundle that the closed side imported last, and those that it follows on.</p></div>
${box('compressed', 'Compressed', 'as .tar.zst')}
${box('skip-missing', 'Skip what is missing', 'instead of making none')}
${box('dry-run', 'Only say what would go in', 'and make nothing')}
</fieldset>
<div class="actions"><button class="button">Make it</button> <a href="${BUNDLES}">Back</a></div>
</form>`;
}

function earlier({ receipts }: BundleDesk['o'], id: string, given: URLSearchParams): Part {
  const day = new Date(receipts.keptAt(id)).toISOString().slice(0, 10);
  return html`<option value="${id}"${given.get('since') === id && html` selected`}>${id.slice(0, 12)} of ${day}</option>`;
}
