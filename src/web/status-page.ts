import { DAY_MS, HOUR_MS } from '../store/history-table.ts';
import { sendPage } from './answer.ts';
import { growthFigure, type Point } from './charts/growth.ts';
import { beginOf, RANGES, requestsFigure } from './charts/requests.ts';
import { html, type Part } from './html.ts';
import { logGrowth } from './log-growth.ts';
import { headOf } from './log-page.ts';
import type { Site, Visit } from './site.ts';
import { upstreamsPart } from './status-upstreams.ts';
import { usagePart } from './status-usage.ts';

const DEFAULT_RANGE = 'week';
/** Points of a curve: more are not seen on any screen. */
const MOST_POINTS = 60;
/** Where nothing was written down for two days, nothing is known. */
const GAP_MS = 2.5 * DAY_MS;

/** `/ui/status`: how upstreams do, and for who may read everything how it all grew and who uses what. */
export async function statusPage(site: Site, visit: Visit): Promise<void> {
  const all = visit.principal.mayAll('read');
  const main = html`<h1>Status</h1>
<p class="lead">Whether this server gets what it needs from outside${all && ', how it grew, and who uses it'}.</p>
${upstreamsPart(site, visit)}
${all ? html`${requestsPart(site, visit)}${growthPart(site)}` : html`<p class="note">How much is here and asked for is shown to those who may read every module.</p>`}
${await usagePart(site, visit)}`;
  sendPage(site, visit, { title: 'Status', place: 'status', main });
}

function requestsPart({ status, now }: Site, { query }: Visit): Part {
  const asked = query.get('range') ?? DEFAULT_RANGE;
  const name = Object.hasOwn(RANGES, asked) ? asked : DEFAULT_RANGE;
  const range = RANGES[name];
  if (range === undefined) return undefined;
  const at = now();
  const current = { ...status.current(), at };
  const rows = [...status.history(range.span, beginOf(range, at), at), current];
  return html`<section aria-labelledby="requests-head"><div class="head"><h2 id="requests-head">What is asked</h2>
<nav class="ranges" aria-label="Time shown">${Object.entries(RANGES).map(([each, { name: title }]) => html`<a href="/ui/status?range=${each}#requests-head"${each === name && html` aria-current="true"`}>${title}</a>`)}</nav></div>
${requestsFigure(rows, range, at)}</section>`;
}

function growthPart(site: Site): Part {
  const { status, now } = site;
  const at = now();
  const current = { ...status.current(), at };
  const days = status.history('day', 0, at);
  const isYoung = days.length < 4;
  const rows = [...(isYoung ? status.history('hour', at - 4 * DAY_MS, at) : days), current];
  // A row has what there was at its end.
  const length = isYoung ? HOUR_MS : DAY_MS;
  const points = (of: (row: (typeof rows)[number]) => number | undefined): Point[] =>
    thinned(
      rows.flatMap((row) => {
        const value = of(row);
        return value === undefined ? [] : [{ at: Math.min(row.at + length, at), value }];
      }),
    );
  const gap = Math.max(GAP_MS, ((days.length * DAY_MS) / MOST_POINTS) * 2.5);
  const store = growthFigure({
    id: 'store',
    title: 'Store',
    what: 'in zips',
    unit: 'bytes',
    points: points(({ bytes }) => bytes),
    gap,
  });
  const parts = [logGrowth(site, headOf(site)?.size ?? 0), store].filter((part) => part !== undefined);
  return html`<section aria-labelledby="growth-head"><h2 id="growth-head">How it grew</h2>
${parts.length === 0 ? html`<p class="empty">Nothing is here yet.</p>` : html`<div class="cards two">${parts}</div>`}</section>`;
}

function thinned(points: readonly Point[]): Point[] {
  const step = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, n) => (points.length - 1 - n) % step === 0);
}
