import { demand, demandAll } from '../access/demand.ts';
import { GokeepError } from '../errors.ts';
import { parseLookup } from '../module/request-path.ts';
import { DAY_MS, HOUR_MS, OUTCOMES } from '../store/history-table.ts';
import type { UpstreamHealth } from '../upstream/watched.ts';
import { headOf } from './log-page.ts';
import { moduleGraph } from './module-graph.ts';
import { absent } from './module-page.ts';
import { viewModule, viewVersion } from './module-view.ts';
import { wholeNumber } from './rows.ts';
import type { Site, Visit } from './site.ts';

/** How the server does and did, for programs. Each gives what is to be sent as JSON, or throws. */

const LIMIT = 50;
const MOST = 200;
const GROWTH_POINTS = 60;

/** `/api/v1/upstreams`. Whoever may not read everything learns whether upstreams of public modules work. */
export function tellUpstreams({ status, reader }: Site, visit: Visit) {
  const all = visit.principal.mayAll('read');
  const database = status.database();
  const upstreams = status.upstreams().filter((each) => all || !each.private);
  const public_ = {
    offline: status.offline,
    upstreams: upstreams.map((each) => told(each, all)),
    database: database && {
      name: database.name,
      forked: database.forked,
      size: database.size,
      headSeenAt: iso(database.seenAt),
      health: told(database.health, all),
    },
  };
  if (!all) return public_;
  const hosts = status.heldBack();
  const monitor = status.monitor();
  const { at, ...round } = monitor?.last ?? { at: undefined };
  return {
    ...public_,
    failingHosts: hosts.slice(0, limitOf(visit)).map((each) => ({
      host: each.host,
      private: each.private,
      code: each.code,
      reason: each.why,
      heldBackMs: Math.round(each.heldBack),
    })),
    failingHostsTotal: hosts.length,
    staleAnswers: status.stale(),
    incidents: reader.incidentCount(),
    monitor: monitor && {
      everyMs: monitor.every,
      last: at === undefined ? undefined : { at: iso(at), ...round },
    },
  };
}

function told(health: UpstreamHealth, all: boolean) {
  const { id, kind, private: isPrivate, condition, lastFailure, latency, slowest } = health;
  const short = { id, kind, private: isPrivate, condition };
  if (!all) return short;
  return {
    ...short,
    name: health.display,
    match: health.match,
    lastSuccess: iso(health.lastSuccess),
    lastFailure: lastFailure && { ...lastFailure, at: iso(lastFailure.at) },
    waiting: health.waiting,
    requests: health.requests,
    failures: health.failures,
    fellThrough: health.fellThrough,
    latencyMs: latency && Math.round(latency),
    slowestMs: slowest && Math.round(slowest),
  };
}

/** `/api/v1/history`: hours or days as they were sampled, from a time on. */
export function tellHistory(site: Site, visit: Visit) {
  demandAll(visit.principal, 'read');
  const span = visit.query.get('span') ?? 'hour';
  if (span !== 'hour' && span !== 'day') throw new GokeepError('bad_request', 'span is "hour" or "day"');
  const limit = limitOf(visit);
  const length = span === 'hour' ? HOUR_MS : DAY_MS;
  const now = site.now();
  const from = timeOf(visit, 'from') ?? now - limit * length;
  const rows = site.status.history(span, from, now + length);
  const next = rows[limit]?.at;
  return {
    span,
    rows: rows.slice(0, limit).map(({ at, records, versions, bytes, ...rest }) => ({
      at: iso(at),
      records,
      versions,
      bytes,
      requests: Object.fromEntries(OUTCOMES.map((name) => [name, rest[name]])),
    })),
    log:
      headOf(site) === undefined
        ? []
        : site.reader.growth(GROWTH_POINTS).map(({ at, records }) => ({ at: iso(at * 1000), records })),
    next: next === undefined ? undefined : iso(next),
  };
}

/** `/api/v1/usage`: modules that the reader may read, and, for who may read everything, clients. */
export async function tellUsage({ status }: Site, visit: Visit) {
  const { since, modules, clients } = await status.usage();
  const limit = limitOf(visit);
  const from = wholeNumber(visit.query.get('from'));
  const readable = modules.filter(({ path }) => visit.mayRead(path));
  const all = visit.principal.mayAll('read');
  const page = <T extends { readonly lastDay: number }>(items: readonly T[]) =>
    items.slice(from, from + limit).map(({ lastDay, ...rest }) => ({ ...rest, lastDay: day(lastDay) }));
  const longest = all ? Math.max(readable.length, clients.length) : readable.length;
  return {
    since: day(since),
    modules: page(readable),
    clients: all ? page(clients) : undefined,
    next: from + limit < longest ? from + limit : undefined,
  };
}

/** `/api/v1/graph/<module>@<version>` */
export async function tellGraph(site: Site, visit: Visit, rest: string) {
  const { path, version } = parseLookup(rest);
  demand(visit.principal, 'read', path);
  const module = await viewModule(site, path);
  if (viewVersion(site, module, version) === undefined) throw absent(path, version);
  const mostNodes = limitOf(visit);
  const graph = moduleGraph(site.catalogue, path, version, { mayRead: visit.mayRead, mostNodes });
  return { path, version, ...graph };
}

function limitOf({ query }: Visit): number {
  const asked = query.get('limit');
  if (asked === null) return LIMIT;
  const limit = wholeNumber(asked);
  if (limit < 1 || limit > MOST) throw new GokeepError('bad_request', `limit is a number from 1 to ${MOST}`);
  return limit;
}

function timeOf({ query }: Visit, name: string): number | undefined {
  const asked = query.get(name);
  if (asked === null) return undefined;
  const time = /^\d{4}-\d\d-\d\d(T[\d:.]+Z)?$/.test(asked) ? Date.parse(asked) : Number.NaN;
  if (Number.isNaN(time))
    throw new GokeepError('bad_request', `${name} is a time in UTC, such as 2026-01-31T00:00:00Z`);
  return time;
}

/** Of times that this server wrote down itself. */
const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());
const day = (number: number) => new Date(number * DAY_MS).toISOString().slice(0, 10);
