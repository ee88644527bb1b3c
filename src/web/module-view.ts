import type { HeldVersion, VersionFacts } from '../catalogue/catalogue.ts';
import type { ModuleVulnerabilities } from '../catalogue/known-vulnerabilities.ts';
import { GokeepError } from '../errors.ts';
import { type ModFile, parseModFile } from '../modfile/mod-file.ts';
import { newest } from '../module/newest.ts';
import { compare, isValid } from '../module/semver.ts';
import type { Yank } from '../store/hosted-tables.ts';
import type { LoggedRecord } from '../store/log-reader.ts';
import type { Incident, Provenance } from '../store/log-records.ts';
import type { Site, Visit } from './site.ts';

/** A version, and what its authors say of it today. */
export interface VersionView extends HeldVersion {
  readonly yank: Yank | undefined;
  /** Why its authors want nobody to use it; empty where they do not say. */
  readonly retracted: string | undefined;
}

export interface ModuleView {
  readonly path: string;
  /** Newest first. */
  readonly versions: readonly VersionView[];
  /** What `@latest` would choose among them. */
  readonly newest: string | undefined;
  /** What the newest go.mod that is held says in its place; empty where it says nothing. */
  readonly deprecated: string;
}

/** What is held of a module. Whether its reader may know has to be found out first. */
export async function viewModule(site: Site, path: string): Promise<ModuleView> {
  const held = site.catalogue.versions(path);
  // As `go` does: from the go.mod of the newest version, whatever that says of itself.
  const speaking = newest(held.map(({ version }) => version));
  const said = speaking === undefined ? undefined : await readGoMod(site, path, speaking);
  const yanks = new Map(site.hosted.yanks(path).map((yank) => [yank.version, yank]));
  const versions = held.map((each) => ({
    ...each,
    yank: yanks.get(each.version),
    retracted: said === undefined ? undefined : retraction(said, each.version),
  }));
  const usable = versions.filter(({ yank, retracted }) => yank === undefined && retracted === undefined);
  return {
    path,
    versions,
    newest: newest((usable.length > 0 ? usable : versions).map(({ version }) => version)),
    deprecated: said?.deprecated ?? '',
  };
}

/** Larger ones, in bytes, and more retractions than anybody writes are not read: each is held against every version. */
const MOST_GO_MOD = 256 * 1024;
const MOST_RETRACTIONS = 500;

/** Undefined for one that is not held or cannot be read: the page says less then. */
async function readGoMod(site: Site, path: string, version: string): Promise<ModFile | undefined> {
  const text = await site.goMod(path, version);
  if (text === undefined || text.length > MOST_GO_MOD) return undefined;
  try {
    const file = parseModFile(text);
    return { ...file, retract: file.retract.slice(0, MOST_RETRACTIONS) };
  } catch (error) {
    if (error instanceof GokeepError) return undefined;
    throw error;
  }
}

function retraction({ retract }: ModFile, version: string): string | undefined {
  return retract.find(
    ({ low, high }) =>
      isValid(low) && isValid(high) && compare(low, version) <= 0 && compare(version, high) <= 0,
  )?.rationale;
}

/** One version, by the log and by its zip. */
export interface ChosenVersion {
  readonly version: string;
  /** Undefined where its zip is not held. */
  readonly held: VersionView | undefined;
  readonly facts: VersionFacts | undefined;
  /** Undefined where it is not in the log, or not yet. */
  readonly record: LoggedRecord | undefined;
  readonly provenance: Provenance | undefined;
  readonly incidents: readonly Incident[];
}

/** What a part of a module's page is made of. */
export interface ModuleVisit {
  readonly site: Site;
  readonly visit: Visit;
  readonly module: ModuleView;
  readonly chosen: ChosenVersion;
  readonly known: ModuleVulnerabilities;
  /** Address of this page without its query. */
  readonly address: string;
}

const MOST_INCIDENTS = 20;

/** Undefined for a version that is neither held nor on record. */
export function viewVersion(site: Site, module: ModuleView, version: string): ChosenVersion | undefined {
  const { path } = module;
  const held = module.versions.find((each) => each.version === version);
  const record = recordOf(site, path, version);
  if (held === undefined && record === undefined) return undefined;
  return {
    version,
    held,
    facts: site.catalogue.facts(path, version),
    record,
    provenance: record === undefined ? undefined : site.reader.provenance(record.id),
    incidents: site.reader.incidentsOf(path, version, MOST_INCIDENTS),
  };
}

function recordOf({ reader }: Site, path: string, version: string): LoggedRecord | undefined {
  try {
    return reader.find(path, version);
  } catch (error) {
    // A replica that nothing was imported into.
    if (error instanceof GokeepError && error.code === 'not_stored') return undefined;
    throw error;
  }
}

/** Where a record came from, in words. */
export function provenanceText({ source, evidence }: Provenance): string {
  const database = evidence?.split(/[@ ]/)[0] ?? 'another database';
  const said: Readonly<Record<Provenance['source'], string>> = {
    proven: `proven by ${database}`,
    computed: 'computed here at first sight',
    tofu: 'trusted on first use',
    seeded: 'taken from a go.sum file',
    imported: `imported, proven by ${database}`,
    replicated: 'the origin’s own record',
    published: 'published here',
    audit: 'head of the audit trail',
  };
  return said[source];
}
