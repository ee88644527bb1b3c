import type { ModuleStore } from '../store/module-store.ts';
import { parseBundlePath } from './bundle-path.ts';
import { entriesIn, type OpenedBundle } from './bundle-reader.ts';
import type { RecordTarget } from './import.ts';

/**
 * Whether all that a bundle brought when it was imported is still here: files that were moved away as damaged, a log or a
 * vulnerability database that was lost. Then importing it again brings it back.
 */
export async function isStillHere(
  { manifest, entriesFile }: OpenedBundle,
  site: { store: ModuleStore; targets: readonly RecordTarget[]; hasVulndb: () => boolean },
): Promise<boolean> {
  if (manifest.vulndb !== undefined && !site.hasVulndb()) return false;
  for (const target of site.targets) if (!(await target.holds(manifest.databases))) return false;
  const databases = manifest.databases.map(({ name }) => name);
  for await (const entry of entriesIn(entriesFile, manifest)) {
    const at = parseBundlePath(entry.path, databases);
    if (at.kind !== 'info' && at.kind !== 'mod' && at.kind !== 'zip') continue;
    if (site.store.sizeNow(at.kind, at.path, at.version) === undefined) return false;
  }
  return true;
}
