import type { Config } from '../config/load.ts';
import { HeldModules } from '../proxy/held.ts';
import { HostedAnswers } from '../proxy/hosted-answers.ts';
import type { IncidentSink } from '../proxy/incidents.ts';
import { ModuleFiles } from '../proxy/module-files.ts';
import { ModuleProxy } from '../proxy/module-proxy.ts';
import { Prefetch } from '../proxy/prefetch.ts';
import { Records } from '../proxy/records.ts';
import { Refreshable } from '../proxy/refreshable.ts';
import { Served } from '../proxy/served.ts';
import { Wishes } from '../proxy/wishes.ts';
import type { ZipVerifier } from '../proxy/zip-verifier.ts';
import type { ModuleStore } from '../store/module-store.ts';
import type { UpstreamStore } from '../store/upstream-store.ts';
import type { ServedLog } from './own-log.ts';
import type { Upstreams } from './upstreams.ts';

export interface ModuleParts {
  readonly served: ServedLog;
  readonly store: ModuleStore;
  readonly remembered: UpstreamStore;
  readonly upstreams: Upstreams;
  readonly zips: ZipVerifier;
  readonly incidents: IncidentSink;
  readonly onHiddenError: (error: unknown, what: string) => void;
}

/** What finds or admits modules, and what is noted of those who ask. */
export interface ServedModules {
  readonly proxy: ModuleProxy;
  readonly records: Records;
  readonly prefetch: Prefetch;
  readonly servedDays: Served;
  /** Undefined where what is missing can be fetched. */
  readonly wishes: Wishes | undefined;
}

/** @param cleanup closes in the reverse of the order in which things are opened here */
export function openModules(
  config: Config,
  parts: ModuleParts,
  cleanup: AsyncDisposableStack,
): ServedModules {
  const { served, store, remembered, zips, incidents, onHiddenError } = parts;
  const { routing, proving } = parts.upstreams;
  const { offline } = config;
  const records = new Records({
    reader: served.reader,
    sequencer: served.sequencer,
    isPrivate: (modulePath) => routing.isPrivate(modulePath),
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
  const refreshable = new Refreshable({
    routing,
    remembered,
    held: new HeldModules(store, records),
    offline,
    ttl: config.refreshTtl,
    now: Date.now,
    onHiddenError,
  });
  const hosted = new HostedAnswers({
    upstream: refreshable,
    tables: served.hosted,
    isPrivate: (modulePath) => routing.isPrivate(modulePath),
    info: (modulePath, version, o) => files.info(modulePath, version, o),
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
  return { proxy: new ModuleProxy(files, hosted, prefetch), records, prefetch, servedDays, wishes };
}
