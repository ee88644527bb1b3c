import type { UpstreamCondition, UpstreamHealth } from '../upstream/watched.ts';
import { type Html, html, join, type Part } from './html.ts';
import { age, count, counted } from './present.ts';
import type { Site, Visit } from './site.ts';
import type { HeldBackHost } from './status.ts';

/** Of the hosts that do not answer: clients choose which are asked, and there may be a thousand. */
const MOST_HOSTS = 12;
const LONGEST_NAME = 120;

/** How each upstream does. Whoever may not read everything learns no names, and nothing of private ones. */
export function upstreamsPart(site: Site, visit: Visit): Html {
  const { status } = site;
  const all = visit.principal.mayAll('read');
  const upstreams = status.upstreams().filter((each) => all || !each.private);
  const database = status.database();
  const asked = database === undefined ? upstreams : [...upstreams, database.health];
  const names = new Map(
    upstreams.map((each, n) => [each.id, all ? nameOf(each) : `Public upstream ${n + 1}`]),
  );
  return html`${all && numbers(site)}
<section aria-labelledby="upstreams-head"><div class="head"><h2 id="upstreams-head">Upstreams</h2><p class="quiet">Since the server was started</p></div>
${status.offline && html`<p class="alert warn offline">Offline: nothing is asked upstream. What is not held here does not exist for clients.</p>`}
${database?.forked === true && html`<p class="alert">The checksum database ${database.name} contradicts itself: nothing new is accepted until an administrator has looked into <code>fork-evidence.txt</code> in the data directory.</p>`}
${asked.length === 0 && html`<p class="empty">None is configured.</p>`}
${
  asked.length > 0 &&
  html`<ul class="list upstreams">${upstreams.map((each) => row(site, each, names.get(each.id) ?? '', all))}
${database !== undefined && row(site, database.health, html`${database.name} <span class="quiet">checksum database</span>`, all, headLine(site))}</ul>`
}
${all && hosts(status.heldBack())}</section>`;
}

const nameOf = ({ kind, display }: UpstreamHealth): string => {
  if (kind === 'direct') return 'Repositories, directly';
  if (kind === 'off') return 'Nothing further';
  return display.length > LONGEST_NAME ? `${display.slice(0, LONGEST_NAME)}…` : display;
};

const SAID: Readonly<Record<UpstreamCondition, readonly [name: string, tag: string]>> = {
  works: ['works', 'good'],
  fails: ['does not work', 'bad'],
  waiting: ['does not answer now', 'warn'],
  unused: ['not asked yet', ''],
};

function row(site: Site, health: UpstreamHealth, name: Part, all: boolean, more?: Part): Html {
  const [said, tag] = SAID[health.condition];
  const { kind, match } = health;
  return html`<li><p class="what"><span class="path">${name}</span> ${kind !== 'off' && html`<span class="tag${tag !== '' && ` ${tag}`}">${said}</span>`} ${health.private && html`<span class="tag">private</span>`}</p>
${
  all &&
  match.length > 0 &&
  html`<p class="for">For ${join(
    match.slice(0, 8).map((each) => html`<code>${each}</code>`),
    ', ',
  )}${match.length > 8 && `, and ${match.length - 8} more`}</p>`
}
${all && lastHour(health)}
${more !== undefined && html`<p>${more}</p>`}
${all && answers(health, site.now())}</li>
`;
}

function lastHour(health: UpstreamHealth): Part {
  const { kind, requests, failures, fellThrough, latency, slowest, waiting, waitsFor } = health;
  if (kind === 'off') return html`<p>Of what is not found before, nothing is asked elsewhere.</p>`;
  const parts: string[] = [
    requests === 0 ? 'No requests in the last hour' : `${counted(requests, 'request')} in the last hour`,
  ];
  if (failures > 0) parts.push(`${count(failures)} failed`);
  if (fellThrough > 0) parts.push(`${count(fellThrough)} went on to the next`);
  if (latency !== undefined) parts.push(`${time(latency)} on average`);
  if (slowest !== undefined) parts.push(`${time(slowest)} the slowest`);
  const now =
    waiting === 0
      ? ''
      : `${counted(waiting, 'request waits', 'requests wait')} now, for ${time(waitsFor)} at most`;
  return html`<p>${parts.join(' · ')}${now !== '' && html` · <strong>${now}</strong>`}</p>`;
}

function answers({ condition, lastSuccess, lastFailure }: UpstreamHealth, now: number): Part {
  if (lastSuccess === undefined && lastFailure === undefined) return undefined;
  const answered =
    lastSuccess === undefined ? 'Has not answered yet' : html`Answered ${when(lastSuccess, now)}`;
  if (lastFailure === undefined) return html`<p>${answered}</p>`;
  const { at, reason } = lastFailure;
  return html`<p>${answered} · failed ${when(at, now)}</p>
<p class="reason${condition === 'fails' && ' bad'}">${reason}</p>`;
}

/** The newest head is as much as is known of the upstream log; that it is old may be because nobody asked for a new version. */
function headLine({ status, now }: Site): Part {
  const database = status.database();
  if (database?.size === undefined) return 'No tree head is known yet';
  const seen = database.seenAt === undefined ? 'before this was noted' : when(database.seenAt, now());
  return html`Newest verified head: ${counted(database.size, 'record')}, first seen ${seen}`;
}

function hosts(held: readonly HeldBackHost[]): Part {
  if (held.length === 0) return undefined;
  return html`<h3 class="hosts-title">Repository hosts that do not answer</h3>
<ul class="list upstreams">${held.slice(0, MOST_HOSTS).map(
    ({
      host,
      private: isPrivate,
      why,
      heldBack,
    }) => html`<li><p class="what"><span class="path">${host.replace(/^https:\/\//, '').slice(0, LONGEST_NAME)}</span> ${
      heldBack > 0
        ? html`<span class="tag warn">held back for ${time(heldBack)}</span>`
        : html`<span class="tag">asked again by the next request</span>`
    } ${isPrivate && html`<span class="tag">private</span>`}</p>
<p class="reason">${why}</p></li>
`,
  )}</ul>
${held.length > MOST_HOSTS && html`<p class="quiet graph-more">And ${count(held.length - MOST_HOSTS)} more.</p>`}`;
}

function numbers({ status, reader, now }: Site): Part {
  const incidents = reader.incidentCount();
  const monitor = status.monitor();
  const last = monitor?.last;
  return html`<dl class="counts status-counts">
<div><dt>Incidents</dt><dd><a href="/ui/log#incidents-title"${incidents > 0 && html` class="bad"`}>${count(incidents)}</a></dd></div>
<div><dt>Stale answers in the last hour</dt><dd>${count(status.stale())}</dd></div>
<div><dt>Repositories watched</dt><dd>${monitor === undefined ? html`<span class="small">not set up</span>` : last === undefined ? html`<span class="small">first round not ended</span>` : count(last.repositories)}</dd>
${last !== undefined && html`<dd class="small">${when(last.at, now())}: ${counted(last.same, 'version')} the same${last.differ > 0 && html`, <strong class="bad">${count(last.differ)} differ</strong>`}${last.troubles > 0 && `, ${counted(last.troubles, 'repository', 'repositories')} not compared`}</dd>`}</div>
</dl>`;
}

/** How long ago, with the time itself for who points at it. */
function when(at: number, now: number): Html {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}" title="${iso.replace('T', ' ').slice(0, 19)} UTC">${age(at, now)}</time>`;
}

function time(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  return `${Math.round(ms / 60_000)} min`;
}
