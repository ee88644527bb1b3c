/**
 * The one parser for what a client asks of a GOPROXY, from the raw path of its request to a typed value.
 *
 * The raw path is the attacker's. It is decoded exactly once, here, and nothing that later code builds (a name
 * on disk, an upstream URL) comes from anything but the value returned, escaped anew: a check and a use that
 * decode differently are how path traversal happens. Anything a go command would not send is refused.
 */

import { GokeepError } from '../errors.ts';
import { escapePath, escapeVersion, unescapePath, unescapeVersion } from './escape.ts';
import { quote } from './quote.ts';
import { checkModuleVersion, isCanonicalVersion } from './version.ts';

/** One request of the module proxy protocol. All strings are unescaped. */
export type ModuleRequest =
  | { readonly kind: 'list' | 'latest'; readonly path: string }
  /** `version` is canonical or a query: a branch, a commit, `v1`. */
  | { readonly kind: 'info'; readonly path: string; readonly version: string }
  /** `version` is canonical and fits `path`. */
  | { readonly kind: 'mod' | 'zip'; readonly path: string; readonly version: string };

/** The longest request path that is read, in characters. */
export const MAX_REQUEST_PATH = 4096;

/** The longest element: no common file system takes a longer name. */
const MAX_ELEMENT = 255;

/** The longest escaped version; leaves room for `.ziphash` and the like in a file name. */
const MAX_VERSION = 240;

/**
 * What may arrive percent-encoded: characters of paths and versions that some clients encode (the go command
 * sends `%21` for `!`). Not the slash, the percent sign, the dot, control characters or anything beyond ASCII.
 */
const mayBeEncoded = new Set('!#$&()+,=@[]^_{}~-');

/** Queries that the client resolves from the list, and never asks a proxy for. */
const clientQueries = new Set(['latest', 'upgrade', 'patch', 'none']);

/** Allowed in Go's file names, but neither in a git ref nor in a semantic version. */
const notInAnyRevision = /[ @~^[\]]|\.\./;

/**
 * Parses the raw path below a GOPROXY base: `/github.com/!burnt!sushi/toml/@v/v1.2.3.mod`, with literal or
 * percent-encoded `!`. A query string is ignored.
 *
 * @throws bad_request when it is no request of the protocol, bad_path, bad_version
 */
export function parseModuleRequest(rawPath: string): ModuleRequest {
  const decoded = decodeRequestPath(rawPath);
  const at = decoded.indexOf('/@');
  if (decoded.charCodeAt(0) !== 47 || at < 1) throw notModuleRequest(rawPath);
  const escaped = decoded.slice(1, at);
  const endpoint = decoded.slice(at + 2);
  if (endpoint === 'latest') return { kind: 'latest', path: requestedPath(escaped) };
  if (!endpoint.startsWith('v/')) throw notModuleRequest(rawPath);
  const file = endpoint.slice(2);
  if (file === 'list') return { kind: 'list', path: requestedPath(escaped) };
  if (file.includes('/')) throw notModuleRequest(rawPath);

  const dot = file.lastIndexOf('.');
  const kind = file.slice(dot + 1);
  if (dot < 1 || (kind !== 'info' && kind !== 'mod' && kind !== 'zip')) throw notModuleRequest(rawPath);
  const path = requestedPath(escaped);
  const version = requestedVersion(file.slice(0, dot));
  if (kind === 'info') {
    checkQuery(version);
  } else if (!isCanonicalVersion(path, version)) {
    checkModuleVersion(path, version);
    throw notCanonical(version);
  }
  return { kind, path, version };
}

/** The path that parseModuleRequest reads back as `request`, with a literal `!`. Throws as escapePath does. */
export function formatModuleRequest(request: ModuleRequest): string {
  const base = `/${escapePath(request.path)}`;
  if (!('version' in request)) return request.kind === 'list' ? `${base}/@v/list` : `${base}/@latest`;
  return `${base}/@v/${escapeVersion(request.version)}.${request.kind}`;
}

/** True when the request names one version for ever: a `.mod`, a `.zip`, or an `.info` that is no query. */
export function isCanonicalRequest(request: ModuleRequest): boolean {
  if (request.kind === 'list' || request.kind === 'latest') return false;
  return request.kind !== 'info' || isCanonicalVersion(request.path, request.version);
}

/**
 * Parses what follows `/lookup/` in a request to a checksum database: `<escaped path>@<escaped version>`.
 *
 * @throws bad_request, bad_path, bad_version
 */
export function parseLookup(raw: string): { path: string; version: string } {
  const decoded = decodeRequestPath(raw);
  const at = decoded.indexOf('@');
  if (at < 1) {
    throw new GokeepError('bad_request', `${quote(raw)} is not a lookup: it must read <module>@<version>.`);
  }
  const path = requestedPath(decoded.slice(0, at));
  const version = requestedVersion(decoded.slice(at + 1));
  if (!isCanonicalVersion(path, version)) {
    checkModuleVersion(path, version);
    throw notCanonical(version);
  }
  return { path, version };
}

/** What parseLookup reads back. Throws as escapePath and escapeVersion do. */
export function formatLookup(path: string, version: string): string {
  return `${escapePath(path)}@${escapeVersion(version)}`;
}

function requestedPath(escaped: string): string {
  for (let start = 0; start <= escaped.length; ) {
    const slash = escaped.indexOf('/', start);
    const end = slash < 0 ? escaped.length : slash;
    if (end - start > MAX_ELEMENT) {
      throw new GokeepError('bad_path', `An element of the module path is longer than ${MAX_ELEMENT} bytes.`);
    }
    start = end + 1;
  }
  return unescapePath(escaped);
}

function requestedVersion(escaped: string): string {
  if (escaped.length > MAX_VERSION) {
    throw new GokeepError('bad_version', `The version is longer than ${MAX_VERSION} bytes.`);
  }
  return unescapeVersion(escaped);
}

/**
 * A query may reach a version control tool of an upstream: nothing may pass that could be read as an option, a
 * path, or an expression over commits.
 */
function checkQuery(version: string): void {
  if (version.startsWith('-') || notInAnyRevision.test(version)) {
    throw new GokeepError(
      'bad_version',
      `${quote(version)} is neither a version nor a branch, tag or commit.`,
    );
  }
  if (clientQueries.has(version)) {
    throw new GokeepError('bad_version', `The query ${quote(version)} is resolved by the go command itself.`);
  }
}

/** Cuts off the query string and decodes percent-encoding, once. */
function decodeRequestPath(raw: string): string {
  const queryAt = raw.indexOf('?');
  const encoded = queryAt < 0 ? raw : raw.slice(0, queryAt);
  if (encoded.length > MAX_REQUEST_PATH) {
    throw new GokeepError('bad_path', `The request path is longer than ${MAX_REQUEST_PATH} bytes.`);
  }
  let percent = encoded.indexOf('%');
  if (percent < 0) return encoded;
  let decoded = '';
  let copied = 0;
  for (; percent >= 0; percent = encoded.indexOf('%', copied)) {
    const digits = encoded.slice(percent + 1, percent + 3);
    const character = /^[0-9A-Fa-f]{2}$/.test(digits) ? String.fromCharCode(Number.parseInt(digits, 16)) : '';
    if (!mayBeEncoded.has(character)) {
      throw new GokeepError('bad_path', `${quote(`%${digits}`)} cannot stand in a module path or version.`);
    }
    decoded += encoded.slice(copied, percent) + character;
    copied = percent + 3;
  }
  return decoded + encoded.slice(copied);
}

function notModuleRequest(rawPath: string): GokeepError {
  return new GokeepError(
    'bad_request',
    `${quote(rawPath)} is not a module request: expected /<module>/@v/list, /<module>/@v/<version>.info, .mod or .zip, or /<module>/@latest.`,
  );
}

function notCanonical(version: string): GokeepError {
  return new GokeepError(
    'bad_version',
    `Version ${quote(version)} is not in canonical form, such as v1.2.3: ask for its .info first.`,
  );
}
