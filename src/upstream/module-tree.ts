import { type Dirent, existsSync } from 'node:fs';
import { mkdir, readdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { GokeepError } from '../errors.ts';
import { escapePath, escapeVersion, unescapePath, unescapeVersion } from '../module/escape.ts';
import { checkModuleVersion, isCanonicalVersion } from '../module/version.ts';

/** One version of a module in a directory of another program's. Its name is checked, its files are not. */
export interface TreeVersion {
  readonly path: string;
  readonly version: string;
  /** False: only its go.mod is there, which is all that most of a module graph is read for. */
  readonly hasZip: boolean;
}

/** What a directory holds. */
export interface ModuleTree {
  readonly kind: 'static' | 'athens';
  /** In the static GOPROXY layout, as `GOPROXY=file://` names it. */
  readonly root: string;
  readonly versions: readonly TreeVersion[];
  /** Names that are no module's or no version's. */
  readonly passedOver: readonly string[];
}

interface Found {
  readonly versions: TreeVersion[];
  readonly passedOver: string[];
}

/** The directories inside a module cache that hold no modules. */
const NO_MODULES: ReadonlySet<string> = new Set(['sumdb', 'vcs', 'cache']);

/**
 * Looks through the directory of another program: a GOMODCACHE, or anything else in the static GOPROXY layout (`go mod download` makes
 * it, and Artifactory and others export it), or the disk store of Athens (pkg/storage/fs: `<module>/<version>/{go.mod,source.zip,<version>.info}`, the module
 * path not escaped).
 *
 * @param scratch an empty directory; of an Athens store it becomes a static tree of links
 * @throws bad_request where it is neither
 */
export async function readModuleTree(directory: string, scratch: string): Promise<ModuleTree> {
  const cache = path.join(directory, 'cache', 'download');
  const root = existsSync(cache) ? cache : directory;
  const found: Found = { versions: [], passedOver: [] };
  await walkStatic(root, '', found);
  if (found.versions.length > 0) return { kind: 'static', root, ...found };
  const athens: Found = { versions: [], passedOver: [] };
  await walkAthens(directory, '', scratch, athens);
  if (athens.versions.length > 0) return { kind: 'athens', root: scratch, ...athens };
  throw new GokeepError(
    'bad_request',
    `${directory}: holds no modules, neither as a GOMODCACHE does nor as the disk store of Athens does`,
  );
}

async function entriesOf(directory: string): Promise<Dirent[]> {
  try {
    return (await readdir(directory, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw new GokeepError('bad_request', `${directory}: cannot be read`, { cause: error });
  }
}

async function walkStatic(root: string, below: string, found: Found): Promise<void> {
  for (const entry of await entriesOf(path.join(root, below))) {
    if (!entry.isDirectory() || (below === '' && NO_MODULES.has(entry.name))) continue;
    const inside = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.name === '@v') await readVersions(root, below, found);
    else await walkStatic(root, inside, found);
  }
}

async function readVersions(root: string, escaped: string, found: Found): Promise<void> {
  const directory = path.join(root, escaped, '@v');
  const names = new Set((await entriesOf(directory)).map(({ name }) => name));
  for (const name of names) {
    if (!name.endsWith('.mod')) continue;
    const version = name.slice(0, -'.mod'.length);
    add(found, `${escaped}/@v/${name}`, () => {
      const modulePath = unescapePath(escaped);
      const plain = unescapeVersion(version);
      return { path: modulePath, version: plain, hasZip: names.has(`${version}.zip`) };
    });
  }
}

async function walkAthens(root: string, below: string, scratch: string, found: Found): Promise<void> {
  const entries = await entriesOf(path.join(root, below));
  const names = new Set(entries.map(({ name }) => name));
  if (names.has('go.mod') && names.has('source.zip')) {
    const modulePath = path.posix.dirname(below);
    const version = path.posix.basename(below);
    if (add(found, below, () => ({ path: modulePath, version, hasZip: true })))
      await link(path.join(root, below), scratch, modulePath, version, names);
    return;
  }
  for (const entry of entries)
    if (entry.isDirectory())
      await walkAthens(root, below === '' ? entry.name : `${below}/${entry.name}`, scratch, found);
}

async function link(
  from: string,
  scratch: string,
  modulePath: string,
  version: string,
  names: ReadonlySet<string>,
): Promise<void> {
  const directory = path.join(scratch, escapePath(modulePath), '@v');
  await mkdir(directory, { recursive: true });
  const links = { mod: 'go.mod', zip: 'source.zip', info: `${version}.info` };
  for (const [kind, name] of Object.entries(links))
    if (names.has(name))
      await symlink(path.join(from, name), path.join(directory, `${escapeVersion(version)}.${kind}`));
}

/** True when it was added; what is no module version is passed over. */
function add(found: Found, name: string, read: () => TreeVersion): boolean {
  try {
    const version = read();
    checkModuleVersion(version.path, version.version);
    if (!isCanonicalVersion(version.path, version.version))
      throw new GokeepError('bad_version', 'not canonical');
    found.versions.push(version);
    return true;
  } catch (error) {
    if (!(error instanceof GokeepError)) throw error;
    found.passedOver.push(name);
    return false;
  }
}
