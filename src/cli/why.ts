import type { Command } from 'commander';
import { checkPath } from '../module/path.ts';
import { matchPrefixPatterns } from '../module/pattern.ts';
import { compare } from '../module/semver.ts';
import { checkModuleVersion } from '../module/version.ts';
import type { LogReader } from '../store/log-reader.ts';
import { type ModuleFile, ModuleStore } from '../store/module-store.ts';
import { incidentLine } from './incident-line.ts';
import { openLogReader } from './local-log.ts';
import { exitFound, isoTime, printJson, printLines } from './output.ts';
import { loadLocal, type SharedOptions, withSharedOptions } from './shared-options.ts';

const MOST_INCIDENTS = 100;
const KINDS: readonly ModuleFile[] = ['info', 'mod', 'zip'];

/** What is known of one version. */
interface KnownVersion {
  readonly version: string;
  readonly record: {
    readonly id: number;
    /** Covered by a signed head. */
    readonly published: boolean;
    readonly zip: string;
    readonly mod: string;
    readonly source: string;
    readonly firstSeen: string;
    readonly evidence: string | null;
  } | null;
  /** When it was published here. */
  readonly published: string | null;
  readonly yanked: { readonly at: string; readonly reason: string } | null;
  /** Bytes of each file held. */
  readonly held: Partial<Record<ModuleFile, number>>;
}

const MEANING: Readonly<Record<string, string>> = {
  proven: 'proven by the upstream checksum database',
  computed: 'computed here when it was first asked for',
  tofu: 'trusted on first use, while no upstream checksum database was configured',
  seeded: 'taken from a go.sum file by the operator',
  imported: 'imported from a bundle of a trusted gokeep',
  published: 'published here',
  replicated: 'replicated from the log of the gokeep that made the bundle',
};

async function knownVersion(
  log: LogReader,
  store: ModuleStore,
  modulePath: string,
  version: string,
): Promise<KnownVersion> {
  const record = log.find(modulePath, version);
  const provenance = record === undefined ? undefined : log.provenance(record.id);
  const held: Partial<Record<ModuleFile, number>> = {};
  for (const kind of KINDS) {
    const size = await store.size(kind, modulePath, version);
    if (size !== undefined) held[kind] = size;
  }
  const hosted = log.hosted.hosted(modulePath).find((each) => each.version === version);
  const yank = log.hosted.yanks(modulePath).find((each) => each.version === version);
  const standing = {
    version,
    published: hosted === undefined ? null : isoTime(hosted.publishedAt),
    yanked: yank === undefined ? null : { at: isoTime(yank.yankedAt), reason: yank.reason },
    held,
  };
  if (record === undefined || provenance === undefined) return { ...standing, record: null };
  return {
    ...standing,
    record: {
      id: record.id,
      published: record.id < (log.publishedHead()?.size ?? 0),
      zip: record.zip,
      mod: record.mod,
      source: provenance.source,
      firstSeen: isoTime(provenance.firstSeen * 1000),
      evidence: provenance.evidence ?? null,
    },
  };
}

async function allVersions(log: LogReader, store: ModuleStore, modulePath: string): Promise<string[]> {
  const versions = new Set(log.versions(modulePath).map((row) => row.version));
  for (const kind of KINDS)
    for (const version of await store.heldVersions(kind, modulePath)) versions.add(version);
  return [...versions].sort(compare);
}

async function why(argument: string, options: SharedOptions & { readonly json?: true }): Promise<void> {
  const config = loadLocal(options);
  const at = argument.indexOf('@');
  const modulePath = at < 0 ? argument : argument.slice(0, at);
  const asked = at < 0 ? undefined : argument.slice(at + 1);
  if (asked === undefined) checkPath(modulePath);
  else checkModuleVersion(modulePath, asked);
  using log = openLogReader(config);
  const store = new ModuleStore(config.data);
  const isPrivate = matchPrefixPatterns(config.private.join(','), modulePath);
  const versions: KnownVersion[] = [];
  for (const version of asked === undefined ? await allVersions(log, store, modulePath) : [asked])
    versions.push(await knownVersion(log, store, modulePath, version));
  const incidents = log.incidentsOf(modulePath, asked, MOST_INCIDENTS);

  if (options.json === true) {
    const shown = incidents.map((incident) => ({ ...incident, at: isoTime(incident.at) }));
    printJson({ path: modulePath, private: isPrivate, versions, incidents: shown });
  } else {
    printLines([
      `${modulePath} is ${isPrivate ? 'private: it is fetched from private upstreams only' : 'public'}`,
      ...(versions.length === 0 ? ['no version of it is recorded or held'] : []),
      ...versions.flatMap(versionLines),
      ...incidents.map((incident) => incidentLine(incident, false)),
    ]);
  }
  if (incidents.length > 0) exitFound();
}

function versionLines({ version, record, published, yanked, held }: KnownVersion): string[] {
  const files = KINDS.flatMap((kind) => (held[kind] === undefined ? [] : [`${kind} (${held[kind]} bytes)`]));
  const lines =
    record === null
      ? ['  record: none']
      : [
          `  record: ${record.id}${record.published ? '' : ', not covered by a signed head yet'}`,
          `  zip: ${record.zip}`,
          `  go.mod: ${record.mod}`,
          `  source: ${MEANING[record.source] ?? record.source}, ${record.firstSeen}`,
          ...(record.evidence === null ? [] : [`  evidence: ${record.evidence}`]),
        ];
  const standing = [
    ...(published === null ? [] : [`  published: ${published}`]),
    ...(yanked === null ? [] : [`  yanked: ${yanked.at}: ${yanked.reason}`]),
  ];
  return [
    `${version}:`,
    ...lines,
    ...standing,
    `  held: ${files.length === 0 ? 'nothing' : files.join(', ')}`,
  ];
}

export function addWhy(program: Command): void {
  withSharedOptions(program.command('why'))
    .description('say what is known of a module, or of one version of it')
    .argument('<module[@version]>', 'which module')
    .option('--json', 'print one JSON document')
    .action((module: string, options: SharedOptions & { json?: true }) => why(module, options));
}
