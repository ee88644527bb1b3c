import { KnownVulnerabilities } from '../catalogue/known-vulnerabilities.ts';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { BundleImport } from '../airgap/import.ts';
import type { BundleDesk } from '../airgap/jobs/desk.ts';
import type { RefusalNotes } from '../audit/refusals.ts';
import { setupPage } from '../client/setup/pages.ts';
import type { Config } from '../config/load.ts';
import { buildApp } from '../http/app.ts';
import { bundleHandler } from '../http/bundle-handler.ts';
import { clientAddress } from '../http/client-address.ts';
import type { Metrics } from '../http/counters.ts';
import {
  databaseHandler,
  foreignDatabase,
  ownDatabase,
  type ServedDatabase,
} from '../http/database-handler.ts';
import { Exchange } from '../http/exchange.ts';
import type { Gate } from '../http/gate.ts';
import { handOffTo } from '../http/hand-off.ts';
import type { Health } from '../http/health.ts';
import { byRight, onlyFromHere, readByRight } from '../http/may-publish.ts';
import type { TlsFiles } from '../http/listener.ts';
import { moduleHandler } from '../http/module-handler.ts';
import { PooledFiles } from '../http/pooled-file.ts';
import { publishHandler } from '../http/publish-handler.ts';
import type { PreparedAnswers } from '../http/prepared.ts';
import { RequestLog } from '../http/request-log.ts';
import { Responder } from '../http/respond.ts';
import { type ClientSettings, startPage } from '../http/start-page.ts';
import { signatureHandler } from '../http/signature-handler.ts';
import { vulndbHandler } from '../http/vulndb-handler.ts';
import { yankHandler } from '../http/yank-handler.ts';
import type { ModuleStore } from '../store/module-store.ts';
import { VulndbStore } from '../store/vulndb-store.ts';
import type { Administration } from '../web/administration.ts';
import { openPages } from '../web/pages.ts';
import type { People } from '../web/people.ts';
import type { Status } from '../web/status.ts';
import { doctorPages } from './doctor-pages.ts';
import type { LineOutput } from './line-output.ts';
import type { ServedLog } from './own-log.ts';
import type { ServedModules } from './server-modules.ts';
import type { ServedCatalogue } from './server-catalogue.ts';
import { isLoopbackOnly, type ServedPublishing } from './server-publishing.ts';
import type { Upstreams } from './upstreams.ts';

export interface AppParts {
  readonly destination: LineOutput;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly prepared: PreparedAnswers;
  readonly served: ServedLog;
  readonly store: ModuleStore;
  readonly upstreams: Upstreams;
  readonly modules: ServedModules;
  readonly bundles: BundleImport;
  /** Undefined in a command's own server. */
  readonly desk: BundleDesk | undefined;
  readonly publishing: ServedPublishing;
  readonly catalogue: ServedCatalogue;
  readonly status: Status;
  readonly refusals: RefusalNotes;
  readonly gate: Gate;
  readonly admin: Administration;
  readonly people: People | undefined;
  /** False: nothing is published, yanked or signed here. */
  readonly takesVersions: boolean;
  readonly health: Health;
  /** Known only once the server listens. */
  readonly settings: () => ClientSettings;
  /** Milliseconds that requests under way may take to end once it is being closed. */
  readonly drain: number;
}

/** The PEM files of the listener; client certificates only where they can count. */
export function tlsFiles({ tls, access }: Config): TlsFiles | undefined {
  return tls === undefined ? undefined : { ...tls, clientCa: access.required ? access.clientCa : undefined };
}

/** What answers requests. Does not listen yet, and is closed by whoever has it listen. */
export function openApp(config: Config, parts: AppParts, cleanup: AsyncDisposableStack): FastifyInstance {
  const { destination, log, metrics, prepared, served, store, bundles, gate, health } = parts;
  const { proxy, records, prefetch, servedDays, wishes } = parts.modules;
  const { routing, proving } = parts.upstreams;
  const isPrivate = (modulePath: string) => routing.isPrivate(modulePath);
  const { reader, keeper } = served;
  const { publishing, yanking, signing } = parts.publishing;
  const byAccess = config.access.required ? byRight : onlyFromHere(isLoopbackOnly(config));
  const mayPublish = parts.takesVersions ? byAccess : () => false;
  // A cache in front asks nobody for credentials.
  const keptByNobody = (modulePath: string) =>
    isPrivate(modulePath) || !gate.anonymous.may('read', modulePath);

  const requestLog = new RequestLog(config.logRequests ? destination : undefined);
  cleanup.defer(() => requestLog.flush());
  const exchange = new Exchange(metrics, requestLog, clientAddress(config.trustProxy), (refused) =>
    parts.refusals.add(refused),
  );
  const responder = new Responder({
    exchange,
    prepared,
    files: new PooledFiles(),
    smallFile: config.cache.smallFile,
    now: Date.now,
    handOff: config.accelRedirect === undefined ? undefined : handOffTo(config.accelRedirect, store.root),
  });
  const databases: ServedDatabase[] = [ownDatabase(served.name, reader, proxy)];
  if (proving !== undefined) {
    const { name, client } = proving;
    const checkAgrees = (modulePath: string, version: string, seen: { zip: string; mod: string }) =>
      records.checkAgrees(modulePath, version, seen, name);
    databases.push(foreignDatabase({ name, client, isPrivate, offline: config.offline, checkAgrees }));
  }
  metrics.watch({
    logSize: () => keeper.head?.size ?? 0,
    headSignedAt: () => keeper.head?.signedAt ?? 0,
    waitingMs: () => keeper.waitingFor(Date.now()),
    memoryBytes: () => prepared.bytes,
    prefetched: () => prefetch.fetched,
    droppedLogLines: () => destination.dropped,
  });
  return buildApp({
    via: served.name,
    modules: moduleHandler({
      proxy,
      responder,
      isPrivate: keptByNobody,
      refreshTtl: config.refreshTtl,
      served: servedDays,
      wishes,
    }),
    databases: databaseHandler({ databases, responder, isPrivate: keptByNobody, now: Date.now, wishes }),
    bundles: bundleHandler(exchange, bundles, log),
    publish: publishHandler({ exchange, publishing, signing, mayPublish, log }),
    signatures: signatureHandler({
      exchange,
      signing,
      publishing,
      find: (modulePath, version) => reader.find(modulePath, version),
      mayPublish,
      mayRead: readByRight,
      log,
    }),
    yanks: yankHandler({ exchange, yanking, mayPublish, log }),
    vulndb: vulndbHandler(new VulndbStore(config.data), responder),
    scripts: doctorPages(exchange, () => parts.settings().url),
    startPage: () => startPage(parts.settings(), config.access.required),
    setupPage: (path) => setupPage(path, { ...parts.settings(), credentials: config.access.required }),
    pages: openPages({
      exchange,
      gate,
      asksWho: config.access.required,
      settings: parts.settings,
      name: served.name,
      catalogue: parts.catalogue.catalogue,
      zips: parts.catalogue.zipFiles,
      packages: parts.catalogue.packages,
      vulnerabilities: new KnownVulnerabilities(new VulndbStore(config.data), Date.now),
      reader,
      hosted: served.hosted,
      signing,
      goMod: (modulePath, version) => store.read('mod', modulePath, version),
      isPrivate,
      desk: parts.desk,
      status: parts.status,
      now: Date.now,
      admin: parts.admin,
      people: parts.people,
    }),
    health,
    metrics,
    serveMetrics: config.metricsListen === undefined,
    exchange,
    gate,
    prepared,
    served: servedDays,
    listen: { tls: tlsFiles(config), maxConnections: config.maxConnections, drain: parts.drain },
    now: Date.now,
  });
}
