import { demand, demandAll } from '../access/demand.ts';
import { GokeepError, type ErrorCode } from '../errors.ts';
import type { Asked } from '../http/handler.ts';
import { errorBody } from '../http/error-body.ts';
import { statusOf } from '../http/status.ts';
import { unescapePath } from '../module/escape.ts';
import { parseLookup } from '../module/request-path.ts';
import { etagOf, isCurrent } from './answer.ts';
import { listEntries, oneEntry } from './api-audit.ts';
import { type Changed, createToken, deleteToken, listTokens } from './api-tokens.ts';
import { answerBundles } from './api-bundles.ts';
import { tellGraph, tellHistory, tellUpstreams, tellUsage } from './api-status.ts';
import { tellDocs } from './api-docs.ts';
import { tellVulnerabilities } from './api-vulnerabilities.ts';
import { isoTime } from './api-time.ts';
import { limitOf } from './api-limit.ts';
import { after, asksFor } from './found.ts';
import { headOf } from './log-page.ts';
import { absent } from './module-page.ts';
import { viewModule, viewVersion } from './module-view.ts';
import { requestsOf } from './api-requests.ts';
import { OPENAPI } from './openapi.ts';
import { wholeNumber } from './rows.ts';
import type { Site, Visit } from './site.ts';

/** Gives what is to be sent as JSON, or throws. */
type Tell = (site: Site, visit: Visit, rest: string) => unknown;

/** The same of something that it has changed. */
type Change = (site: Site, visit: Visit, rest: string) => Promise<Changed>;

/** An address that ends with a slash is the beginning of many. */
const ROUTES: readonly (readonly [address: string, tell: Tell])[] = [
  ['search', search],
  ['modules', list],
  ['modules/', moduleOrVersion],
  ['dependents/', dependents],
  ['docs/', tellDocs],
  ['log', log],
  ['log/records', records],
  ['log/incidents', incidents],
  ['requests/', (site, visit, id) => requestsOf(site, visit, id, limitOf(visit))],
  ['tokens', (site, visit) => listTokens(site, visit, limitOf(visit), after(visit))],
  ['audit', (site, visit) => listEntries(site, visit, limitOf(visit))],
  ['audit/', oneEntry],
  ['upstreams', tellUpstreams],
  ['history', tellHistory],
  ['usage', tellUsage],
  ['graph/', tellGraph],
  ['openapi.json', () => OPENAPI],
];

/** What changes something, by method. */
const CHANGES: Readonly<Record<string, readonly [address: string, change: Change]>> = {
  POST: ['tokens', createToken],
  DELETE: ['tokens/', deleteToken],
};

/** `/api/v1/…`: what the pages show, for programs. Errors are problems as of RFC 9457. */
export async function answerApi(site: Site, visit: Visit): Promise<void> {
  try {
    const address = visit.path.slice('/api/v1/'.length);
    if (await answerBundles(site, visit, address)) return;
    const change = CHANGES[visit.request.method ?? ''];
    if (change !== undefined) return await changed(site, visit, change, address);
    const route = ROUTES.find(([name]) => (name.endsWith('/') ? address.startsWith(name) : address === name));
    if (route === undefined) throw new GokeepError('not_found', 'there is no API of this address');
    const [name, tell] = route;
    const body = `${JSON.stringify(await tell(site, visit, address.slice(name.length)))}\n`;
    const etag = etagOf(body);
    const fresh = isCurrent(visit, etag);
    site.exchange.text(visit, {
      kind: 'api',
      status: fresh ? 304 : 200,
      contentType: 'application/json',
      body: fresh ? '' : body,
      headers: ['Cache-Control', 'private, no-cache', 'ETag', etag],
    });
  } catch (error) {
    if (visit.response.headersSent) throw error;
    sendProblem(site, visit, error);
  }
}

async function changed(
  site: Site,
  visit: Visit,
  [name, change]: readonly [address: string, change: Change],
  address: string,
): Promise<void> {
  const { status, body } = await change(site, visit, address.slice(name.length));
  site.exchange.text(visit, {
    kind: 'api',
    status,
    contentType: 'application/json',
    body: `${JSON.stringify(body)}\n`,
    headers: ['Cache-Control', 'no-store'],
  });
}

/** Titles say what kind of problem it is, the same each time. */
const TITLES: Readonly<Partial<Record<ErrorCode, string>>> = {
  unauthenticated: 'Credentials are needed',
  forbidden: 'No right to read this',
  not_found: 'Not here',
  bad_path: 'Not a module path',
  bad_version: 'Not a version',
  bad_request: 'Not a request of this API',
};

function sendProblem(site: Site, asked: Asked, error: unknown): void {
  const status = statusOf(error);
  const code = error instanceof GokeepError ? error.code : 'internal';
  const problem = {
    type: `urn:gokeep:problem:${code}`,
    title: TITLES[code] ?? (status < 500 ? 'Refused' : 'The server failed'),
    status,
    detail: errorBody(error).replaceAll('\n', ' '),
    code,
  };
  const challenge = status === 401 ? ['WWW-Authenticate', 'Basic realm="gokeep"'] : [];
  site.exchange.text(
    asked,
    {
      kind: 'api',
      status,
      contentType: 'application/problem+json',
      body: `${JSON.stringify(problem)}\n`,
      headers: ['Cache-Control', 'no-store', ...challenge],
    },
    error,
  );
}

const options = (visit: Visit) => ({ mayRead: visit.mayRead, limit: limitOf(visit), after: after(visit) });

function search({ catalogue }: Site, visit: Visit) {
  const q = asksFor(visit);
  if (q === '') throw new GokeepError('bad_request', 'say what to search for: q=…');
  return catalogue.search(q, options(visit));
}

function list({ catalogue }: Site, visit: Visit) {
  return catalogue.list(options(visit));
}

/** Paths and versions are escaped, as in the GOPROXY protocol. */
function moduleOrVersion(site: Site, visit: Visit, rest: string): unknown {
  return rest.includes('@') ? version(site, visit, rest) : module(site, visit, rest);
}

async function module(site: Site, visit: Visit, rest: string) {
  const path = unescapePath(rest);
  demand(visit.principal, 'read', path);
  const { versions, newest, deprecated } = await viewModule(site, path);
  if (versions.length === 0) throw absent(path, undefined);
  return {
    path,
    private: site.isPrivate(path),
    newest,
    deprecated,
    versions: versions.map(({ version, time, size, yank, retracted }) => ({
      version,
      time: isoTime(time),
      size,
      yanked: yank?.reason,
      retracted,
    })),
  };
}

async function version(site: Site, visit: Visit, rest: string) {
  const { path, version } = parseLookup(rest);
  demand(visit.principal, 'read', path);
  const module = await viewModule(site, path);
  const chosen = viewVersion(site, module, version);
  if (chosen === undefined) throw absent(path, version);
  const { held, facts, record, provenance, incidents } = chosen;
  const { required, signed, signatures } = site.signing.show(path, version);
  const known = await site.vulnerabilities.of(path);
  return {
    path,
    version,
    held: held !== undefined,
    time: isoTime(held?.time),
    size: held?.size,
    yanked: held?.yank?.reason,
    retracted: held?.retracted,
    synopsis: facts?.synopsis,
    licence: facts?.licence,
    packages: facts?.packages ?? [],
    requires: facts?.requires ?? [],
    record: record === undefined ? undefined : { number: record.id, zip: record.zip, mod: record.mod },
    provenance:
      provenance === undefined
        ? undefined
        : {
            source: provenance.source,
            firstSeen: isoTime(provenance.firstSeen * 1000),
            evidence: provenance.evidence,
          },
    signatures: {
      required,
      signed,
      by: signatures.map(({ kind, signer, trusted }) => ({ kind, signer, trusted })),
    },
    incidents: incidents.map(shownIncident),
    ...tellVulnerabilities(known, version),
  };
}

function dependents({ catalogue }: Site, visit: Visit, rest: string) {
  const path = unescapePath(rest);
  demand(visit.principal, 'read', path);
  const asked = options(visit);
  const found = catalogue.dependents(path, asked);
  return { path, dependents: found, next: found.length === asked.limit ? found.at(-1)?.path : undefined };
}

/** The head is everybody's, as in the checksum database. */
function log(site: Site) {
  const head = headOf(site);
  return {
    name: site.name,
    key: site.settings().vkey,
    size: head?.size ?? 0,
    root: head?.root.toString('base64'),
    signedAt: isoTime(head?.signedAt),
    note: head?.note.toString(),
  };
}

function records(site: Site, visit: Visit) {
  demandAll(visit.principal, 'read');
  const size = headOf(site)?.size ?? 0;
  const found = size === 0 ? [] : site.reader.records(wholeNumber(visit.query.get('from')), limitOf(visit));
  const next = (found.at(-1)?.id ?? size) + 1;
  return {
    size,
    records: found.map(({ id, path, version, zip, mod }) => ({
      number: id,
      path,
      version,
      zip,
      mod,
      source: site.reader.provenance(id)?.source,
    })),
    next: next < size ? next : undefined,
  };
}

function incidents({ reader }: Site, visit: Visit) {
  demandAll(visit.principal, 'read');
  return { incidents: reader.incidents(limitOf(visit)).map(shownIncident) };
}

const shownIncident = ({ at, ...rest }: { readonly at: number }) => ({ at: isoTime(at), ...rest });
