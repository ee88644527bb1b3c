import path from 'node:path';
import type { Command } from 'commander';
import { Receipts } from '../airgap/receipts.ts';
import { GokeepError } from '../errors.ts';
import { isoTime, printJson, printLines } from './output.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

interface ManifestOptions extends SharedOptions {
  readonly output: string;
  readonly bundle?: string;
  readonly json?: true;
}

const MOST_NAMED = 20;

async function manifest(options: ManifestOptions): Promise<void> {
  const receipts = new Receipts(loadLocal(options).data);
  const bundles = receipts.chain(options.bundle ?? theOnly(receipts));
  if (bundles.length === 0)
    throw new GokeepError('bad_request', `no bundle ${options.bundle} was made or imported here`);
  const files = await receipts.export(bundles, { output: path.resolve(options.output), split: undefined });
  if (options.json === true) printJson({ bundles, files });
  else printLines([`${bundles.length} bundles`, ...files.map((file) => `written: ${file}`)]);
}

/** The last bundle where all here are one chain. Only a person knows which of several the next one is to follow on. */
function theOnly(receipts: Receipts): string {
  const [tip, ...others] = receipts.tips();
  if (tip === undefined) throw new GokeepError('bad_request', 'no bundle was made or imported here yet');
  if (others.length === 0) return tip.id;
  const named = [tip, ...others]
    .slice(0, MOST_NAMED)
    .map(({ id, keptAt }) => `${id} (since ${isoTime(keptAt)})`);
  const more = others.length >= MOST_NAMED ? ` and ${others.length + 1 - MOST_NAMED} more` : '';
  throw new GokeepError(
    'bad_request',
    `the bundles here are of several chains, which end with ${named.join(', ')}${more}; say with --bundle which one the next bundle is to follow on`,
  );
}

export function addManifest(bundle: Command): void {
  withSharedOptions(bundle.command('manifest'))
    .description('write what was imported here, for `bundle create --since` on the other side')
    .requiredOption('--output <file>', 'where to write it')
    .option('--bundle <id>', 'a bundle and those that it follows on, where those here are no single chain')
    .option('--json', 'print one JSON document')
    .action((options: ManifestOptions) => manifest(options));
}
