import { parseVerdict } from '../signing/verdict.ts';
import type { SignatureTable } from '../store/signature-table.ts';
import { formatBundlePath } from './bundle-path.ts';
import type { Composition } from './composition.ts';

export interface CarriedSignatures {
  readonly added: number;
  /** Versions of which one was left out, `path@version`: it is of a zip with the same files that was packed another way. */
  readonly left: readonly string[];
}

const PORTION = 256;
const MOST_NAMED = 100;

/**
 * Adds the signatures of every version whose zip is in the bundle, or was in an earlier one of the chain: a version may be signed
 * long after it was carried.
 */
export function addSignatures(
  table: Pick<SignatureTable, 'of' | 'versionsAfter'>,
  composition: Composition,
): CarriedSignatures {
  let added = 0;
  const left: string[] = [];
  for (let at = { path: '', version: '' }; ; ) {
    const page = table.versionsAfter(at.path, at.version, PORTION);
    const last = page.at(-1);
    if (last === undefined) return { added, left };
    at = last;
    for (const { path, version } of page) {
      const zip = composition.sha256Of(formatBundlePath({ kind: 'zip', path, version }));
      if (zip === undefined) continue;
      for (const { id, bundle, verdict } of table.of(path, version)) {
        const name = formatBundlePath({ kind: 'signature', path, version, id });
        if (composition.inBase(name)) continue;
        if (parseVerdict(verdict).sha256 !== zip) {
          if (left.length < MOST_NAMED) left.push(`${path}@${version}`);
          continue;
        }
        const body = Buffer.from(bundle);
        composition.add({
          path: name,
          size: body.length,
          sha256: id,
          provenance: 'signature',
          disk: null,
          body,
        });
        added++;
      }
    }
  }
}
