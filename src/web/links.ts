import { GokeepError } from '../errors.ts';
import { checkPath } from '../module/path.ts';
import { MAX_REQUEST_PATH } from '../module/request-path.ts';
import { checkModuleVersion, isCanonicalVersion } from '../module/version.ts';

/** Addresses of the pages, made and read. Unlike in the GOPROXY protocol, paths stand in them as people write them. */
export const PREFIX = {
  module: '/ui/mod/',
  source: '/ui/src/',
  doc: '/ui/doc/',
  diff: '/ui/diff/',
  lookup: '/ui/lookup/',
} as const;

/** The longest name of a file that is looked for, in bytes: x/mod/zip has no longer ones. */
const LONGEST_NAME = 4096;

/** The parts of a path, each percent-encoded; slashes stay. */
function encoded(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/').replaceAll('%40', '@').replaceAll('%2B', '+');
}

export function moduleLink(path: string, version?: string, tab?: string): string {
  const at = version === undefined ? '' : `@${version}`;
  return `${PREFIX.module}${encoded(path + at)}${tab === undefined ? '' : `?tab=${tab}`}`;
}

export function sourceLink(path: string, version: string, name: string): string {
  const file = name.split('/').map(encodeURIComponent).join('/');
  return `${PREFIX.source}${encoded(`${path}@${version}`)}/${file}`;
}

/** @param directory of the package within the module; empty for its root */
export function docLink(path: string, version: string, directory: string): string {
  const within = directory === '' ? '' : `/${directory.split('/').map(encodeURIComponent).join('/')}`;
  return `${PREFIX.doc}${encoded(`${path}@${version}`)}${within}`;
}

export function diffLink(path: string, from: string, to: string, file?: string): string {
  const query = file === undefined ? '' : `?file=${encodeURIComponent(file)}`;
  return `${PREFIX.diff}${encoded(path)}/${encoded(`${from}...${to}`)}${query}`;
}

/** The address of the same page with other parameters. */
export function withQuery(
  path: string,
  query: Readonly<Record<string, string | number | undefined>>,
): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return parts.length === 0 ? path : `${path}?${parts.join('&')}`;
}

export interface NamedModule {
  readonly path: string;
  readonly version: string | undefined;
}

/**
 * Reads `<module path>` or `<module path>@<version>`. The text is the client's, and decoded once.
 *
 * @throws bad_path, bad_version
 */
export function parseModule(raw: string): NamedModule {
  const text = decoded(raw);
  const at = text.indexOf('@');
  const path = at < 0 ? text : text.slice(0, at);
  checkPath(path);
  return at < 0 ? { path, version: undefined } : { path, version: knownVersion(path, text.slice(at + 1)) };
}

/**
 * Reads `<module path>@<version>/<file>`.
 *
 * @throws bad_path, bad_version
 */
export function parseSource(raw: string): { path: string; version: string; name: string } {
  const text = decoded(raw);
  const at = text.indexOf('@');
  const slash = text.indexOf('/', at);
  if (at < 0 || slash < 0)
    throw new GokeepError('bad_path', 'There is no file without its module and version.');
  const path = text.slice(0, at);
  checkPath(path);
  const name = text.slice(slash + 1);
  if (Buffer.byteLength(name) > LONGEST_NAME)
    throw new GokeepError('bad_path', 'The name of the file is too long.');
  return { path, version: knownVersion(path, text.slice(at + 1, slash)), name };
}

/**
 * Reads `<module path>@<version>` or `<module path>@<version>/<directory>`.
 *
 * @throws bad_path, bad_version
 */
export function parseDoc(raw: string): { path: string; version: string; directory: string } {
  if (raw.indexOf('/', raw.indexOf('@')) >= 0 && raw.includes('@')) {
    const { name, ...module } = parseSource(raw);
    return { ...module, directory: name.replace(/\/$/, '') };
  }
  const { path, version } = parseModule(raw);
  if (version === undefined)
    throw new GokeepError('bad_version', 'There is no package without its version: write module@v1.2.3.');
  return { path, version, directory: '' };
}

/**
 * Reads `<module path>/<version>...<version>`.
 *
 * @throws bad_path, bad_version
 */
export function parseDiff(raw: string): { path: string; from: string; to: string } {
  const text = decoded(raw);
  const slash = text.lastIndexOf('/');
  const [from, to, more] = text.slice(slash + 1).split('...');
  const path = text.slice(0, Math.max(slash, 0));
  checkPath(path);
  if (from === undefined || to === undefined || more !== undefined)
    throw new GokeepError('bad_version', 'Two versions are compared: write them as v1.0.0...v1.1.0.');
  return { path, from: knownVersion(path, from), to: knownVersion(path, to) };
}

function knownVersion(path: string, version: string): string {
  if (isCanonicalVersion(path, version)) return version;
  checkModuleVersion(path, version);
  throw new GokeepError('bad_version', 'The version is not in canonical form, such as v1.2.3.');
}

function decoded(raw: string): string {
  if (raw.length > MAX_REQUEST_PATH) throw new GokeepError('bad_path', 'The address is too long.');
  try {
    return decodeURIComponent(raw);
  } catch (error) {
    throw new GokeepError('bad_path', 'The address is not encoded in UTF-8.', { cause: error });
  }
}
