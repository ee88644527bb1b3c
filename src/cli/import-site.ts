import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { BundleImport } from '../airgap/import.ts';
import type { Config } from '../config/load.ts';
import { ZipVerifier } from '../proxy/zip-verifier.ts';
import { ModuleStore } from '../store/module-store.ts';
import { lockDataDirectory } from '../store/process-lock.ts';
import { UpstreamStore } from '../store/upstream-store.ts';
import { openImporter } from './bundle-importer.ts';
import { UPSTREAM_DATABASE } from './data-files.ts';
import { localTrail } from './local-trail.ts';
import { openOwnLog } from './own-log.ts';
import { openServedReplica } from './replica.ts';
import { dropStartupGarbage } from './startup-garbage.ts';
import { openUpstreams } from './upstreams.ts';

/** No zip is left to check while the rest is taken over. */
const ZIPS_IDLE_MS = 200;

/** What takes bundles into a data directory that no server uses: the parts of one, and nothing that listens. */
export interface ImportSite extends AsyncDisposable {
  readonly bundles: BundleImport;
}

/** Holds the data directory until it is disposed of, which throws what made the log unusable. Throws what a server's start throws. */
export async function openImportSite(config: Config): Promise<ImportSite> {
  mkdirSync(config.data, { recursive: true, mode: 0o750 });
  await using cleanup = new AsyncDisposableStack();
  cleanup.use(lockDataDirectory(config.data));
  let failed: Error | undefined;
  const onFatal = (error: Error) => void (failed ??= error);
  const served = cleanup.use(
    config.replica ? openServedReplica(config, { onFatal }) : await openOwnLog(config, onFatal),
  );
  const store = new ModuleStore(config.data);
  await store.clearTemporary();
  // What cannot be read is asked for again, or was in the bundle.
  const remembered = new UpstreamStore(path.join(config.data, UPSTREAM_DATABASE), onFatal, () => undefined);
  cleanup.defer(() => remembered.close());
  // A fork stops the import with its own sentence, and leaves its evidence in the data directory.
  const forks = {
    onFork: () => undefined,
    onUnfiled: (_database: string, _report: string, error: unknown) =>
      onFatal(error instanceof Error ? error : new Error(String(error))),
  };
  const upstreams = cleanup.use(openUpstreams(config, served.name, remembered, forks));
  const zips = cleanup.use(new ZipVerifier(Math.max(1, availableParallelism() - 1), ZIPS_IDLE_MS));
  const bundles = openImporter(config, {
    served,
    store,
    remembered,
    zips,
    publicDatabase: upstreams.proving?.client,
    trail: localTrail(config),
    onImported: () => undefined,
  });
  dropStartupGarbage();
  const resources = cleanup.move();
  return {
    bundles,
    [Symbol.asyncDispose]: async () => {
      await resources.disposeAsync();
      if (failed !== undefined) throw failed;
    },
  };
}
