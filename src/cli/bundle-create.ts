import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { serverAnswers } from '../airgap/answers.ts';
import { digestFile } from '../airgap/bundle-writer.ts';
import { BundleMaker, type ComposedBundle, type Missing, type WantedVersion } from '../airgap/create.ts';
import { KeptModules } from '../airgap/kept.ts';
import { Receipts } from '../airgap/receipts.ts';
import type { Config } from '../config/load.ts';
import { GokeepError, hasCode } from '../errors.ts';
import { matchPrefixPatterns } from '../module/pattern.ts';
import { parseSigner } from '../note/signer.ts';
import { ModuleStore } from '../store/module-store.ts';
import { readKeyFile } from '../sumdb/key-file.ts';
import { readVulndb } from '../upstream/vulndb-source.ts';
import { VERSION } from '../version.ts';
import { shownCounts } from './bundle-counts.ts';
import { type CreateOptions, withCreateOptions } from './bundle-create-options.ts';
import { earlierBundles } from './bundle-earlier.ts';
import { keyNamed, provingKey } from './bundle-keys.ts';
import { serverAtHand } from './bundle-server.ts';
import { type AllWanted, everythingWanted } from './bundle-wanted.ts';
import { endWithServer } from './job-mode.ts';
import { openLogReader, openUpstreamReader } from './local-log.ts';
import { recordLocally } from './local-trail.ts';
import { dropOldScratch } from './old-scratch.ts';
import { exitFound, printJson, printLines } from './output.ts';
import { Progress } from './progress.ts';
import { loadFor } from './shared-options.ts';
import { httpAccess } from './upstreams.ts';

/** Begins the names of directories of one run each, below the data directory. */
const SCRATCH = 'bundle-';

async function create(inputs: string[], options: CreateOptions): Promise<void> {
  endWithServer(options);
  const config = loadFor(options);
  const output = path.resolve(options.output);
  const store = new ModuleStore(config.data);
  using progress = new Progress(options.job !== undefined);
  await using atHand = await serverAtHand(config);
  using log = openLogReader(config);
  using remembered = openUpstreamReader(config);
  await dropOldScratch(config.data, SCRATCH);
  const scratch = await mkdtemp(path.join(options.job ?? config.data, SCRATCH));
  try {
    const answers = serverAnswers(atHand.server, new KeptModules(store, log));
    const wanted = await everythingWanted(inputs, options, config, answers, progress);
    const since = await earlierBundles(options.since, config, scratch);
    const key = readKeyFile(config.sumdb.key, process.getuid?.());
    if (key === undefined)
      throw new GokeepError(
        'bad_config',
        'a bundle is signed by the key of the log, and a replica has none; make it on the server that this one follows',
      );
    using maker = new BundleMaker({
      server: atHand.server,
      store,
      log,
      remembered,
      signer: parseSigner(key.skey),
      tool: `gokeep/${VERSION}`,
      own: keyNamed(key.vkey),
      proving: provingKey(config),
      isPrivate: (modulePath) => matchPrefixPatterns(config.private.join(','), modulePath),
      wanted: wanted.versions,
      queries: wanted.queries,
      since,
      vulndb:
        options.vulndb === undefined
          ? undefined
          : vulndbFrom(options.vulndb, config, options.job !== undefined),
      scratch,
      onProgress: (what, done, total) =>
        progress.steps(what, done, total, () =>
          total === 0 ? `${what}: ${done}` : `${what}: ${done} of ${total}`,
        ),
    });
    await make(maker, { ...options, output }, config, wanted, progress);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function make(
  maker: BundleMaker,
  options: CreateOptions,
  config: Config,
  wanted: AllWanted,
  progress: Progress,
): Promise<void> {
  const say = (lines: readonly string[]) => {
    progress.clear();
    if (options.json !== true) printLines(lines);
  };
  const fresh = await maker.fresh();
  const plan = await planOf(fresh, new ModuleStore(config.data));
  say([
    ...wanted.skipped.map(({ what, why }) => `left out ${what}: ${why}`),
    `${fresh.length} module versions to bring: ${plan.zips} with their zips and ${plan.mods} for their go.mod only; ${mebibytes(plan.heldBytes)} of zips are held here and ${plan.absent} zips have to be fetched first`,
  ]);
  if (options.dryRun === true) {
    if (options.json === true) printJson({ ...plan, modules: fresh, skipped: wanted.skipped });
    return;
  }
  const nothing = fresh.length === 0 && options.vulndb === undefined && wanted.queries.length === 0;
  // With an earlier bundle there may still be newer heads to bring, for clients that remember such.
  if (nothing && options.since.length === 0)
    throw new GokeepError(
      'bad_request',
      'there is nothing to bring: name what the bundle is for, or leave --since away',
    );
  const absent = await maker.admit(fresh);
  // A go.mod that the graph names and nobody has: go selects it, and no build reads it, or none would succeed anywhere.
  const unread = absent.filter((m) => !m.zip && hasCode(m.error, 'not_found', 'gone'));
  const missing = absent.filter((m) => !unread.includes(m));
  say(unread.map((m) => `left out the go.mod of ${m.path}@${m.version}: ${m.error.message}`));
  if (missing.length > 0) {
    say(missing.map((m) => `${m.path}@${m.version} cannot be had: ${m.error.message}`));
    if (options.skipMissing !== true) return refuse(missing, options);
  }
  using bundle = await maker.compose(fresh);
  const { count, bytes } = bundle.manifest.entries;
  say(
    bundle.signatures.left.map(
      (version) => `left out a signature of ${version}: it is of other bytes than the zip in the bundle`,
    ),
  );
  say([`writing ${count} files, ${mebibytes(bytes)}`]);
  // A server records who has it made, and when the bundle is there to be had.
  if (options.job === undefined)
    recordLocally(config, {
      kind: 'make',
      facts: { bundle: bundle.id, files: count, bytes, ...shownFacts(bundle) },
    });
  const files = await bundle.write({ output: options.output, split: options.split });
  await new Receipts(config.data).keep(bundle);
  progress.clear();
  if (options.json === true) {
    const { id, zips, mods, manifest } = bundle;
    printJson({
      id,
      base: manifest.base ?? null,
      files,
      zips,
      mods,
      signatures: bundle.signatures.added,
      entries: count,
      bytes,
      skipped: wanted.skipped,
      missing: missing.map(named),
      ...(options.job === undefined ? {} : { file: digestFile(files[0] ?? options.output) }),
    });
  } else {
    printLines([
      `bundle ${bundle.id}: ${shownCounts({ ...bundle, signatures: bundle.signatures.added })}, with proofs by ${bundle.manifest.databases.map((d) => `${d.name} at ${d.head.size}`).join(' and ')}`,
      ...files.map((file) => `written: ${file}`),
    ]);
  }
  if (missing.length > 0) exitFound();
}

const shownFacts = ({ zips, mods, signatures, manifest }: ComposedBundle) => ({
  zips,
  mods,
  signatures: signatures.added,
  base: manifest.base,
});

const named = ({ path: modulePath, version, error }: Missing) => ({
  path: modulePath,
  version,
  why: error.message,
});

function refuse(missing: readonly Missing[], options: CreateOptions): void {
  if (options.json === true) printJson({ missing: missing.map(named) });
  else
    printLines([
      `no bundle was written, since ${missing.length} module versions are missing; --skip-missing makes one without them`,
    ]);
  exitFound();
}

async function planOf(fresh: readonly WantedVersion[], store: ModuleStore) {
  const plan = { zips: 0, mods: 0, absent: 0, heldBytes: 0 };
  for (const { path: modulePath, version, zip } of fresh) {
    if (!zip) {
      plan.mods++;
      continue;
    }
    plan.zips++;
    const size = await store.size('zip', modulePath, version);
    if (size === undefined) plan.absent++;
    else plan.heldBytes += size;
  }
  return plan;
}

/** Reached the way that the public upstream is; what somebody names over the network leads to no machine that only this one can reach. */
function vulndbFrom(source: string, config: Config, isNamedByClient: boolean) {
  const row = config.upstreams.find((each) => !each.private);
  const access = row === undefined ? { userAgent: `gokeep/${VERSION}` } : httpAccess(config, row, 'gokeep');
  return { source: shownSource(source), files: readVulndb(source, { ...access, isNamedByClient }) };
}

/** As the manifest names it, which many read: without what a URL may hold of a login. */
function shownSource(source: string): string {
  if (!URL.canParse(source) || path.isAbsolute(source)) return source;
  const { protocol, host, pathname } = new URL(source);
  return `${protocol}//${host}${pathname}`;
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

export function addCreate(bundle: Command): void {
  withCreateOptions(bundle.command('create'))
    .description('make a bundle of modules that proves itself, for a network without this one')
    .action((inputs: string[], options: CreateOptions) => create(inputs, options));
}
