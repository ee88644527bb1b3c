import type { AddressInfo } from 'node:net';
import { buildApp, type Pages } from '../../src/http/app.ts';
import { clientAddress } from '../../src/http/client-address.ts';
import { Metrics } from '../../src/http/counters.ts';
import { databaseHandler, type ServedDatabase } from '../../src/http/database-handler.ts';
import { Exchange, type RefusalSink } from '../../src/http/exchange.ts';
import { type Gate, OPEN } from '../../src/http/gate.ts';
import type { Handler } from '../../src/http/handler.ts';
import type { ListenOptions } from '../../src/http/listener.ts';
import { moduleHandler } from '../../src/http/module-handler.ts';
import { PooledFiles } from '../../src/http/pooled-file.ts';
import { PreparedAnswers } from '../../src/http/prepared.ts';
import { RequestLog } from '../../src/http/request-log.ts';
import { Responder } from '../../src/http/respond.ts';
import { type ServedVulndb, vulndbHandler } from '../../src/http/vulndb-handler.ts';
import type { ModuleRequest } from '../../src/module/request-path.ts';
import type { Answer } from '../../src/proxy/answer.ts';
import type { FindOptions } from '../../src/proxy/module-files.ts';
import type { ModuleProxy } from '../../src/proxy/module-proxy.ts';
import { Served } from '../../src/proxy/served.ts';
import type { Wishes } from '../../src/proxy/wishes.ts';

export interface InProcessOptions {
  /** What stands in for the whole of the proxy. */
  readonly find: (request: ModuleRequest, o: FindOptions) => Promise<Answer>;
  readonly databases?: readonly ServedDatabase[];
  readonly vulndb?: ServedVulndb;
  readonly tls?: ListenOptions['tls'];
  readonly trustProxy?: readonly string[];
  readonly isPrivate?: (path: string) => boolean;
  readonly problems?: () => Promise<string[]>;
  readonly memory?: number;
  readonly smallFile?: number;
  readonly now?: () => number;
  readonly drain?: number;
  readonly stalledAfter?: number;
  readonly wishes?: Wishes;
  readonly served?: Served;
  /** Everybody may everything unless told otherwise. */
  readonly gate?: Gate;
  /** What takes uploaded bundles. */
  readonly bundles?: (exchange: Exchange) => Handler;
  /** What takes uploaded zips. */
  readonly publish?: (exchange: Exchange) => Handler;
  /** What shows and takes signatures. */
  readonly signatures?: (exchange: Exchange) => Handler;
  /** Told of each error that is answered. */
  readonly onRefused?: RefusalSink;
  /** What people look at. */
  readonly pages?: (exchange: Exchange, url: () => string) => Pages;
  /** How long what comes behind an answer is read. */
  readonly lingerMs?: number;
}

const NO_VULNDB: ServedVulndb = { current: () => undefined, read: async () => undefined };

/** The HTTP layer alone, on a port of its own, in front of a function. */
export class InProcess implements AsyncDisposable {
  readonly prepared: PreparedAnswers;
  readonly metrics = new Metrics();
  readonly port: number;
  readonly app: ReturnType<typeof buildApp>;
  readonly #log: RequestLog;
  readonly #written: string[];
  readonly #scheme: string;

  private constructor(
    app: ReturnType<typeof buildApp>,
    parts: {
      prepared: PreparedAnswers;
      metrics: Metrics;
      log: RequestLog;
      written: string[];
      scheme: string;
    },
  ) {
    this.app = app;
    this.prepared = parts.prepared;
    this.metrics = parts.metrics;
    this.#log = parts.log;
    this.#written = parts.written;
    this.#scheme = parts.scheme;
    this.port = (app.server.address() as AddressInfo).port;
  }

  static async start(o: InProcessOptions): Promise<InProcess> {
    const prepared = new PreparedAnswers(o.memory ?? 2 ** 20);
    const metrics = new Metrics();
    const written: string[] = [];
    const log = new RequestLog({ write: (lines) => written.push(lines) });
    const exchange = new Exchange(metrics, log, clientAddress(o.trustProxy ?? []), o.onRefused, o.lingerMs);
    const now = o.now ?? Date.now;
    const responder = new Responder({
      exchange,
      prepared,
      files: new PooledFiles(),
      smallFile: o.smallFile ?? 1024,
      now,
      handOff: undefined,
    });
    const served = o.served ?? new Served({ write: async () => {}, now, onHiddenError: () => {} });
    const { wishes } = o;
    let url = '';
    const noPages = () => Promise.reject(new Error('no pages here'));
    const isPrivate = o.isPrivate ?? ((path) => path.startsWith('private.test/'));
    const app = buildApp({
      via: 'in-process.internal',
      modules: moduleHandler({
        proxy: { find: o.find } as ModuleProxy,
        responder,
        isPrivate,
        refreshTtl: 60_000,
        served,
        wishes,
      }),
      databases: databaseHandler({ databases: o.databases ?? [], responder, isPrivate, now, wishes }),
      bundles: o.bundles?.(exchange) ?? (() => Promise.reject(new Error('no bundles here'))),
      publish: o.publish?.(exchange) ?? (() => Promise.reject(new Error('nothing is published here'))),
      signatures: o.signatures?.(exchange) ?? (() => Promise.reject(new Error('nothing is signed here'))),
      yanks: () => Promise.reject(new Error('nothing is yanked here')),
      vulndb: vulndbHandler(o.vulndb ?? NO_VULNDB, responder),
      scripts: {},
      startPage: () => 'the start page\n',
      setupPage: (path) => `${path}\n`,
      pages: o.pages?.(exchange, () => url) ?? { start: noPages, ui: noPages, api: noPages },
      health: { problems: o.problems ?? (async () => []) } as never,
      metrics,
      serveMetrics: true,
      exchange,
      gate: o.gate ?? OPEN,
      prepared,
      served,
      listen: {
        tls: o.tls,
        maxConnections: 1000,
        drain: o.drain ?? 5_000,
        stalledAfter: o.stalledAfter,
      },
      now,
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
    const scheme = o.tls === undefined ? 'http' : 'https';
    url = `${scheme}://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    return new InProcess(app, { prepared, metrics, log, written, scheme });
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}`;
  }

  /** The request log so far, parsed. */
  get logged(): Record<string, unknown>[] {
    this.#log.flush();
    return this.#written
      .join('')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  get(target: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
    return fetch(`${this.url}${target}`, { headers, method, redirect: 'manual' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
  }
}
