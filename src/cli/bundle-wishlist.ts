import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import { unmetWishes } from '../proxy/unmet-wishes.ts';
import { wishJson, wishText } from '../proxy/wish-text.ts';
import { openDatabase, storageError } from '../store/database.ts';
import { ModuleStore } from '../store/module-store.ts';
import { type Wish, WishTable } from '../store/wish-table.ts';
import { UPSTREAM_DATABASE } from './data-files.ts';
import { openLogReader, openUpstreamReader } from './local-log.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

interface WishlistOptions extends SharedOptions {
  readonly json?: true;
  readonly output?: string;
  readonly clear?: true;
}

async function wishlist(options: WishlistOptions): Promise<void> {
  const config = loadLocal(options);
  const { all, unmet } = await readWishes(config);
  const text = options.json === true ? `${JSON.stringify(unmet.map(wishJson), null, 2)}\n` : wishText(unmet);
  if (options.output === undefined) await printWhole(text);
  else writeOutput(options.output, text);
  // Only what has been shown, or was left out because it is held, and only as it was then.
  if (options.clear === true) forget(config, all);
}

/** All wishes, and those of them that have not come true. Throws bad_config where there is no data directory, storage_failed. */
export async function readWishes(config: Config): Promise<{ all: readonly Wish[]; unmet: readonly Wish[] }> {
  using log = openLogReader(config);
  using upstream = openUpstreamReader(config);
  const all = upstream.wishes();
  const unmet = await unmetWishes(all, {
    store: new ModuleStore(config.data),
    records: { known: (modulePath, version) => log.find(modulePath, version) },
    remembers: (key) => upstream.remembers(key),
  });
  return { all, unmet };
}

/** Throws where the reader of a pipe has gone: then nothing is forgotten. */
async function printWhole(text: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      process.stdout.once('error', reject);
      process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
    });
  } catch (error) {
    throw new GokeepError('storage_failed', 'the list was not read to its end, so nothing was forgotten', {
      cause: error,
    });
  }
}

/** Written in place and synced: it may be a device. */
function writeOutput(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flush: true });
  } catch (error) {
    throw new GokeepError('bad_config', `${file}: cannot be written; name another file by --output`, {
      cause: error,
    });
  }
}

/**
 * Safe beside a running server: one short transaction, for which SQLite has the two writers wait for each other. What the
 * server noted within the last minute it takes for a repeat until that minute is over.
 */
function forget(config: Config, seen: readonly Wish[]): void {
  if (seen.length === 0) return;
  const db = openDatabase(path.join(config.data, UPSTREAM_DATABASE), 'upstream');
  try {
    new WishTable(db).forget(seen);
  } catch (error) {
    throw storageError(error, 'forgetting wishes');
  } finally {
    db.close();
  }
}

export function addWishlist(bundle: Command): void {
  withSharedOptions(bundle.command('wishlist'))
    .description('list what clients asked for and is not held here')
    .option('--json', 'print one JSON document')
    .option('--output <file>', 'write it to a file instead')
    .option('--clear', 'forget the listed wishes after that (a running server does not mind)')
    .action((options: WishlistOptions) => wishlist(options));
}
