import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { serverAnswers } from '../airgap/answers.ts';
import { BundleMaker, type Missing, type WantedVersion } from '../airgap/create.ts';
import { KeptModules } from '../airgap/kept.ts';
import { inOrder, type Receipt, Receipts } from '../airgap/receipts.ts';
import { collectWanted } from '../airgap/want/collect.ts';
import { readInputs } from '../airgap/want/read-inputs.ts';
import type { ModuleAnswers, WantedSet } from '../airgap/want/wanted.ts';
import { bytes as parseBytes } from '../config/units.ts';
import type { Config } from '../config/load.ts';
import { GokeepError, hasCode } from '../errors.ts';
import { matchPrefixPatterns } from '../module/pattern.ts';
import { parseSigner } from '../note/signer.ts';
import { ModuleStore } from '../store/module-store.ts';
import { storedModules } from '../store/stored-modules.ts';
import { readKeyFile } from '../sumdb/key-file.ts';
import { readVulndb } from '../upstream/vulndb-source.ts';
import { VERSION } from '../version.ts';
import { keyNamed, provingKey, trustedKeys } from './bundle-keys.ts';
import { serverAtHand } from './bundle-server.ts';
import { httpAccess } from './upstreams.ts';
import { openLogReader, openUpstreamReader } from './local-log.ts';
import { exitFound, printJson, printLines } from './output.ts';
import { Progress } from './progress.ts';
import { loadFor, type SharedOptions, withSharedOptions } from './shared-options.ts';

interface CreateOptions extends SharedOptions {
  readonly output: string;
  readonly all?: true;
  readonly servedSince?: number;
  readonly tests?: true;
  readonly toolchain: string[];
  readonly platform: string[];
  readonly vulndb?: string;
  readonly since: string[];
  readonly split?: number;
  readonly skipMissing?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

const DAY_MS = 86_400_000;
const AT_ONCE = 16;

async function create(inputs: string[], options: CreateOptions): Promise<void> {
  const config = loadFor(options);
  const output = path.resolve(options.output);
  const store = new ModuleStore(config.data);
  using progress = new Progress();
  await using atHand = await serverAtHand(config);
  using log = openLogReader(config);
  using remembered = openUpstreamReader(config);
  const scratch = await mkdtemp(path.join(config.data, 'bundle-'));
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
      vulndb: options.vulndb === undefined ? undefined : vulndbFrom(options.vulndb, config),
      scratch,
      onProgress: (what, done, total) =>
        progress.show(() => (total === 0 ? `${what}: ${done}` : `${what}: ${done} of ${total}`)),
    });
    await make(maker, { ...options, output }, config, wanted, progress);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface AllWanted {
  readonly versions: readonly WantedVersion[];
  readonly queries: WantedSet['queries'];
  readonly skipped: WantedSet['skipped'];
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
  if (fresh.length === 0)
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
  say([`writing ${count} files, ${mebibytes(bytes)}`]);
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
      entries: count,
      bytes,
      skipped: wanted.skipped,
      missing: missing.map(named),
    });
  } else {
    printLines([
      `bundle ${bundle.id}: ${bundle.zips} zips and ${bundle.mods} go.mod files, with proofs by ${bundle.manifest.databases.map((d) => `${d.name} at ${d.head.size}`).join(' and ')}`,
      ...files.map((file) => `written: ${file}`),
    ]);
  }
  if (missing.length > 0) exitFound();
}

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

async function everythingWanted(
  args: string[],
  options: CreateOptions,
  config: Config,
  answers: ModuleAnswers,
  progress: Progress,
): Promise<AllWanted> {
  const set = await collectWanted(await readInputs(args, process.cwd()), answers, {
    tests: options.tests === true,
    concurrency: AT_ONCE,
    signal: new AbortController().signal,
    progress: (done) => progress.show(() => `reading the module graph: ${done} answers`),
  });
  const versions = new Map<string, WantedVersion>();
  const want = (one: WantedVersion) => {
    const key = `${one.path}@${one.version}`;
    const before = versions.get(key);
    versions.set(key, { ...one, ...before, zip: one.zip || before?.zip === true });
  };
  set.wanted.forEach(want);
  if (options.all === true) {
    for await (const stored of storedModules(new ModuleStore(config.data).root)) {
      if (stored.path === undefined) continue;
      for (const { kind, version } of stored.files)
        if (kind !== 'info') want({ path: stored.path, version, zip: kind === 'zip' });
    }
  }
  if (options.servedSince !== undefined) {
    using served = openUpstreamReader(config);
    for (const { path: modulePath, version, kind } of served.servedSince(options.servedSince))
      want({ path: modulePath, version, zip: kind === 'zip' });
  }
  for (const name of options.toolchain.flatMap((each) => (each === 'auto' ? set.goVersions : [each])))
    for (const platform of options.platform.length > 0 ? options.platform : [hostPlatform()])
      want({
        path: 'golang.org/toolchain',
        version: `v0.0.1-${name}.${platform.replace('/', '-')}`,
        zip: true,
      });
  return { versions: [...versions.values()], queries: set.queries, skipped: set.skipped };
}

/** Reached the way that the public upstream is. */
function vulndbFrom(source: string, config: Config) {
  const row = config.upstreams.find((each) => !each.private);
  const access = row === undefined ? { userAgent: `gokeep/${VERSION}` } : httpAccess(config, row, 'gokeep');
  return { source, files: readVulndb(source, access) };
}

function hostPlatform(): string {
  const systems: Readonly<Record<string, string>> = { win32: 'windows', sunos: 'solaris' };
  const processors: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' };
  return `${systems[process.platform] ?? process.platform}/${processors[process.arch] ?? process.arch}`;
}

/** The chain of bundles that `--since` names, filled up with those that this server made. */
async function earlierBundles(named: readonly string[], config: Config, scratch: string): Promise<Receipt[]> {
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

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

const several = (value: string, before: string[]): string[] => [...before, value];

function toolchain(value: string, before: string[]): string[] {
  if (value !== 'auto' && !/^go1\.[0-9]+(\.[0-9]+|rc[0-9]+|beta[0-9]+)?$/.test(value))
    throw new InvalidArgumentError('give a toolchain such as go1.26.9, or "auto"');
  return [...before, value];
}

function platform(value: string, before: string[]): string[] {
  if (!/^[a-z0-9]+\/[a-z0-9]+$/.test(value))
    throw new InvalidArgumentError('give a platform such as linux/amd64');
  return [...before, value];
}

function size(value: string): number {
  const parsed = parseBytes(value, '--split');
  if (parsed < 2 ** 20) throw new InvalidArgumentError('a part has 1MiB or more');
  return parsed;
}

function day(value: string): number {
  const time = Date.parse(`${value}T00:00:00Z`);
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value) || Number.isNaN(time))
    throw new InvalidArgumentError('give a date such as 2026-11-24');
  return Math.floor(time / DAY_MS);
}

export function addCreate(bundle: Command): void {
  withSharedOptions(bundle.command('create'))
    .description('make a bundle of modules that proves itself, for a network without this one')
    .argument('[input...]', 'go.mod, go.sum, go.work, SBOM, wish list, source directory or module@version')
    .requiredOption('--output <file>', 'where to write it; a name that ends in .zst is compressed')
    .option('--all', 'everything that the store holds')
    .option('--served-since <date>', 'everything that was served on this day (UTC) or later', day)
    .option('--vulndb <source>', 'a vulnerability database too: its URL, or a directory')
    .option('--tests', 'also what only tests of dependencies need')
    .option(
      '--toolchain <go1.x.y>',
      'a Go toolchain, or "auto" for those that the inputs ask for',
      toolchain,
      [],
    )
    .option('--platform <os/arch>', 'of the toolchains; this machine’s when not given', platform, [])
    .option(
      '--since <bundle>',
      'only what is not in this earlier bundle: its file, id, or the other side’s manifest',
      several,
      [],
    )
    .option('--split <size>', 'write parts of at most this size, such as 4GB', size)
    .option('--skip-missing', 'leave out what cannot be had, and exit with 1')
    .option('--dry-run', 'say what would go in, and write nothing')
    .option('--json', 'print one JSON document')
    .action((inputs: string[], options: CreateOptions) => create(inputs, options));
}
