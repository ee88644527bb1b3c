import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import type { BundleImport } from '../airgap/import.ts';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import { buildApp } from '../http/app.ts';
import { clientAddress } from '../http/client-address.ts';
import { Metrics } from '../http/counters.ts';
import {
  databaseHandler,
  foreignDatabase,
  ownDatabase,
  type ServedDatabase,
} from '../http/database-handler.ts';
import { bundleHandler } from '../http/bundle-handler.ts';
import { Exchange } from '../http/exchange.ts';
import { handOffTo } from '../http/hand-off.ts';
import { Health } from '../http/health.ts';
import { reloadCertificate } from '../http/listener.ts';
import { serveMetrics } from '../http/metrics-listener.ts';
import { moduleHandler } from '../http/module-handler.ts';
import { PooledFiles } from '../http/pooled-file.ts';
import { PreparedAnswers } from '../http/prepared.ts';
import { RequestLog } from '../http/request-log.ts';
import { Responder } from '../http/respond.ts';
import { type ClientSettings, startPage } from '../http/start-page.ts';
import { vulndbHandler } from '../http/vulndb-handler.ts';
import { HeldModules } from '../proxy/held.ts';
import { ModuleFiles } from '../proxy/module-files.ts';
import { ModuleProxy } from '../proxy/module-proxy.ts';
import { Prefetch } from '../proxy/prefetch.ts';
import { Recent } from '../proxy/recent.ts';
import { Records } from '../proxy/records.ts';
import { Refreshable } from '../proxy/refreshable.ts';
import { Served } from '../proxy/served.ts';
import { Wishes } from '../proxy/wishes.ts';
import { ZipVerifier } from '../proxy/zip-verifier.ts';
import type { Incident } from '../store/log-records.ts';
import { ModuleStore } from '../store/module-store.ts';
import { lockDataDirectory } from '../store/process-lock.ts';
import { UpstreamStore } from '../store/upstream-store.ts';
import { VulndbStore } from '../store/vulndb-store.ts';
import { UPSTREAM_DATABASE } from './data-files.ts';
import { LineOutput, standardOutput } from './line-output.ts';
import { openOwnLog, type ServedLog } from './own-log.ts';
import { openServedReplica } from './replica.ts';
import { openImporter } from './bundle-importer.ts';
import { dropStartupGarbage } from './startup-garbage.ts';
import { openUpstreams } from './upstreams.ts';

export interface RunningServer {
  /** What clients set. */
  readonly settings: ClientSettings;
  /** Words for the operator about this configuration; shown once at the start. */
  readonly warnings: readonly string[];
  /** What brings bundles in. */
  readonly bundles: BundleImport;
  /** Reads the TLS files again; without TLS does nothing. */
  reload(): void;
  /** Stops taking requests, lets those under way end, then closes everything. */
  close(): Promise<void>;
}

export interface ServerEvents {
  /** The log can no longer be written by this process: it has to end. */
  readonly onFatal: (error: Error) => void;
}

/** Incidents that are known to be on record already; others are recorded again. */
const KEPT_INCIDENTS = 10_000;
/** How long requests under way may take to end once the server is being closed. */
export const DRAIN_MS = 30_000;

/**
 * Wires the whole server and listens. The order is the order of trust: lock, key, log, store, upstream, routes.
 *
 * Throws bad_config for what an operator has to mend, log_frozen when the log refuses to sign.
 */
export async function startServer(config: Config, events: ServerEvents): Promise<RunningServer> {
  mkdirSync(config.data, { recursive: true, mode: 0o750 });
  await using cleanup = new AsyncDisposableStack();
  cleanup.use(lockDataDirectory(config.data));
  const destination = new LineOutput(standardOutput());
  const log = pino({ level: config.logLevel, base: null }, destination);
  const metrics = new Metrics();
  const recorded = new Recent<true>(KEPT_INCIDENTS);
  const incidents = (incident: Incident) => {
    metrics.incidents.inc({ kind: incident.kind });
    // Whoever asks again and again for the same bad bytes is counted, but fills neither log nor database.
    const what = [incident.kind, incident.path, incident.version, incident.seen].join(' ');
    if (recorded.get(what) === true) return;
    recorded.set(what, true);
    log.error({ incident }, 'security incident: nothing was stored or served');
    served.keeper
      .recordIncident(incident)
      .catch((error: unknown) => log.error({ err: error }, 'incident not recorded'));
  };

  const prepared = new PreparedAnswers(config.cache.memory);
  const { onFatal } = events;
  const served = cleanup.use(
    config.replica
      ? // What was answered before carries an older head.
        openServedReplica(config, { onFatal, onHead: () => prepared.clear() })
      : await openOwnLog(config, onFatal),
  );
  const { reader, keeper } = served;

  const store = new ModuleStore(config.data);
  await store.clearTemporary();
  const remembered = new UpstreamStore(path.join(config.data, UPSTREAM_DATABASE), events.onFatal, (error) =>
    log.warn({ err: error }, 'what was remembered of upstream cannot be read; it is asked for again'),
  );
  cleanup.defer(() => remembered.close());
  const upstreams = cleanup.use(
    openUpstreams(config, served.name, remembered, {
      onFork: (name) => {
        prepared.clear();
        metrics.incidents.inc({ kind: 'fork' });
        log.fatal(
          { database: name },
          'fork: the upstream checksum database contradicts itself; nothing new is accepted',
        );
      },
      onUnfiled: (name, report, error) =>
        log.fatal(
          { database: name, report, err: error },
          'fork: its evidence could not be written, so a restart would believe the database again: keep this line',
        ),
    }),
  );
  const { routing, proving } = upstreams;
  const isPrivate = (modulePath: string) => routing.isPrivate(modulePath);

  const zips = cleanup.use(new ZipVerifier(Math.max(1, availableParallelism() - 1)));
  const { offline } = config;
  const records = new Records({
    reader,
    sequencer: served.sequencer,
    isPrivate,
    proving:
      proving === undefined
        ? undefined
        : { name: proving.name, lookup: (...a) => proving.client.lookup(...a) },
    offline,
    incidents,
    now: Date.now,
  });
  const { diskReserve } = config.cache;
  const files = new ModuleFiles({ store, records, routing, zips, incidents, offline, diskReserve });
  const onHiddenError = (error: unknown, what: string) => {
    metrics.hiddenErrors.inc();
    log.warn({ err: error }, what);
  };
  const refreshable = new Refreshable({
    routing,
    remembered,
    held: new HeldModules(store, records),
    offline,
    ttl: config.refreshTtl,
    now: Date.now,
    onHiddenError,
  });
  const servedDays = new Served({
    write: (files) => remembered.keepServed(files),
    now: Date.now,
    onHiddenError,
  });
  cleanup.defer(() => servedDays.close());
  const wishes = offline
    ? new Wishes({ write: (asked) => remembered.keepWishes(asked), now: Date.now, onHiddenError })
    : undefined;
  cleanup.defer(() => wishes?.close());
  const prefetch = new Prefetch({
    concurrency: offline ? 0 : config.prefetchConcurrency,
    // Of a module whose record is computed here the go.mod cannot be had without the zip.
    leaveAlone: (modulePath) => records.isComputed(modulePath),
    fetchMod: async (modulePath, version, signal) => {
      const answer = await files.mod(modulePath, version, { cachedOnly: false, signal });
      return answer.kind === 'bytes' && answer.origin === 'upstream' ? answer.body : undefined;
    },
  });
  cleanup.defer(() => prefetch.close());
  const proxy = new ModuleProxy(files, refreshable, prefetch);

  const requestLog = new RequestLog(config.logRequests ? destination : undefined);
  cleanup.defer(() => requestLog.flush());
  const exchange = new Exchange(metrics, requestLog, clientAddress(config.trustProxy));
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
    databases.push(foreignDatabase({ name, client, isPrivate, offline, checkAgrees }));
  }
  const health = new Health({ keeper, data: config.data, diskReserve, now: Date.now });
  metrics.watch({
    logSize: () => keeper.head?.size ?? 0,
    headSignedAt: () => keeper.head?.signedAt ?? 0,
    waitingMs: () => keeper.waitingFor(Date.now()),
    memoryBytes: () => prepared.bytes,
    prefetched: () => prefetch.fetched,
    droppedLogLines: () => destination.dropped,
  });
  const bundles = openImporter(config, {
    served,
    store,
    remembered,
    zips,
    publicDatabase: proving?.client,
    onImported: () => prepared.clear(),
  });
  let settings: ClientSettings = { url: config.url ?? '', vkey: served.vkey };
  const app = buildApp({
    via: served.name,
    modules: moduleHandler({
      proxy,
      responder,
      isPrivate,
      refreshTtl: config.refreshTtl,
      served: servedDays,
      wishes,
    }),
    databases: databaseHandler({ databases, responder, isPrivate, now: Date.now, wishes }),
    bundles: bundleHandler(exchange, bundles, log),
    vulndb: vulndbHandler(new VulndbStore(config.data), responder),
    startPage: () => startPage(settings),
    health,
    metrics,
    serveMetrics: config.metricsListen === undefined,
    exchange,
    prepared,
    served: servedDays,
    listen: { tls: config.tls, maxConnections: config.maxConnections, drain: DRAIN_MS },
    now: Date.now,
  });
  dropStartupGarbage();
  await listenOn(app, config.listen);
  cleanup.defer(() => app.close());
  if (config.metricsListen !== undefined)
    cleanup.use(await serveMetrics(metrics.registry, config.metricsListen));
  if (config.url === undefined) {
    const { port } = app.server.address() as AddressInfo;
    const { host } = config.listen;
    const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
    settings = {
      url: `${config.tls === undefined ? 'http' : 'https'}://${shown.includes(':') ? `[${shown}]` : shown}:${port}`,
      vkey: served.vkey,
    };
  }
  const resources = cleanup.move();
  return {
    settings,
    warnings: warningsFor(config, served),
    bundles,
    reload: () => {
      if (config.tls !== undefined) reloadCertificate(app.server, config.tls);
    },
    close: async () => {
      health.drain();
      await sleep(config.drainDelay);
      await resources.disposeAsync();
      await destination.close();
    },
  };
}

/** Listens, or says in a sentence why not. */
async function listenOn(app: FastifyInstance, { host, port }: Config['listen']): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const why: Record<string, string> = {
      EADDRINUSE: 'is taken by another program',
      EADDRNOTAVAIL: 'is no address of this host',
      EACCES: 'needs more rights than this process has',
      ENOTFOUND: 'is no known host',
    };
    const said = typeof code === 'string' ? why[code] : undefined;
    if (said === undefined) throw error;
    throw new GokeepError(
      'bad_config',
      `listen: ${host}:${port} ${said}; choose another (listen or GOKEEP_LISTEN)`,
      {
        cause: error,
      },
    );
  }
}

function warningsFor(config: Config, served: ServedLog): string[] {
  const warnings = [...served.warnings];
  if (config.upstreamSumdb.trim() === 'off') {
    warnings.push(
      'upstream.sumdb is off: public modules are trusted on first use, and recorded as such for ever',
    );
  }
  if (config.offline) warnings.push('offline: what is not held here does not exist');
  return warnings;
}
