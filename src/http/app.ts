import type http from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyServerFactory } from 'fastify';
import { ANONYMOUS } from '../access/principal.ts';
import { GokeepError } from '../errors.ts';
import type { Served } from '../proxy/served.ts';
import type { Metrics } from './counters.ts';
import type { Exchange } from './exchange.ts';
import type { Gate } from './gate.ts';
import type { Handler } from './handler.ts';
import type { Health } from './health.ts';
import { InFlight } from './in-flight.ts';
import { closeWhenIdle, type ListenOptions, createListener } from './listener.ts';
import { identityPage, livez, metricsPage, plainPage, plainPages, readyz } from './own-pages.ts';
import type { PreparedAnswers } from './prepared.ts';
import { NAMED_BY_ZIP } from './publish-handler.ts';
import { mayRead } from './reads.ts';
import { checkNotOurs, checkShape, checkUpload, checkWrite, namesOneHost } from './request-shape.ts';
import { SIGNATURES_PREFIX } from './signature-handler.ts';
import { untraced } from './traces.ts';
import { answerUnparsed } from './unparsed.ts';
import { VULNDB_PREFIX } from './vulndb-handler.ts';
import { YANKS_PREFIX } from './yank-handler.ts';

export interface AppOptions {
  /** What we call ourselves in Via headers towards upstreams. */
  readonly via: string;
  readonly modules: Handler;
  readonly databases: Handler;
  readonly vulndb: Handler;
  /** Takes an uploaded bundle. */
  readonly bundles: Handler;
  /** Takes an uploaded zip of a module version. */
  readonly publish: Handler;
  readonly yanks: Handler;
  /** Shows the signatures of a version, and takes one. */
  readonly signatures: Handler;
  readonly startPage: () => string;
  /** How to set up clients, by the path from `/setup` on. */
  readonly setupPage: (path: string) => string;
  readonly pages: Pages;
  /** Scripts that everybody may read, by their path. */
  readonly scripts: Readonly<Record<string, Handler>>;
  readonly health: Health;
  readonly metrics: Metrics;
  /** False when a listener of its own serves them. */
  readonly serveMetrics: boolean;
  readonly exchange: Exchange;
  readonly gate: Gate;
  readonly prepared: PreparedAnswers;
  readonly served: Served;
  readonly listen: ListenOptions;
  readonly now: () => number;
}

/** What is for people, and for their programs (web/pages.ts). */
export interface Pages {
  /** `/`, for a browser. */
  readonly start: Handler;
  /** Below `/ui/`, forms that are sent there too. */
  readonly ui: Handler;
  /** What `/api/v1/` tells of modules and log. */
  readonly api: Handler;
}

/** The base URL that answers from the store only, as the public mirror documents it. */
const CACHED_ONLY = '/cached-only/';
/** What a version is published under, by its name and without. */
const PUBLISHES = [/\/@v\/[^/?]+\.zip$/, NAMED_BY_ZIP];
/** Whether a zip is sent there. */
const isPublish = (target = '') => PUBLISHES.some((each) => each.test(target));
/** The routes that are no reading, by the kind that stands in the log and metrics. */
const WRITES: Readonly<Record<string, typeof checkWrite>> = {
  bundle: (request) => checkUpload(request, 'the bundle'),
  publish: (request) => checkUpload(request, 'the zip'),
  yank: checkWrite,
  sign: (request) => checkUpload(request, 'the signature bundle'),
  form: checkWrite,
  token: checkWrite,
  change: checkWrite,
};
/** Where a page has a form sent. */
const FORMS = ['/ui/sign-in', '/ui/sign-out', '/ui/admin/tokens', '/ui/admin/tokens/revoke', '/ui/bundles/*'];
/** What programs ask that do not build: people's tools. */
const READ_API = [
  'search',
  'modules',
  'modules/*',
  'dependents/*',
  'docs/*',
  'log',
  'log/*',
  'requests/*',
  'tokens',
  'audit',
  'audit/*',
  'bundles',
  'bundles/*',
  'wishlist',
  'upstreams',
  'history',
  'usage',
  'graph/*',
  'openapi.json',
].map((name) => `/api/v1/${name}`);
/** Kinds of pages that say the same to everybody: nothing waits for credentials there. */
const NEEDS_NOBODY: ReadonlySet<string> = new Set(['page', 'health', 'metrics', 'vulndb']);

/**
 * Serves a prepared answer, if there is one for exactly this request target; true when it did.
 *
 * Runs before Fastify: what is prepared was parsed, allowed and answered once already by the routes behind it, and a
 * request that wants anything special (a range, a condition, a body, the store only) falls through to them.
 */
function serveFast(o: AppOptions, request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method !== 'GET' || request.url === undefined) return false;
  const prepared = o.prepared.get(request.url, o.now);
  if (prepared === undefined) return false;
  const { headers } = request;
  if (
    headers.range !== undefined ||
    headers['if-none-match'] !== undefined ||
    headers['disable-module-fetch'] !== undefined ||
    headers['content-length'] !== undefined ||
    headers['transfer-encoding'] !== undefined ||
    !namesOneHost(request)
  ) {
    return false;
  }
  // Who is refused, or not known yet, is so by the routes: with the one text, or after waiting.
  const principal = prepared.reads === 'nothing' ? o.gate.anonymous : o.gate.known(request);
  if (principal === undefined || !mayRead(principal, prepared.reads)) return false;
  const startedAt = performance.now();
  response.writeHead(200, prepared.headers as string[]);
  if (typeof prepared.body === 'string') response.end(prepared.body, 'latin1');
  else response.end(prepared.body);
  const { served } = prepared;
  if (served !== undefined && !o.served.isNoted(served, principal)) o.served.note(served, principal);
  const user = principal.name === ANONYMOUS ? undefined : principal.name;
  o.exchange.finishFast(request, startedAt, prepared.bytes, user);
  return true;
}

/** Builds the server without listening. Closing it waits for requests under way, up to `listen.drain`. */
export function buildApp(o: AppOptions): FastifyInstance {
  const open = new Set<Socket>();
  const inFlight = new InFlight();
  const serverFactory: FastifyServerFactory = (handler: RequestListener) => {
    const answer: RequestListener = (request, response) => {
      if (!serveFast(o, request, response) && inFlight.admit(request, response)) handler(request, response);
    };
    const server = createListener(o.listen, answer, (socket) => inFlight.has(socket)) as http.Server;
    server.on('connection', (socket: Socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket));
    });
    return server;
  };
  type Taken = { hijack(): unknown; raw: ServerResponse };
  /** Fastify finds the route; everything after that is ours, so that every answer looks and is logged the same. */
  const take = (kind: string, handle: Handler) => (request: { raw: IncomingMessage }, reply: Taken) => {
    reply.hijack();
    void dispatch(o, kind, handle, request.raw, reply.raw);
  };
  const rest = take('module', (asked) => {
    if (asked.path.startsWith('/sumdb/')) return o.databases(asked);
    return asked.path.startsWith(VULNDB_PREFIX) ? o.vulndb(asked) : o.modules(asked);
  });
  const other = take('other', o.modules);
  const app = Fastify({
    serverFactory,
    routerOptions: { maxParamLength: 8192, ignoreTrailingSlash: false },
    // Paths are parsed by us, from the raw target; what Fastify's router cannot decode is no less ours to answer.
    frameworkErrors: (_error, request, reply) => rest(request, reply),
    // A request that is already here is answered while we drain; its connection is closed after it.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => answerUnparsed(error, socket, o.metrics),
  });
  // A body is read by the route that takes one, and by nobody before it: nothing waits for what is refused.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.addHook('preClose', (done) => {
    closeWhenIdle(app.server, open, o.listen.drain);
    done();
  });
  const plain = plainPage(o.exchange, o.startPage);
  app.get(
    '/',
    take('page', (asked) => (wantsHtml(asked.request) ? o.pages.start(asked) : plain(asked))),
  );
  const ui = take('ui', o.pages.ui);
  for (const target of ['/ui', '/ui/*']) app.get(target, ui);
  const form = take('form', o.pages.ui);
  for (const target of FORMS) app.post(target, form);
  const api = take('api', o.pages.api);
  for (const target of READ_API) app.get(target, api);
  const changesToken = take('token', o.pages.api);
  app.post('/api/v1/tokens', changesToken);
  app.delete('/api/v1/tokens/*', changesToken);
  const change = take('change', o.pages.api);
  for (const target of ['/api/v1/bundles', '/api/v1/bundles/*']) app.post(target, change);
  app.delete('/api/v1/bundles/*', change);
  const setup = take('page', plainPages(o.exchange, o.setupPage));
  app.get('/setup', setup);
  app.get('/setup/*', setup);
  app.get('/livez', take('health', livez(o.exchange)));
  app.get('/readyz', take('health', readyz(o.exchange, o.health)));
  app.get('/api/v1/server', take('page', identityPage(o.exchange, o.via)));
  for (const [path, page] of Object.entries(o.scripts)) app.get(path, take('page', page));
  if (o.serveMetrics) app.get('/metrics', take('metrics', metricsPage(o.exchange, o.metrics)));
  app.put('/api/v1/bundles', take('bundle', o.bundles));
  app.post(`${YANKS_PREFIX}*`, take('yank', o.yanks));
  app.delete(`${YANKS_PREFIX}*`, take('yank', o.yanks));
  app.put(`${SIGNATURES_PREFIX}*`, take('sign', o.signatures));
  app.get(`${SIGNATURES_PREFIX}*`, take('signature', o.signatures));
  const publish = take('publish', o.publish);
  // Anywhere else a PUT is what every other method is.
  app.put('/*', (request, reply) => (isPublish(request.raw.url) ? publish : other)(request, reply));
  app.get('/*', rest);
  // Only other methods come here, and dispatch refuses them.
  app.setNotFoundHandler(other);
  return app;
}

/** Only browsers ask for HTML: curl, and whatever else reads `/`, gets plain text. */
function wantsHtml({ headers }: IncomingMessage): boolean {
  return headers.accept?.includes('text/html') ?? false;
}

/** Runs one handler and turns what it throws into an answer; never rejects. */
async function dispatch(
  o: AppOptions,
  routed: string,
  handle: Handler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedAt = performance.now();
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new GokeepError('busy', 'the client has gone'));
  });
  let kind = routed;
  try {
    (WRITES[routed] ?? checkShape)(request);
    checkNotOurs(request, o.via);
    const target = request.url ?? '/';
    const query = target.indexOf('?');
    let path = query < 0 ? target : target.slice(0, query);
    if (kind === 'module') path = untraced(path);
    let cachedOnly = request.headers['disable-module-fetch'] === 'true';
    if (path.startsWith(CACHED_ONLY)) {
      cachedOnly = true;
      path = path.slice(CACHED_ONLY.length - 1);
    }
    if (kind === 'module' && path.startsWith('/sumdb/')) kind = 'sumdb';
    if (kind === 'module' && path.startsWith(VULNDB_PREFIX)) kind = 'vulndb';
    const principal = NEEDS_NOBODY.has(kind)
      ? o.gate.anonymous
      : (o.gate.known(request) ?? (await o.gate.identify(request)));
    o.exchange.isFrom(request, principal);
    await handle({ request, response, startedAt, path, cachedOnly, principal, signal: gone.signal });
  } catch (error) {
    o.exchange.fail(request, response, startedAt, kind, error);
  }
}
