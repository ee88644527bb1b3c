import { type GoproxyEntry } from '../facts/goproxy-list.ts';
import type { ServerLines } from './server-lines.ts';
import { type Asked, askedFor, type TracedRequest } from './requests.ts';

interface Told extends TracedRequest {
  readonly asked: Asked;
  /** Entry of GOPROXY that was asked; undefined for another host. */
  readonly entry: GoproxyEntry | undefined;
  /** As it begins behind the entry's address. */
  readonly target: string;
  readonly host: string;
}

/** Tells, request by request, who answered, who did not and why, and what was not asked for at all. */
export function story(
  requests: readonly TracedRequest[],
  goproxy: readonly GoproxyEntry[],
  server?: ServerLines,
): string[] {
  const told = requests.map((request) => whose(request, goproxy));
  const lines = told.flatMap((each) => {
    const logged = each.entry?.url === undefined ? undefined : server?.next(each.entry.url, each.target);
    return [line(each, goproxy), ...(logged === undefined ? [] : [`  ${logged}`])];
  });
  const versions = summary(told);
  return [
    ...(lines.length === 0 ? ['no request: everything came from the module cache and go.sum'] : lines),
    ...(versions.length === 0 ? [] : ['', ...versions]),
    ...(server === undefined || server.notes.length === 0 ? [] : ['', ...server.notes]),
  ];
}

function whose(request: TracedRequest, goproxy: readonly GoproxyEntry[]): Told {
  const url = new URL(request.url);
  const bare = `${url.protocol}//${url.host}${url.pathname}`;
  const entry = goproxy
    .filter((each) => each.url !== undefined && bare.startsWith(`${each.url}/`))
    .sort((a, b) => (b.url?.length ?? 0) - (a.url?.length ?? 0))[0];
  const target = entry?.url === undefined ? url.pathname : bare.slice(entry.url.length);
  const asked = askedFor(target, url.search, entry === undefined);
  // go asks the host of an import path, so the path begins with it.
  const whole = asked.kind === 'repository' ? { ...asked, path: `${url.host}${url.pathname}` } : asked;
  return { ...request, entry, target, host: url.host, asked: whole };
}

function line(told: Told, goproxy: readonly GoproxyEntry[]): string {
  const { asked, entry, host, outcome, ms } = told;
  const at = entry === undefined ? -1 : goproxy.indexOf(entry);
  const who = entry === undefined ? `${host} (directly)` : `entry ${at + 1} ${entry.url}`;
  const time = ms === undefined ? '' : ` in ${ms} ms`;
  return `${what(asked)}: ${who} answered ${outcome}${time}${consequence(told, goproxy[at + 1])}`;
}

function what(asked: Asked): string {
  switch (asked.kind) {
    case 'file':
      return `${asked.path} ${asked.what}`;
    case 'database':
      return `database ${asked.name} ${asked.what}`.replace('  ', ' ');
    case 'repository':
      return `repository of ${asked.path}`;
    case 'other':
      return 'request';
  }
}

/** What go does after an answer (cmd/go/internal/modfetch proxy.go TryProxies). */
function consequence({ entry, status }: Told, next: GoproxyEntry | undefined): string {
  if (status === 200 || entry === undefined) return '';
  const isAbsent = status === 404 || status === 410;
  const goesOn = isAbsent || entry.separator === '|';
  if (next === undefined) return '; there is no further entry';
  const name = next.url ?? next.text;
  if (goesOn) return `; go goes on to ${name}, since ${isAbsent ? 'that is "not here"' : 'a pipe follows'}`;
  return `; go stops, since a comma follows and ${status ?? 'that'} is not "not here"`;
}

/** A line a version: what came from where, and what was in a cache. */
function summary(told: readonly Told[]): string[] {
  const versions = new Map<string, Map<string, string>>();
  const lookups = new Map<string, string>();
  for (const { asked, entry, host, status } of told) {
    if (asked.kind === 'database' && asked.what.startsWith('lookup/'))
      lookups.set(asked.what.slice('lookup/'.length), status === 200 ? 'has a record' : `answered ${status}`);
    const match = asked.kind === 'file' ? /^(.+)\.(info|mod|zip)$/.exec(asked.what) : null;
    if (asked.kind !== 'file' || match === null || status !== 200) continue;
    const key = `${asked.path}@${match[1]}`;
    const files = versions.get(key) ?? new Map<string, string>();
    versions.set(key, files.set(match[2] ?? '', entry?.url ?? host));
  }
  return [...versions].map(([key, files]) => {
    const shown = (['mod', 'zip'] as const).map((kind) => {
      const from = files.get(kind);
      return from === undefined ? `${kind} not asked for (cached, or not needed)` : `${kind} from ${from}`;
    });
    const said = lookups.get(key);
    const database =
      said === undefined
        ? 'the database was not asked (in go.sum, remembered, or excepted)'
        : `the database ${said}`;
    return `${key}: ${shown.join(', ')}; ${database}`;
  });
}
