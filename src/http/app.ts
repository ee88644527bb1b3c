import type http from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyServerFactory } from 'fastify';
import { GokeepError } from '../errors.ts';
import type { Metrics } from './counters.ts';
import type { Exchange } from './exchange.ts';
import type { Handler } from './handler.ts';
import type { Health } from './health.ts';
import { type ListenOptions, createListener } from './listener.ts';
import type { PreparedAnswers } from './prepared.ts';

export interface AppOptions {
  readonly modules: Handler;
  readonly databases: Handler;
  readonly startPage: () => string;
  readonly health: Health;
  readonly metrics: Metrics;
  /** False when a listener of its own serves them. */
  readonly serveMetrics: boolean;
  readonly exchange: Exchange;
  readonly prepared: PreparedAnswers;
  readonly listen: ListenOptions;
  readonly now: () => number;
}

/** The base URL that answers from the store only, as the public mirror documents it. */
const CACHED_ONLY = '/cached-only/';

/**
 * Serves a prepared answer, if there is one for exactly this request target; true when it did.
 *
 * Runs before Fastify: what is prepared was parsed, allowed and answered once already by the routes behind it, and a
 * request that wants anything special (a range, a condition, a body) falls through to them.
 */
function serveFast(o: AppOptions, request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method !== 'GET' || request.url === undefined) return false;
  const prepared = o.prepared.get(request.url, o.now);
  if (prepared === undefined) return false;
  const { headers } = request;
  if (
    headers.range !== undefined ||
    headers['if-none-match'] !== undefined ||
    headers['content-length'] !== undefined ||
    headers['transfer-encoding'] !== undefined
  ) {
    return false;
  }
  const startedAt = performance.now();
  response.writeHead(200, prepared.headers as string[]);
  if (typeof prepared.body === 'string') response.end(prepared.body, 'latin1');
  else response.end(prepared.body);
  o.exchange.finishFast(request, startedAt, prepared.bytes);
  return true;
}

/** Refuses what no honest client sends and what servers have disagreed on to their cost. Throws bad_request. */
function checkShape(request: IncomingMessage): void {
  const { url = '', rawHeaders, headers } = request;
  if (!url.startsWith('/')) throw new GokeepError('bad_request', 'the request target has to be a path');
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === 'host') hosts++;
  if (hosts > 1) throw new GokeepError('bad_request', 'a request names one host');
  if (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0') {
    throw new GokeepError('bad_request', 'this address takes no request body');
  }
}

/** Builds the server without listening. Closing it waits for requests under way. */
export function buildApp(o: AppOptions): FastifyInstance {
  const serverFactory: FastifyServerFactory = (handler: RequestListener) =>
    createListener(o.listen, (request, response) => {
      if (!serveFast(o, request, response)) handler(request, response);
    }) as http.Server;
  const app = Fastify({
    serverFactory,
    routerOptions: { maxParamLength: 8192, ignoreTrailingSlash: false },
    // Paths are parsed by us, from the raw target; what Fastify's router cannot decode is no less ours to answer.
    frameworkErrors: (_error, request, reply) => {
      reply.hijack();
      void dispatch(o, request.raw, reply.raw);
    },
    bodyLimit: 1024,
  });
  app.get('/', (request, reply) => {
    if (request.headers.accept?.includes('text/html') === true) reply.header('vary', 'accept');
    return reply.type('text/plain; charset=utf-8').send(o.startPage());
  });
  app.get('/livez', (_request, reply) => reply.type('text/plain; charset=utf-8').send('ok\n'));
  app.get('/readyz', async (_request, reply) => {
    const problems = await o.health.problems();
    return reply
      .code(problems.length === 0 ? 200 : 503)
      .header('cache-control', 'no-store')
      .type('text/plain; charset=utf-8')
      .send(problems.length === 0 ? 'ready\n' : `not ready: ${problems.join('; ')}\n`);
  });
  if (o.serveMetrics) {
    app.get('/metrics', async (_request, reply) =>
      reply.type(o.metrics.registry.contentType).send(await o.metrics.registry.metrics()),
    );
  }
  const take = (request: { raw: IncomingMessage }, reply: { raw: ServerResponse; hijack(): unknown }) => {
    reply.hijack();
    void dispatch(o, request.raw, reply.raw);
  };
  app.get('/*', take);
  app.setNotFoundHandler(take);
  return app;
}

/** Answers everything that is a module or a database; never rejects. */
async function dispatch(o: AppOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const startedAt = performance.now();
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new GokeepError('busy', 'the client has gone'));
  });
  let kind = 'other';
  try {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      throw new GokeepError(
        'bad_request',
        `${request.method ?? 'this method'} is not used here; GET and HEAD are`,
      );
    }
    checkShape(request);
    const target = request.url ?? '/';
    const query = target.indexOf('?');
    let path = query < 0 ? target : target.slice(0, query);
    let cachedOnly = request.headers['disable-module-fetch'] === 'true';
    if (path.startsWith(CACHED_ONLY)) {
      cachedOnly = true;
      path = path.slice(CACHED_ONLY.length - 1);
    }
    kind = path.startsWith('/sumdb/') ? 'sumdb' : 'module';
    const handle = kind === 'sumdb' ? o.databases : o.modules;
    await handle({ request, response, startedAt, path, cachedOnly, signal: gone.signal });
  } catch (error) {
    o.exchange.fail(request, response, startedAt, kind, error);
  }
}
