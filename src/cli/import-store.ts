import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { OwnServer } from '../airgap/own-server.ts';
import type { Config } from '../config/load.ts';
import { GokeepError } from '../errors.ts';
import { formatModuleRequest } from '../module/request-path.ts';
import { forEachAtOnce } from '../store/at-once.ts';
import { ModuleStore } from '../store/module-store.ts';
import { isDataDirectoryLocked } from '../store/process-lock.ts';
import { type ModuleTree, readModuleTree, type TreeVersion } from '../upstream/module-tree.ts';
import { ownServer } from './bundle-server.ts';
import { recordLocally } from './local-trail.ts';
import { dropOldScratch } from './old-scratch.ts';
import { ownCredentials } from './own-credentials.ts';
import { exitFound, printJson, printLines } from './output.ts';
import { Progress } from './progress.ts';
import { loadFor, type SharedOptions, withSharedOptions } from './shared-options.ts';

/** Versions asked for at a time: each has files to read, to hash and to make durable. */
const AT_ONCE = 8;

/** Begins the names of directories of one run each, below the data directory. */
const SCRATCH = 'import-';

interface ImportStoreOptions extends SharedOptions {
  readonly dryRun?: true;
  readonly json?: true;
}

interface Refused extends Pick<TreeVersion, 'path' | 'version'> {
  readonly why: string;
}

interface Outcome {
  readonly zips: number;
  readonly mods: number;
  /** Held here before, with all that the directory has of them. */
  readonly held: number;
  readonly refused: readonly Refused[];
}

async function importStore(directory: string, options: ImportStoreOptions): Promise<void> {
  const config = loadFor(options);
  checkUsable(config);
  await checkDirectory(directory);
  await mkdir(config.data, { recursive: true, mode: 0o750 });
  await dropOldScratch(config.data, SCRATCH);
  const scratch = await mkdtemp(path.join(config.data, SCRATCH));
  try {
    const tree = await readModuleTree(path.resolve(directory), scratch);
    if (options.dryRun === true) return sayPlan(tree, options);
    recordLocally(config, {
      kind: 'import',
      facts: { directory: path.resolve(directory), versions: tree.versions.length },
    });
    say(tree, await takeIn(config, tree), options);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Throws bad_config where nothing can be taken in as a public module has to be. */
function checkUsable(config: Config): void {
  if (config.replica || config.offline)
    throw new GokeepError(
      'bad_config',
      `${config.replica ? 'a replica' : 'an offline gokeep'} cannot ask the public checksum database what is right; import on a connected one, and bring it here by a bundle`,
    );
  if (isDataDirectoryLocked(config.data))
    throw new GokeepError(
      'bad_config',
      `${config.data}: a gokeep uses this data directory; stop it, and start it again after the import`,
    );
}

async function checkDirectory(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() !== true)
    throw new GokeepError('bad_request', `${directory}: is no directory that can be read`);
}

/**
 * Asks a server of this command's own for each version, whose first upstream is the directory: so each is checked, compared with its
 * record, stored and logged the one way there is. What the directory lacks comes from where it always would.
 */
async function takeIn(config: Config, tree: ModuleTree): Promise<Outcome> {
  using progress = new Progress();
  const store = new ModuleStore(config.data);
  // A URL may hold what separates the proxies of a list.
  const first = pathToFileURL(tree.root).href.replaceAll(',', '%2C').replaceAll('|', '%7C');
  const upstreams = config.upstreams.map((each) => ({
    ...each,
    proxy: each.proxy === 'off' ? first : `${first},${each.proxy}`,
  }));
  // What the go.mod files name is in the directory, or is not wanted.
  const serving = { ...config, upstreams, prefetchConcurrency: 0 };
  using credentials = ownCredentials(config);
  await using own = await ownServer(serving);
  await using server = new OwnServer(
    async () => own.running.settings.url.replace(/\/$/, ''),
    () => credentials.headers,
  );
  const counts = { zips: 0, mods: 0, held: 0 };
  const refused: Refused[] = [];
  let done = 0;
  await forEachAtOnce(tree.versions, AT_ONCE, async ({ path: modulePath, version, hasZip }) => {
    const last = hasZip ? 'zip' : 'mod';
    try {
      if (store.sizeNow(last, modulePath, version) === undefined) {
        // The zip first: with it a private version has its record, which its go.mod is then compared with.
        for (const kind of hasZip ? (['zip', 'mod', 'info'] as const) : (['mod'] as const))
          await server.admit(formatModuleRequest({ kind, path: modulePath, version }));
        counts[hasZip ? 'zips' : 'mods']++;
      } else counts.held++;
    } catch (error) {
      if (!(error instanceof GokeepError)) throw error;
      refused.push({ path: modulePath, version, why: error.message });
    }
    done++;
    progress.show(() => `taking in: ${done} of ${tree.versions.length} versions`);
  });
  return { ...counts, refused };
}

const LAYOUT = { static: 'GOMODCACHE, or a static tree like it', athens: 'disk store of Athens' } as const;

function sayPlan(tree: ModuleTree, { json }: ImportStoreOptions): void {
  const { kind, versions, passedOver } = tree;
  const zips = versions.filter(({ hasZip }) => hasZip).length;
  if (json === true) return printJson({ layout: kind, versions, passedOver });
  printLines([
    ...passedOver.map((name) => `passed over: ${name} names no module version`),
    `${LAYOUT[kind]}: ${zips} versions with their zips, ${versions.length - zips} with their go.mod only`,
    'dry run: nothing was taken in',
  ]);
}

function say(tree: ModuleTree, outcome: Outcome, { json }: ImportStoreOptions): void {
  const { zips, mods, held, refused } = outcome;
  const { kind, passedOver } = tree;
  if (json === true) printJson({ layout: kind, zips, mods, held, refused, passedOver });
  else
    printLines([
      ...passedOver.map((name) => `passed over: ${name} names no module version`),
      ...refused.map(({ path: modulePath, version, why }) => `not taken: ${modulePath}@${version}: ${why}`),
      `${LAYOUT[kind]}: ${zips} versions taken in with their zips, ${mods} with their go.mod only; ${held} were here before, ${refused.length} were not taken`,
    ]);
  if (refused.length > 0) exitFound();
}

export function addImportStore(program: Command): void {
  withSharedOptions(program.command('import'))
    .description(
      'take in the modules of a GOMODCACHE or of the disk store of Athens, each verified (server stopped)',
    )
    .argument('<directory>', 'where they lie')
    .option('--dry-run', 'print what is there, and take in nothing')
    .option('--json', 'print one JSON document')
    .action((directory: string, options: ImportStoreOptions) => importStore(directory, options));
}
