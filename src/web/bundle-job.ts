import type { BundleDesk } from '../airgap/jobs/desk.ts';
import { isOver, type Job, type Outcome, type Verified } from '../airgap/jobs/job.ts';
import { GokeepError } from '../errors.ts';
import { sendPage } from './answer.ts';
import { bundleLink, BUNDLES, jobLink, shownProgress, stateTag } from './bundle-list.ts';
import { heads, leftOut, madeFacts } from './bundle-page.ts';
import { jobJson } from './bundle-json.ts';
import { html, type Part } from './html.ts';
import { ago, bytes, count, counted } from './present.ts';
import type { Site, Visit } from './site.ts';

/** Seconds between two looks of a browser without the script. */
const REFRESH = 2;
const MOST_SHOWN = 100;

const TITLES = {
  make: {
    waiting: 'A bundle is to be made',
    running: 'A bundle is being made',
    done: 'The bundle is made',
    failed: 'No bundle was made',
    cancelled: 'No bundle was made',
  },
  verify: {
    waiting: 'A bundle is to be checked',
    running: 'A bundle is being checked',
    done: 'The bundle was checked',
    failed: 'The bundle could not be checked',
    cancelled: 'The bundle was not checked',
  },
  import: {
    waiting: 'A bundle is to be imported',
    running: 'A bundle is being imported',
    done: 'The bundle is imported',
    failed: 'Nothing was imported',
    cancelled: 'Nothing was imported',
  },
} as const;

function find({ o }: BundleDesk, id: string): Job {
  const job = o.queue.find(id);
  if (job !== undefined) return job;
  throw new GokeepError(
    'not_found',
    'this job is not known any more: a restart of the server ends all of them, and what they finished is among the bundles',
  );
}

/** `/ui/bundles/jobs/<id>`: how far a job is, and then what came of it. */
export function jobPage(site: Site, visit: Visit, desk: BundleDesk, id: string): void {
  const job = find(desk, id);
  const title = titleOf(job);
  sendPage(site, visit, {
    title,
    place: 'bundles',
    script: true,
    refresh: isOver(job) ? undefined : REFRESH,
    main: html`<p class="crumb"><a href="${BUNDLES}">Bundles</a></p>
<div class="job-head"><h1>${title}</h1>${stateTag(job)}</div>
<p class="under quiet">${job.by.who}, ${ago(job.createdAt, site.now())}</p>
${isOver(job) ? over(site, job) : running(job)}`,
  });
}

/** `/ui/bundles/jobs/<id>/state`: what the API says of it, for who is signed in by a cookie, which does not go there. */
export function jobState(site: Site, visit: Visit, desk: BundleDesk, id: string): void {
  const job = find(desk, id);
  const body = { ...jobJson(job), shown: shownProgress(job) };
  site.exchange.text(visit, {
    kind: 'ui',
    status: 200,
    contentType: 'application/json',
    body: `${JSON.stringify(body)}\n`,
  });
}

function titleOf(job: Job): string {
  const { outcome } = job;
  if (outcome?.kind === 'planned') return 'What would go in';
  if (outcome?.kind === 'verified')
    return outcome.verified.problems.length === 0
      ? 'The bundle is in order'
      : 'This bundle is not to be used';
  if (outcome?.kind === 'imported' && !outcome.imported.added) return 'The bundle was here already';
  return TITLES[job.kind][job.state];
}

function running(job: Job): Part {
  const { progress } = job;
  const known = progress !== undefined && progress.total > 0;
  return html`<div class="card job" data-job="${jobLink(job.id)}/state">
<div class="progress"><progress aria-label="Progress"${known && html` max="${progress.total}" value="${Math.min(progress.done, progress.total)}"`}></progress>
<p role="status" aria-live="polite">${shownProgress(job)}</p></div>
<form method="post" action="${jobLink(job.id)}/cancel"><button class="plain">Cancel</button></form></div>`;
}

function over(site: Site, job: Job): Part {
  const { outcome, error, problems, state } = job;
  if (outcome !== undefined) return result(site, outcome);
  if (state === 'cancelled') return html`<p class="empty">It was cancelled, and nothing of it is left.</p>`;
  return html`<p class="alert" role="alert">${(error ?? '').charAt(0).toUpperCase()}${(error ?? '').slice(1)}</p>
${problems.length > 0 && list(problems, job.kind === 'make' ? 'Cannot be had' : 'What is wrong')}
<div class="actions"><a class="button second" href="${BUNDLES}/${job.kind === 'verify' ? 'inspect' : job.kind}">Once more</a></div>`;
}

function list(problems: readonly string[], title: string): Part {
  return html`<section aria-labelledby="problems-title"><h2 id="problems-title">${title}</h2><ul class="list problems">${problems.slice(0, MOST_SHOWN).map((each) => html`<li>${each}</li>`)}</ul>
${problems.length > MOST_SHOWN && html`<p class="quiet">And ${count(problems.length - MOST_SHOWN)} more.</p>`}</section>`;
}

function result(site: Site, outcome: Outcome): Part {
  switch (outcome.kind) {
    case 'made':
      return madeFacts(site, outcome.made);
    case 'planned': {
      const { plan } = outcome;
      return html`<dl class="counts"><div><dt>With their zips</dt><dd>${count(plan.zips)}</dd></div><div><dt>For their go.mod only</dt><dd>${count(plan.mods)}</dd></div><div><dt>Held here</dt><dd>${bytes(plan.heldBytes)}</dd></div><div><dt>To be fetched first</dt><dd>${count(plan.absent)}</dd></div></dl>
${leftOut('Left out', plan.leftOut)}
<div class="actions"><a class="button" href="${BUNDLES}/make">Make it</a></div>`;
    }
    case 'verified':
      return verified(outcome.verified);
    case 'imported': {
      const { id, added, facts } = outcome.imported;
      return html`${added ? html`<dl class="counts"><div><dt>Zips</dt><dd>${count(facts.zips)}</dd></div><div><dt>go.mod files</dt><dd>${count(facts.mods)}</dd></div><div><dt>Signatures</dt><dd>${count(facts.signatures)}</dd></div><div><dt>Files in all</dt><dd>${bytes(facts.bytes)}</dd></div></dl>` : html`<p class="empty">This very bundle had been imported before, and all of it is still here. Nothing was done.</p>`}
<div class="actions"><a class="button" href="${bundleLink(id)}">What is in it</a></div>`;
    }
  }
}

/** What is trusted, and why: as the command says it. */
function verified(o: Verified): Part {
  if (o.problems.length > 0) return list(o.problems, counted(o.problems.length, 'problem'));
  return html`<dl class="counts"><div><dt>Zips</dt><dd>${count(o.zips)}</dd></div><div><dt>go.mod files</dt><dd>${count(o.mods)}</dd></div><div><dt>Signatures</dt><dd>${count(o.signatures)}</dd></div><div><dt>Files in all</dt><dd>${bytes(o.bytes)}</dd></div></dl>
<section aria-labelledby="why-title"><h2 id="why-title">What proves it</h2><ul class="list problems">
<li>Its list of files is signed by <strong>${o.signer ?? ''}</strong>.</li>
${o.databases.map(({ name, size }) => html`<li><strong>${name}</strong>: by its own key, a tree of ${count(size)} records has every record of it in the bundle.</li>`)}
<li>The zips and go.mod files have the hashes that these records say. <code>.info</code>, <code>list</code> and <code>@latest</code> carry no proof in Go’s design.</li>
${o.signatures > 0 && html`<li>${counted(o.signatures, 'signature')}, ${count(o.trustedSignatures ?? 0)} of them by somebody whom the rules of this site trust.</li>`}
${o.alone.map(({ database, versions, example }) => html`<li>${counted(versions, 'module version')} proven by ${database} alone, such as ${example}.</li>`)}
</ul></section>
${heads(o.databases)}
<p class="quiet under">Bundle <code>${o.id ?? ''}</code>${o.base !== null && html`, which follows on <code>${o.base}</code>`}</p>`;
}
