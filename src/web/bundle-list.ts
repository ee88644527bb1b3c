import type { BundleDesk } from '../airgap/jobs/desk.ts';
import { isOver, type Job } from '../airgap/jobs/job.ts';
import type { MadeBundle } from '../airgap/jobs/made-bundles.ts';
import type { KnownBundle } from '../airgap/jobs/receipt-list.ts';
import { hasCode } from '../errors.ts';
import { sendPage } from './answer.ts';
import { html, type Html, type Part } from './html.ts';
import { ago, bytes, count, counted, hash } from './present.ts';
import { rowsOf, rowsPager, table, unseen, wholeNumber } from './rows.ts';
import type { Site, Visit } from './site.ts';

export const BUNDLES = '/ui/bundles';
const A_PAGE = 25;
const RECENT_JOBS = 8;

export const jobLink = (id: string): string => `${BUNDLES}/jobs/${id}`;
export const bundleLink = (id: string): string => `${BUNDLES}/${id}`;
/** So much of an id tells it from all others that a person looks at. */
export const shortId = (id: string): Html => html`<code title="${id}">${id.slice(0, 12)}</code>`;

/** `/ui/bundles`: what was imported, what was made and waits to be fetched, and what is under way. */
export async function bundlesPage(site: Site, visit: Visit, desk: BundleDesk): Promise<void> {
  const { made, queue, canMake, offline } = desk.o;
  const waiting = made.list();
  sendPage(site, visit, {
    title: 'Bundles',
    place: 'bundles',
    main: html`<h1>Bundles</h1>
<p class="lead">A bundle carries modules, and the proof of each, to a network without this one.</p>
<div class="actions">${actions(desk)}</div>
${jobs(site, queue.list())}
${canMake && (waiting.length > 0 || !offline) && madeHere(site, desk, waiting)}
${await imported(site, visit, desk)}`,
  });
}

/** What a site is for comes first. */
function actions({ o }: BundleDesk): Part {
  const make = (look: string) =>
    o.canMake && html`<a class="button ${look}" href="${BUNDLES}/make">Make a bundle</a>`;
  const take = (look: string) => html`<a class="button ${look}" href="${BUNDLES}/import">Import a bundle</a>`;
  const look = html`<a class="button second" href="${BUNDLES}/inspect">Look into one</a>`;
  return o.offline
    ? html`${take('')} ${look} <a class="button second" href="${BUNDLES}/wishes">Wish list</a> ${make('second')}`
    : html`${make('')} ${look} ${take('second')}`;
}

const KINDS = { make: 'Making', verify: 'Looking into one', import: 'Import' } as const;
const STATES = {
  waiting: ['', 'Waits'],
  running: ['warn', 'Running'],
  done: ['good', 'Done'],
  failed: ['bad', 'Failed'],
  cancelled: ['', 'Cancelled'],
} as const;

export function stateTag(job: Pick<Job, 'state' | 'outcome'>): Html {
  const isRefused = job.outcome?.kind === 'verified' && job.outcome.verified.problems.length > 0;
  const [look, text] = isRefused ? (['bad', 'Not in order'] as const) : STATES[job.state];
  return html`<span class="tag ${look}">${text}</span>`;
}

/** How far a job is, in words. */
export function shownProgress({ state, progress }: Job): string {
  if (state === 'waiting') return 'Waits until the job before it is done';
  if (progress === undefined) return 'Starting';
  const { what, done, total } = progress;
  const isBytes = ['writing', 'checking', 'receiving and checking'].includes(what);
  const shown = (n: number) => (isBytes ? bytes(n) : count(n));
  const of = total === 0 ? '' : ` of ${shown(total)}`;
  const far = done === 0 && total === 0 ? '' : `: ${shown(total === 0 ? done : Math.min(done, total))}${of}`;
  return `${what.charAt(0).toUpperCase()}${what.slice(1)}${far}`;
}

function jobs(site: Site, all: readonly Job[]): Part {
  const shown = all.filter((job, at) => !isOver(job) || at < RECENT_JOBS);
  if (shown.length === 0) return undefined;
  const rows = shown.map(
    (
      job,
    ) => html`<tr><td>${stateTag(job)}</td><th scope="row"><a href="${jobLink(job.id)}">${KINDS[job.kind]}</a></th><td class="any">${isOver(job) ? (job.error ?? '') : shownProgress(job)}</td><td class="any">${job.by.who}</td><td>${ago(job.createdAt, site.now())}</td></tr>
`,
  );
  return html`<section aria-labelledby="jobs-title"><h2 id="jobs-title">Under way, and lately</h2>
${table('Jobs', [unseen('State'), 'What', 'How far', 'By', 'Since'], rows)}</section>`;
}

function madeHere(site: Site, { o }: BundleDesk, all: readonly MadeBundle[]): Part {
  const size = html`<th scope="col" class="number">Size</th>`;
  const rows = all.map(
    (
      made,
    ) => html`<tr><th scope="row"><a href="${bundleLink(made.id)}">${shortId(made.id)}</a></th><td class="number">${bytes(made.size)}</td><td><div class="row-actions"><a href="${bundleLink(made.id)}/file" download>Download<span class="hidden"> ${made.id.slice(0, 12)}</span></a>
<form method="post" action="${bundleLink(made.id)}/delete"><button class="plain">Delete<span class="hidden"> ${made.id.slice(0, 12)}</span></button></form></div></td><td>${ago(made.madeAt, site.now())}</td><td class="any">${hash(made.sha256)}</td></tr>
`,
  );
  return html`<section aria-labelledby="made-title"><h2 id="made-title">Made here, to be fetched</h2>
${
  rows.length === 0
    ? html`<div class="empty"><p>Nothing waits. What is made here stays for ${days(o.made.mostAgeMs)}, ${bytes(o.mostBytes)} at the most.</p>
<p>The way across: <a href="${BUNDLES}/make">make a bundle</a> for a go.mod or the wish list of the closed side, fetch it, check it with <code>gokeep bundle verify</code>, and import it there.</p></div>`
    : table('Bundles made here', ['Bundle', size, unseen('Have it'), 'Made', 'SHA-256'], rows)
}</section>`;
}

export const days = (ms: number): string => counted(Math.max(1, Math.round(ms / 86_400_000)), 'day');

async function imported(site: Site, visit: Visit, desk: BundleDesk): Promise<Part> {
  const { receipts, offline } = desk.o;
  const ids = receipts.ids('imported');
  if (ids.length === 0 && !offline) return undefined;
  const known = new Map<string, KnownBundle | undefined>();
  const from = Math.min(wholeNumber(visit.query.get('from')), Math.max(ids.length - 1, 0));
  for (const id of ids.slice(from, from + A_PAGE)) known.set(id, await receipts.find(id).catch(damaged));
  const shown = rowsOf(ids, visit, A_PAGE, (id) => receiptRow(site, id, known.get(id)));
  return html`<section aria-labelledby="imported-title"><h2 id="imported-title">Imported here</h2>
${
  ids.length === 0
    ? nothingYet(desk)
    : html`${table('Bundles imported here', ['Bundle', 'Versions', 'Signed by', 'Follows on', 'Imported'], shown.rows)}${rowsPager(shown, BUNDLES)}`
}</section>`;
}

/** Of a receipt that cannot be read any more the rest of the list is none the worse. */
export function damaged(error: unknown): undefined {
  if (hasCode(error, 'bad_bundle')) return undefined;
  throw error;
}

function receiptRow(site: Site, id: string, known: KnownBundle | undefined): Html {
  if (known === undefined)
    return html`<tr><th scope="row">${shortId(id)}</th><td colspan="4">Its receipt is damaged: import the same bundle again.</td></tr>
`;
  const { base } = known.manifest;
  return html`<tr><th scope="row"><a href="${bundleLink(id)}">${shortId(id)}</a></th><td>${counted(known.zips, 'zip')} <span class="quiet">${counted(known.mods, 'go.mod', 'go.mod files')}</span></td><td class="any">${known.signer}</td><td>${base === undefined ? html`<span class="quiet">none</span>` : html`<a href="${bundleLink(base)}">${shortId(base)}</a>`}</td><td>${ago(known.keptAt, site.now())}</td></tr>
`;
}

function nothingYet({ o }: BundleDesk): Html {
  if (o.trusts.length === 0) return trustNobody();
  return html`<div class="empty"><p>Nothing was imported yet.</p>
<ol><li>On the connected side: <code>gokeep bundle create --output first.tar path/to/project</code></li><li>Anywhere: <code>gokeep bundle verify first.tar --key …</code></li><li>Here: <a href="${BUNDLES}/import">import it</a></li></ol></div>`;
}

/** Without a key nothing can be imported, and only who writes the configuration can change that. */
export function trustNobody(): Html {
  return html`<div class="empty"><p>No bundle can be imported: this server trusts nobody’s. Have its operator put the <code>GOSUMDB</code> line of the server that makes them into the configuration, and start it again:</p>
<pre tabindex="0"><code>[bundles]
trust = ["sum.connected.example+3f1a9c2e+AbCd…"]</code></pre>
<p>That line is what <code>gokeep key show</code> prints on the connected side. What it signs is checked here all the same.</p></div>`;
}
