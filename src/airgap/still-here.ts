import type { ModuleStore } from '../store/module-store.ts';
import { parseBundlePath } from './bundle-path.ts';
import { entriesIn, type OpenedBundle } from './bundle-reader.ts';
import type { RecordTarget } from './import.ts';
import type { SiteSignatures } from './site-signatures.ts';

/**
 * Whether all that a bundle brought when it was imported is still here: files that were moved away as damaged, signatures, a
 * log or a vulnerability database that were lost. A signature that a rule of today may find good, and nobody vouched for, is to come anew. Then importing it again brings it back.
 */
export async function isStillHere(
  { manifest, entriesFile }: OpenedBundle,
  site: {
    readonly store: ModuleStore;
    readonly targets: readonly RecordTarget[];
    readonly signatures: Pick<SiteSignatures, 'has'>;
    readonly hasVulndb: () => boolean;
  },
): Promise<boolean> {
  if (manifest.vulndb !== undefined && !site.hasVulndb()) return false;
  for (const target of site.targets) if (!(await target.holds(manifest.databases))) return false;
  const databases = manifest.databases.map(({ name }) => name);
  for await (const entry of entriesIn(entriesFile, manifest)) {
    const at = parseBundlePath(entry.path, databases);
    if (at.kind === 'signature' && !site.signatures.has(at)) return false;
    if (at.kind !== 'info' && at.kind !== 'mod' && at.kind !== 'zip') continue;
    if (site.store.sizeNow(at.kind, at.path, at.version) === undefined) return false;
  }
  return true;
}
