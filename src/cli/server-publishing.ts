import type { Logger } from 'pino';
import type { TrailSink } from '../audit/trail.ts';
import type { Config } from '../config/load.ts';
import type { IncidentSink } from '../proxy/incidents.ts';
import type { ZipVerifier } from '../proxy/zip-verifier.ts';
import { Publishing } from '../publish/publishing.ts';
import { Signing } from '../publish/signing.ts';
import { Yanking } from '../publish/yanking.ts';
import type { ModuleStore } from '../store/module-store.ts';
import type { ServedLog } from './own-log.ts';
import { openSigningRules } from './signing-rules.ts';

export interface PublishingParts {
  readonly served: ServedLog;
  readonly store: ModuleStore;
  readonly zips: ZipVerifier;
  readonly isPrivate: (path: string) => boolean;
  readonly incidents: IncidentSink;
  readonly trail: TrailSink;
  readonly log: Pick<Logger, 'info'>;
  /** What was answered before may be out of date. */
  readonly onChanged: () => void;
}

export interface ServedPublishing {
  readonly publishing: Publishing;
  readonly yanking: Yanking;
  readonly signing: Signing;
}

/** What takes in published versions, after it has finished those that an earlier process was interrupted at. */
export async function openPublishing(config: Config, parts: PublishingParts): Promise<ServedPublishing> {
  const { served, store, zips, isPrivate, incidents, trail, onChanged } = parts;
  const find = (path: string, version: string) => served.reader.find(path, version);
  const { sequencer } = served;
  const signing = new Signing({
    rules: openSigningRules(config),
    store,
    find,
    signatures: (path, version) => served.signatures.of(path, version),
    sequencer,
    trail,
    now: Date.now,
  });
  const publishing = new Publishing({
    data: config.data,
    store,
    find,
    isHosted: (path, version) => served.hosted.hosted(path).some((each) => each.version === version),
    sequencer,
    zips,
    isPrivate,
    incidents,
    trail,
    signing,
    diskReserve: config.cache.diskReserve,
    now: Date.now,
    onPublished: onChanged,
  });
  if (sequencer !== undefined)
    for (const { path, version } of await publishing.recover())
      parts.log.info({ path, version }, 'version published, whose publishing had been interrupted');
  const yanking = new Yanking({
    find,
    reasonOf: (path, version) => served.hosted.yanks(path).find((each) => each.version === version)?.reason,
    sequencer,
    isPrivate,
    trail,
    now: Date.now,
    onChanged,
  });
  return { publishing, yanking, signing };
}

/** True when nothing but this machine can reach the server: it listens on loopback, and stands behind nobody. */
export function isLoopbackOnly({ listen, url, trustProxy, accelRedirect }: Config): boolean {
  const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i.test(listen.host);
  return loopback && url === undefined && trustProxy.length === 0 && accelRedirect === undefined;
}
