import path from 'node:path';
import type { Command } from 'commander';
import { Receipts } from '../airgap/receipts.ts';
import { GokeepError } from '../errors.ts';
import { printJson, printLines } from './output.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

async function manifest(options: SharedOptions & { output: string; json?: true }): Promise<void> {
  const receipts = new Receipts(loadLocal(options).data);
  const bundles = receipts.ids().sort();
  if (bundles.length === 0) throw new GokeepError('bad_request', 'no bundle was made or imported here yet');
  const files = await receipts.export({ output: path.resolve(options.output), split: undefined });
  if (options.json === true) printJson({ bundles, files });
  else printLines([`${bundles.length} bundles`, ...files.map((file) => `written: ${file}`)]);
}

export function addManifest(bundle: Command): void {
  withSharedOptions(bundle.command('manifest'))
    .description('write what was imported here, for `bundle create --since` on the other side')
    .requiredOption('--output <file>', 'where to write it')
    .option('--json', 'print one JSON document')
    .action((options: SharedOptions & { output: string; json?: true }) => manifest(options));
}
