import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Config } from '../config/load.ts';
import { Metrics } from '../http/counters.ts';
import { Health } from '../http/health.ts';
import { reloadCertificate } from '../http/listener.ts';
import { serveMetrics } from '../http/metrics-listener.ts';
import { PreparedAnswers } from '../http/prepared.ts';
import type { ClientSettings } from '../http/start-page.ts';
import { ZipVerifier } from '../proxy/zip-verifier.ts';
import { lockDataDirectory } from '../store/process-lock.ts';
import { GOKEEP, type TrailEvent } from '../store/trail-entry.ts';
import { UpstreamStore } from '../store/upstream-store.ts';
import { openAccess } from './access.ts';
import { openImporter } from './bundle-importer.ts';
import { UPSTREAM_DATABASE } from './data-files.ts';
import { LineOutput, standardOutput } from './line-output.ts';
import { openOwnLog, type ServedLog } from './own-log.ts';
import { openServedReplica } from './replica.ts';
import { openAdministration } from './server-admin.ts';
import { openApp, tlsFiles } from './server-app.ts';
import { openCatalogue } from './server-catalogue.ts';
import { incidentSink } from './server-incidents.ts';
import { listeningUrl, listenOn } from './server-listen.ts';
import { openModules } from './server-modules.ts';
import { openBundles } from './server-bundles.ts';
import { openPublishing } from './server-publishing.ts';
import { openStatus } from './server-status.ts';
import { openTrail } from './server-trail.ts';
import { openMonitor } from './server-monitor.ts';
import { dropStartupGarbage } from './startup-garbage.ts';
import { openUpstreams } from './upstreams.ts';

export interface RunningServer {
  /** What clients set. */
  readonly settings: ClientSettings;
  /** Words for the operator about this configuration; shown once at the start. */
  readonly warnings: readonly string[];
  /** Reads the TLS files again; without TLS does nothing. */
  reload(): void;
  /** Stops taking requests, lets those under way end, then closes everything. */
  close(): Promise<void>;
}

export interface ServerEvents {
  /** The log can no longer be written by this process: it has to end. */
  readonly onFatal: (error: Error) => void;
  /** False: nothing is published, yanked or signed here, whoever asks. */
  readonly takesVersions?: boolean;
}

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
  const incidents = incidentSink(
    metrics,
    log,
    (incident) => served.keeper.recordIncident(incident),
    (event) => trail.note(event),
  );

  const prepared = new PreparedAnswers(config.cache.memory);
  const { onFatal, takesVersions = true } = events;
  const served = cleanup.use(
    config.replica
      ? // What was answered before carries an older head.
        openServedReplica(config, { onFatal, onHead: () => prepared.clear() })
      : await openOwnLog(config, onFatal),
  );

  const onHiddenError = (error: unknown, what: string) => {
    metrics.hiddenErrors.inc();
    log.warn({ err: error }, what);
  };
  const audit = openTrail(
    config,
    { served, metrics, log, isLasting: takesVersions, onFatal, onHiddenError },
    cleanup,
  );
  const { trail, refusals } = audit;
  const held = openCatalogue(config, { log, onHiddenError }, cleanup);
  const { store } = held;
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
        trail.note({ ...GOKEEP, kind: 'incident', facts: { incident: 'fork', database: name } });
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
  const zips = cleanup.use(new ZipVerifier(Math.max(1, availableParallelism() - 1)));
  const modules = openModules(
    config,
    {
      served,
      store,
      remembered,
      upstreams,
      zips,
      incidents,
      onHiddenError,
    },
    cleanup,
  );
  const note = (event: TrailEvent) => trail.note(event);
  const monitor = openMonitor(
    config,
    { served, direct: upstreams.direct, metrics, log, note, onHiddenError },
    cleanup,
  );

  const bundles = openImporter(config, {
    served,
    store,
    remembered,
    zips,
    publicDatabase: upstreams.proving?.client,
    trail,
    onImported: () => prepared.clear(),
  });
  let port = config.listen.port;
  const desk = takesVersions
    ? await openBundles(config, { served, importer: bundles, trail, log, port: () => port }, cleanup)
    : undefined;
  const publishing = await openPublishing(config, {
    served,
    store,
    zips,
    isPrivate: (modulePath) => upstreams.routing.isPrivate(modulePath),
    incidents,
    trail,
    log,
    onChanged: () => prepared.clear(),
  });
  const access = openAccess(
    config,
    {
      via: served.name,
      isPrivate: (modulePath) => upstreams.routing.isPrivate(modulePath),
      log,
      remembered,
      onHiddenError,
    },
    cleanup,
  );
  const health = new Health({
    keeper: served.keeper,
    data: config.data,
    diskReserve: config.cache.diskReserve,
    now: Date.now,
  });
  let settings: ClientSettings = { url: config.url ?? '', vkey: served.vkey };
  const app = openApp(
    config,
    {
      destination,
      log,
      metrics,
      prepared,
      served,
      store,
      upstreams,
      modules,
      bundles,
      desk,
      publishing,
      catalogue: held,
      status: openStatus(
        config,
        { served, remembered, upstreams, catalogue: held.catalogue, metrics, monitor, onHiddenError },
        cleanup,
      ),
      refusals,
      gate: access.gate,
      people: access.people,
      admin: openAdministration(config, { audit, onTokens: access.look, onHiddenError }),
      takesVersions,
      health,
      settings: () => settings,
      drain: DRAIN_MS,
    },
    cleanup,
  );
  dropStartupGarbage();
  await listenOn(app, config.listen);
  cleanup.defer(() => app.close());
  ({ port } = app.server.address() as AddressInfo);
  // What only makes a bundle has nobody who looks at it.
  if (takesVersions) held.start();
  if (config.metricsListen !== undefined)
    cleanup.use(await serveMetrics(metrics.registry, config.metricsListen));
  if (config.url === undefined) {
    settings = { url: listeningUrl(config, port), vkey: served.vkey };
  }
  const resources = cleanup.move();
  return {
    settings,
    warnings: [...warningsFor(config, served), ...access.warnings],
    reload: () => {
      const files = tlsFiles(config);
      if (files !== undefined) reloadCertificate(app.server, files);
    },
    close: async () => {
      health.drain();
      await sleep(config.drainDelay);
      // They ask us for modules, and we would wait for them.
      desk?.o.queue.stop();
      await resources.disposeAsync();
      await destination.close();
    },
  };
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
