import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { BundleImport, type RecordTarget } from '../airgap/import.ts';
import { Receipts } from '../airgap/receipts.ts';
import { SiteSignatures } from '../airgap/site-signatures.ts';
import { ownLogTarget, publicTarget, replicaTarget } from '../airgap/targets.ts';
import type { TrailSink } from '../audit/trail.ts';
import type { Config } from '../config/load.ts';
import { matchPrefixPatterns } from '../module/pattern.ts';
import { formatModuleRequest } from '../module/request-path.ts';
import type { ZipVerifier } from '../proxy/zip-verifier.ts';
import type { ModuleStore } from '../store/module-store.ts';
import { VulndbStore } from '../store/vulndb-store.ts';
import type { ChecksumDatabase } from '../upstream/checksum-database.ts';
import type { UpstreamStore } from '../store/upstream-store.ts';
import { keyNamed, provingKey, trustedKeys } from './bundle-keys.ts';
import type { ServedLog } from './own-log.ts';
import { openSigningRules } from './signing-rules.ts';

export interface ImporterParts {
  readonly served: ServedLog;
  readonly store: ModuleStore;
  readonly remembered: UpstreamStore;
  readonly zips: ZipVerifier;
  readonly trail: TrailSink;
  /** The client of the public database; undefined where that is off. */
  readonly publicDatabase: Pick<ChecksumDatabase, 'learn'> | undefined;
  /** What was answered before may be out of date. */
  readonly onImported: () => void;
}

/** What brings bundles into this data directory, in the server or in a command that holds its lock. */
export function openImporter(config: Config, parts: ImporterParts): BundleImport {
  const { served, store, remembered, zips, publicDatabase } = parts;
  const proving = provingKey(config);
  const targets: RecordTarget[] = [];
  if (served.replica !== undefined) targets.push(replicaTarget(served.replica));
  else if (served.sequencer !== undefined) {
    const vouching = {
      publicDatabase: proving?.verifier.name,
      isPrivate: (modulePath: string) => matchPrefixPatterns(config.private.join(','), modulePath),
    };
    targets.push(ownLogTarget(served.reader, served.sequencer, Date.now, vouching));
  }
  if (proving !== undefined && publicDatabase !== undefined) {
    const { verifier } = proving;
    const { offline } = config;
    targets.push(
      publicTarget({
        verifier,
        memory: remembered.databaseMemory(verifier.name),
        learn: (note) => publicDatabase.learn(note, { signal: new AbortController().signal, offline }),
        offline,
      }),
    );
  }
  return new BundleImport({
    data: config.data,
    store,
    receipts: new Receipts(config.data),
    trail: parts.trail,
    zips,
    trusted: config.bundles.trust.map((vkey) => keyNamed(vkey).verifier),
    keys: trustedKeys(config, []).databases,
    targets,
    signatures: new SiteSignatures({
      rules: openSigningRules(config),
      stored: (modulePath, version) => served.signatures.of(modulePath, version),
      keep: (versions) => served.keeper.keepSignatures(versions),
      now: Date.now,
    }),
    diskReserve: config.cache.diskReserve,
    keepQuery: (modulePath, query, body) =>
      remembered.keepAnswer(formatModuleRequest({ kind: 'info', path: modulePath, version: query }), {
        body,
        source: 'a bundle',
        fetchedAt: Date.now(),
      }),
    vulndbModified: () => vulndbModified(new VulndbStore(config.data)),
    keepVulndb: (directory, id) => keepVulndb(new VulndbStore(config.data), directory, id),
    onImported: parts.onImported,
  });
}

/** Undefined too where it is damaged: then any is better. */
async function vulndbModified(vulndb: VulndbStore): Promise<string | undefined> {
  try {
    const { modified } = JSON.parse(String(await vulndb.read('index/db.json'))) as { modified?: unknown };
    return typeof modified === 'string' ? modified : undefined;
  } catch {
    return undefined;
  }
}

/** One without vulnerabilities has no directory for them. */
async function namesIn(directory: string): Promise<string[]> {
  return existsSync(directory) ? readdir(directory) : [];
}

/** Takes over the files of a vulnerability database, under the bundle's id. */
async function keepVulndb(vulndb: VulndbStore, directory: string, id: string): Promise<void> {
  const staged = await vulndb.stage();
  for (const folder of ['index', 'ID'])
    for (const name of await namesIn(path.join(directory, folder)))
      await vulndb.put(staged, `${folder}/${name}`, await readFile(path.join(directory, folder, name)));
  await vulndb.publish(staged, id);
}
