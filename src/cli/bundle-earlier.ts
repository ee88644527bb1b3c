import path from 'node:path';
import { inOrder, type Receipt, Receipts } from '../airgap/receipts.ts';
import type { Config } from '../config/load.ts';
import { trustedKeys } from './bundle-keys.ts';

/** The chain of bundles that `--since` names, filled up with those that this server made. */
export async function earlierBundles(
  named: readonly string[],
  config: Config,
  scratch: string,
): Promise<Receipt[]> {
  if (named.length === 0) return [];
  const { signers } = trustedKeys(config, []);
  const own = new Receipts(config.data);
  const found = new Map<string, Receipt>();
  for (const each of named) {
    const receipts = own.has(each)
      ? [own.read(each, signers)]
      : await Receipts.readFrom(path.resolve(each), signers, path.join(scratch, 'since'));
    for (const receipt of receipts) found.set(receipt.id, receipt);
  }
  for (const receipt of found.values()) {
    const { base } = receipt.manifest;
    if (base !== undefined && !found.has(base) && own.has(base)) found.set(base, own.read(base, signers));
  }
  return inOrder([...found.values()]);
}
