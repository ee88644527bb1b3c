import { demandAll } from '../access/demand.ts';
import type { BundleDesk } from '../airgap/jobs/desk.ts';
import type { Job } from '../airgap/jobs/job.ts';
import type { MakeRequest } from '../airgap/jobs/make-request.ts';
import { GokeepError } from '../errors.ts';
import { UPLOAD_LIMITS, uploaded, uploadedText } from '../http/upload.ts';
import { wishJson } from '../proxy/wish-text.ts';
import { etagOf, isCurrent } from './answer.ts';
import { jobJson, knownJson } from './bundle-json.ts';
import { damaged } from './bundle-list.ts';
import { sendMade } from './bundles.ts';
import type { Site, Visit } from './site.ts';

const LIMIT = 50;
const MOST = 200;
const MOST_BODY = 20 * 2 ** 20;

/** What is answered: a document, and where another one is. */
interface Told {
  readonly status?: number;
  readonly body: unknown;
  readonly location?: string;
}

/** Gives nothing where it has answered by itself. */
type Tell = (site: Site, visit: Visit, desk: BundleDesk, id: string) => Promise<Told | undefined> | Told;

const ROUTES: readonly (readonly [method: string, address: RegExp, tell: Tell])[] = [
  ['GET', /^bundles$/, list],
  ['POST', /^bundles$/, make],
  ['GET', /^bundles\/jobs$/, (_site, _visit, { o }) => ({ body: { jobs: o.queue.list().map(jobJson) } })],
  [
    'GET',
    /^bundles\/jobs\/([0-9a-f]{32})$/,
    (_site, _visit, desk, id) => ({ body: jobJson(find(desk, id)) }),
  ],
  ['DELETE', /^bundles\/jobs\/([0-9a-f]{32})$/, cancel],
  ['POST', /^bundles\/verify$/, verify],
  ['GET', /^bundles\/([0-9a-f]{32})$/, one],
  ['DELETE', /^bundles\/([0-9a-f]{32})$/, remove],
  ['POST', /^bundles\/([0-9a-f]{32})\/verify$/, verifyMade],
  ['GET', /^bundles\/([0-9a-f]{32})\/file$/, file],
  ['GET', /^wishlist$/, wishes],
];

/** The part of the API that is about bundles. False for an address of another part. */
export async function answerBundles(site: Site, visit: Visit, address: string): Promise<boolean> {
  if (!/^(?:bundles|wishlist)(?:\/|$)/.test(address)) return false;
  demandAll(visit.principal, 'admin');
  const method = visit.request.method === 'HEAD' ? 'GET' : (visit.request.method ?? '');
  if (method !== 'GET') checkByHand(site, visit);
  for (const [name, form, tell] of ROUTES) {
    const found = name === method ? form.exec(address) : null;
    if (found === null || site.desk === undefined) continue;
    const told = await tell(site, visit, site.desk, found[1] ?? '');
    if (told !== undefined) send(site, visit, told);
    return true;
  }
  throw new GokeepError('not_found', 'there is no API of this address');
}

/**
 * Nothing that a browser sends by itself changes anything: no session counts here, no certificate and no open door, under whatever name a
 * page has had our address called. Where nobody is asked who he is, nobody looks at a token either, so any page can send one.
 */
function checkByHand({ asksWho }: Site, { request, signedIn }: Visit): void {
  const { headers } = request;
  const isBrowser = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
  if (!signedIn && (!isBrowser || (asksWho && headers.authorization !== undefined))) return;
  throw new GokeepError(
    'refused',
    'nothing is changed here by a browser alone: use its pages below /ui/bundles, or a program with a token as Authorization',
  );
}

/** Such a body no page of another site can send without being asked first whether it may. */
function checkType({ request }: Visit, ...types: readonly string[]): void {
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (!types.includes(type)) throw new GokeepError('bad_request', `send it with Content-Type: ${types[0]}`);
}

function send(site: Site, visit: Visit, { status = 200, body, location }: Told): void {
  const text = `${JSON.stringify(body)}\n`;
  const etag = etagOf(text);
  const isFresh = status === 200 && isCurrent(visit, etag);
  site.exchange.text(visit, {
    kind: 'api',
    status: isFresh ? 304 : status,
    contentType: 'application/json',
    body: isFresh ? '' : text,
    headers:
      location === undefined
        ? ['Cache-Control', 'private, no-cache', 'ETag', etag]
        : ['Cache-Control', 'no-store', 'Location', location],
  });
}

function find({ o }: BundleDesk, id: string): Job {
  const job = o.queue.find(id);
  if (job === undefined)
    throw new GokeepError('not_found', 'there is no job of this id: a restart ends them all');
  return job;
}

const accepted = (job: Job): Told => ({
  status: 202,
  body: jobJson(job),
  location: `/api/v1/bundles/jobs/${job.id}`,
});

function limitOf({ query }: Visit): number {
  const asked = query.get('limit');
  if (asked === null) return LIMIT;
  if (!/^[0-9]{1,3}$/.test(asked) || Number(asked) < 1 || Number(asked) > MOST)
    throw new GokeepError('bad_request', `limit is a number from 1 to ${MOST}`);
  return Number(asked);
}

/** The items behind the one that `after` names, and what to ask for next. */
function paged<T>(visit: Visit, all: readonly T[], nameOf: (item: T) => string) {
  const after = visit.query.get('after');
  const from = after === null ? 0 : all.findIndex((item) => nameOf(item) === after) + 1;
  if (after !== null && from === 0) throw new GokeepError('bad_request', 'after names nothing of this list');
  const items = all.slice(from, from + limitOf(visit));
  const last = items.at(-1);
  return { items, next: last !== undefined && from + items.length < all.length ? nameOf(last) : undefined };
}

async function list(_site: Site, visit: Visit, { o }: BundleDesk): Promise<Told> {
  const origin = visit.query.get('origin') ?? undefined;
  if (origin !== undefined && origin !== 'made' && origin !== 'imported')
    throw new GokeepError('bad_request', 'origin is made or imported');
  const { items, next } = paged(visit, o.receipts.ids(origin), (id) => id);
  const bundles = [];
  for (const id of items) {
    const known = await o.receipts.find(id).catch(damaged);
    if (known !== undefined) bundles.push(knownJson(known, o.made.find(id)));
  }
  return { body: { bundles, next } };
}

async function one(_site: Site, _visit: Visit, { o }: BundleDesk, id: string): Promise<Told> {
  const known = await o.receipts.find(id);
  if (known === undefined)
    throw new GokeepError('not_found', 'no bundle of this id was made or imported here');
  return { body: knownJson(known, o.made.find(id)) };
}

async function file(site: Site, visit: Visit, desk: BundleDesk, id: string): Promise<undefined> {
  await sendMade(site, visit, desk, id, 'api');
}

async function make(site: Site, visit: Visit, desk: BundleDesk): Promise<Told> {
  checkType(visit, 'application/json');
  const text = await uploadedText(visit.request, MOST_BODY, 'the request has more than 20 MiB');
  return accepted(desk.make(parseMake(text), site.exchange.actor(visit)));
}

const NAMES = [
  'inputs',
  'all',
  'servedSince',
  'tests',
  'toolchains',
  'platforms',
  'vulndb',
  'since',
  'compressed',
  'skipMissing',
  'dryRun',
];

/** Reads the body of a request. Throws bad_request with the name of what is wrong in it. */
export function parseMake(text: string): MakeRequest {
  let o: Record<string, unknown>;
  try {
    o = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw new GokeepError('bad_request', 'the body is no JSON', { cause: error });
  }
  if (typeof o !== 'object' || o === null || Array.isArray(o))
    throw new GokeepError('bad_request', 'the body has to be a JSON object');
  const wrong = (name: string, what: string) => new GokeepError('bad_request', `${name} has to be ${what}`);
  const unknown = Object.keys(o).find((name) => !NAMES.includes(name));
  if (unknown !== undefined)
    throw new GokeepError(
      'bad_request',
      `there is no ${JSON.stringify(unknown.slice(0, 50))}; there are ${NAMES.join(', ')}`,
    );
  const flag = (name: string) => {
    const value = o[name] ?? false;
    if (typeof value !== 'boolean') throw wrong(name, 'true or false');
    return value;
  };
  const word = (name: string) => {
    const value = o[name] ?? undefined;
    if (value !== undefined && typeof value !== 'string') throw wrong(name, 'a text');
    return value;
  };
  const texts = (name: string) => {
    const value = o[name] ?? [];
    if (!Array.isArray(value) || !value.every((each) => typeof each === 'string'))
      throw wrong(name, 'a list of texts');
    return value;
  };
  return {
    inputs: texts('inputs'),
    all: flag('all'),
    servedSince: word('servedSince'),
    tests: flag('tests'),
    toolchains: texts('toolchains'),
    platforms: texts('platforms'),
    vulndb: word('vulndb'),
    since: texts('since'),
    compressed: flag('compressed'),
    skipMissing: flag('skipMissing'),
    dryRun: flag('dryRun'),
  };
}

async function verify(site: Site, visit: Visit, desk: BundleDesk): Promise<Told> {
  checkType(visit, 'application/octet-stream', 'application/x-tar', 'application/zstd');
  const ended = (how: string, cause: unknown) =>
    new GokeepError('bad_request', `the upload of the bundle ${how}; send it again`, { cause });
  const chunks = uploaded(visit.request, UPLOAD_LIMITS, ended);
  return accepted(await desk.verify(chunks, visit.query.get('key') ?? undefined, site.exchange.actor(visit)));
}

function verifyMade(site: Site, visit: Visit, desk: BundleDesk, id: string): Told {
  return accepted(desk.verifyMade(id, site.exchange.actor(visit)));
}

function cancel(_site: Site, _visit: Visit, desk: BundleDesk, id: string): Told {
  const job = find(desk, id);
  desk.o.queue.cancel(id);
  return { status: 202, body: jobJson(job), location: `/api/v1/bundles/jobs/${id}` };
}

async function remove(_site: Site, _visit: Visit, { o }: BundleDesk, id: string): Promise<Told> {
  if (!(await o.made.remove(id)))
    throw new GokeepError('not_found', 'there is no bundle of this id here that waits to be fetched');
  return { body: { id, deleted: true } };
}

async function wishes(_site: Site, visit: Visit, { o }: BundleDesk): Promise<Told> {
  const all = await o.wishes();
  const { items, next } = paged(visit, all, ({ path, query }) => `${path}@${query}`);
  return { body: { wishes: items.map(wishJson), total: all.length, next } };
}
