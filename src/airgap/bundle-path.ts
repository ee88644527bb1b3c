import { GokeepError } from '../errors.ts';
import {
  formatLookup,
  formatModuleRequest,
  parseLookup,
  parseModuleRequest,
} from '../module/request-path.ts';
import { isCanonicalVersion } from '../module/version.ts';
import { checkVulndbName } from '../vulndb/rules.ts';
import { parseTilePath, type Tile, tilePath } from '../tlog/tile.ts';

/**
 * What a file of a bundle is. Unpacked, a bundle is a GOPROXY and a proxied checksum database that no program has to
 * serve, so the paths are those of the two protocols; a module path's first element has a dot, so the others are free.
 */
export type BundlePath =
  | { readonly kind: 'manifest' | 'entries'; readonly id: string }
  | { readonly kind: 'supported' | 'head'; readonly database: string }
  | { readonly kind: 'lookup'; readonly database: string; readonly path: string; readonly version: string }
  | { readonly kind: 'tile'; readonly database: string; readonly tile: Tile }
  | { readonly kind: 'info' | 'mod' | 'zip'; readonly path: string; readonly version: string }
  | { readonly kind: 'list' | 'latest'; readonly path: string }
  /** `.info` of a branch or commit. */
  | { readonly kind: 'query'; readonly path: string; readonly version: string }
  /** A signature of the version's zip. The id is the SHA-256 of its text, in hex. */
  | { readonly kind: 'signature'; readonly path: string; readonly version: string; readonly id: string }
  | { readonly kind: 'vulndb'; readonly name: string };

const SIGNATURE = /^signatures(\/.+)\/([0-9a-f]{64})\.json$/;
const OWN = /^bundles\/([0-9a-f]{32})\/(manifest|entries)$/;

/** The path of a file in a bundle and in the directory that it unpacks to. */
export function formatBundlePath(of: BundlePath): string {
  switch (of.kind) {
    case 'manifest':
    case 'entries':
      return `bundles/${of.id}/${of.kind}`;
    case 'supported':
      return `sumdb/${of.database}/supported`;
    case 'head':
      return `sumdb/${of.database}/latest`;
    case 'lookup':
      return `sumdb/${of.database}/lookup/${formatLookup(of.path, of.version)}`;
    case 'tile':
      return `sumdb/${of.database}/${tilePath(of.tile)}`;
    case 'signature':
      return `${signaturesOf(of)}${of.id}.json`;
    case 'vulndb':
      return `vulndb/${of.name}`;
    case 'query':
      return formatModuleRequest({ kind: 'info', path: of.path, version: of.version }).slice(1);
    default:
      return formatModuleRequest(of).slice(1);
  }
}

/** How the paths of a version's signatures begin. */
function signaturesOf({ path, version }: { path: string; version: string }): string {
  return `signatures${formatModuleRequest({ kind: 'zip', path, version }).slice(0, -'.zip'.length)}/`;
}

/**
 * Reads a path, which is attacker-controlled, in its one canonical spelling. What is made of it for a file name is made
 * of the value returned, never of the text. Throws bad_bundle.
 *
 * @param databases names of the checksum databases that the manifest declares
 */
export function parseBundlePath(name: string, databases: readonly string[]): BundlePath {
  let parsed: BundlePath | undefined;
  try {
    parsed = parse(name, databases);
    if (parsed !== undefined && formatBundlePath(parsed) === name) return parsed;
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    throw notOurs(name, error);
  }
  throw notOurs(name);
}

function parse(name: string, databases: readonly string[]): BundlePath | undefined {
  const own = OWN.exec(name);
  if (own?.[1] !== undefined) return { kind: own[2] as 'manifest' | 'entries', id: own[1] };
  if (name.startsWith('signatures/')) return parseSignaturePath(name);
  if (name.startsWith('vulndb/')) {
    const below = name.slice('vulndb/'.length);
    checkVulndbName(below);
    return { kind: 'vulndb', name: below };
  }
  if (name.startsWith('sumdb/')) return parseDatabasePath(name.slice('sumdb/'.length), databases);
  const request = parseModuleRequest(`/${name}`);
  if (request.kind !== 'info') return request;
  const { path, version } = request;
  return { kind: isCanonicalVersion(path, version) ? 'info' : 'query', path, version };
}

function parseSignaturePath(name: string): BundlePath | undefined {
  const [, version, id] = SIGNATURE.exec(name) ?? [];
  if (version === undefined || id === undefined) return undefined;
  const request = parseModuleRequest(`${version}.zip`);
  if (request.kind !== 'zip') return undefined;
  return { kind: 'signature', path: request.path, version: request.version, id };
}

function parseDatabasePath(below: string, databases: readonly string[]): BundlePath | undefined {
  // A name may hold slashes: only a declared one says where it ends.
  const database = databases.find((each) => below.startsWith(`${each}/`));
  if (database === undefined) return undefined;
  const rest = below.slice(database.length + 1);
  if (rest === 'supported') return { kind: 'supported', database };
  if (rest === 'latest') return { kind: 'head', database };
  if (rest.startsWith('lookup/'))
    return { kind: 'lookup', database, ...parseLookup(rest.slice('lookup/'.length)) };
  return { kind: 'tile', database, tile: parseTilePath(rest) };
}

function notOurs(name: string, cause?: unknown): GokeepError {
  return new GokeepError(
    'bad_bundle',
    `${JSON.stringify(name.slice(0, 200))} is not the name of a file that a bundle holds`,
    { cause },
  );
}

const SECTIONS = { 'bundles/': 0, 'sumdb/': 1, 'signatures/': 3, 'vulndb/': 4 } as const;
/** Where the files of modules are, and where signatures are. */
export const MODULES = 2;
export const SIGNATURES = SECTIONS['signatures/'];

/**
 * Proofs come before what they prove, and signatures behind what they are of; the vulnerability database, which has no proof,
 * comes last.
 */
export function sectionOf(path: string): number {
  const found = Object.entries(SECTIONS).find(([start]) => path.startsWith(start));
  return found?.[1] ?? MODULES;
}

/** The order of files in a bundle: negative where a comes before b. Paths are ASCII. */
export function compareBundlePaths(a: string, b: string): number {
  return sectionOf(a) - sectionOf(b) || (a < b ? -1 : a > b ? 1 : 0);
}
