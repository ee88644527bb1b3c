import { rm } from 'node:fs/promises';
import type { Config } from '../config/load.ts';
import { matchPrefixPatterns } from '../module/pattern.ts';
import type { Incident } from '../store/log-records.ts';
import type { LogReader } from '../store/log-reader.ts';
import { ModuleStore } from '../store/module-store.ts';
import type { MonitorOptions } from '../trust/monitor.ts';
import { incidentMessage, postWebhook } from '../trust/webhook.ts';
import type { DirectSource } from '../upstream/direct.ts';
import { VERSION } from '../version.ts';
import type { Direct } from './direct-sources.ts';
import { fileText } from './file-text.ts';

/** Incidents looked at of one version, to know whether one is on record. */
const MOST_INCIDENTS = 100;

export interface MonitorParts {
  readonly log: LogReader;
  readonly direct: Direct;
  /** Asks repositories for their tags. */
  readonly asking: DirectSource;
  /** A directory that nothing else uses, for repositories that are looked into; emptied before each. */
  readonly scratch: string;
  readonly onIncident: (incident: Incident) => void;
}

/** What a round of the monitor needs, from the configuration and what is open. */
export function monitorOptions(config: Config, parts: MonitorParts): MonitorOptions {
  const { log, direct, asking, scratch, onIncident } = parts;
  const store = new ModuleStore(config.data);
  const globs = config.private.join(',');
  let last: Promise<unknown> = Promise.resolve();
  return {
    log,
    isPrivate: (modulePath) => matchPrefixPatterns(globs, modulePath),
    info: (modulePath, version) => store.read('info', modulePath, version),
    tags: (url, modulePath, signal) => asking.tags(url, modulePath, signal),
    fetchMod: (modulePath, version, signal) => {
      const fetch = async () => {
        // go would answer from what it fetched before.
        await rm(scratch, { recursive: true, force: true });
        try {
          return await direct.privateAt(scratch).fetch({ kind: 'mod', path: modulePath, version }, signal);
        } finally {
          await rm(scratch, { recursive: true, force: true });
        }
      };
      // One at a time: they share the directory.
      const fetched = last.then(fetch, fetch);
      last = fetched;
      return fetched;
    },
    recorded: (modulePath, version) => log.incidentsOf(modulePath, version, MOST_INCIDENTS),
    onIncident,
    now: Date.now,
  };
}

/** Tells `monitor.webhook` of incidents; undefined where there is none. Throws bad_config for files that cannot be read. */
export function webhookTeller(
  config: Config,
  logName: string,
): ((incidents: readonly Incident[], signal: AbortSignal) => Promise<void>) | undefined {
  const { webhook } = config.monitor;
  if (webhook === undefined) return undefined;
  // Read at each message; a file that is missing at the start is told at the start.
  fileText(webhook.tokenFile, 'monitor.webhook_token_file');
  fileText(webhook.keyFile, 'monitor.webhook_key_file');
  const { http, https, none } = config.environmentProxies;
  const options = {
    ...webhook,
    caFile: config.direct.ca,
    egress: { httpProxy: http, httpsProxy: https, noProxy: none },
    userAgent: `gokeep/${VERSION}`,
  };
  return (incidents, signal) => postWebhook(options, incidentMessage(logName, incidents, Date.now()), signal);
}
