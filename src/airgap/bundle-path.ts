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
  | { readonly kind: 'vulndb'; readonly name: string };

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
    case 'vulndb':
      return `vulndb/${of.name}`;
    case 'query':
      return formatModuleRequest({ kind: 'info', path: of.path, version: of.version }).slice(1);
    default:
      return formatModuleRequest(of).slice(1);
  }
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

const SECTIONS = ['bundles/', 'sumdb/'] as const;

/** Proofs come before what they prove; the vulnerability database, which has none, comes last. */
export function sectionOf(path: string): number {
  const at = SECTIONS.findIndex((start) => path.startsWith(start));
  if (at >= 0) return at;
  return path.startsWith('vulndb/') ? 3 : 2;
}

/** The order of files in a bundle: negative where a comes before b. Paths are ASCII. */
export function compareBundlePaths(a: string, b: string): number {
  return sectionOf(a) - sectionOf(b) || (a < b ? -1 : a > b ? 1 : 0);
}
