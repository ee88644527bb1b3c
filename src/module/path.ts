/**
 * Module paths and file paths (golang.org/x/mod/module: CheckPath, CheckFilePath, SplitPathVersion,
 * CheckPathMajor). Every string here may come from an attacker.
 */

import { GokeepError } from '../errors.ts';
import { isLaterLetter } from './later-letters.ts';
import { quote } from './quote.ts';
import { build, major } from './semver.ts';

/** A module path cut where its major version suffix begins: `prefix + pathMajor` is the path. */
export interface SplitPath {
  readonly prefix: string;
  /** `/v2`, `.v3`, `.v1-unstable`, or empty. */
  readonly pathMajor: string;
}

type PathKind = 'module' | 'file';

const SLASH = 47;
const DOT = 46;
const DASH = 45;
const TILDE = 126;

/** ASCII characters allowed in an element of a module path. */
const moduleCharacters = asciiSet('-._~', true);
/** ASCII characters allowed in an element of a file path; beside them every Unicode letter is. */
const fileCharacters = asciiSet('!#$%&()+,-.=@[]^_{}~ ', true);
/** Characters of the first element, which is a domain name in lower case. */
const domainCharacters = asciiSet('-.', false);

const windowsNames = new Set(['con', 'prn', 'aux', 'nul']);

/**
 * Checks that `path` is a module path.
 *
 * @throws bad_path
 */
export function checkPath(path: string): void {
  const reason = modulePathProblem(path);
  if (reason !== undefined)
    throw new GokeepError('bad_path', `${quote(path)} is not a module path: ${reason}.`);
}

/** Why `path` is not a slash-separated path of a file in a module (module.CheckFilePath), or undefined. */
export function filePathProblem(path: string): string | undefined {
  return pathProblem(path, 'file');
}

/** Why `element` cannot stand alone as a file name, or undefined. Versions must be file names. */
export function fileNameProblem(element: string): string | undefined {
  return elementProblem(element, 0, element.length, 'file');
}

/**
 * Splits off the major version suffix. Undefined when the path ends in something that looks like one and is
 * not allowed (`/v1`, `/v02`, `/v1.2`), or is a gopkg.in path without one.
 */
export function splitPathVersion(path: string): SplitPath | undefined {
  if (path.startsWith('gopkg.in/')) return splitGopkgIn(path);
  let i = path.length;
  let dot = false;
  for (; i > 0; i--) {
    const c = path.charCodeAt(i - 1);
    if (c === DOT) dot = true;
    else if (!isDigit(c)) break;
  }
  if (i <= 1 || i === path.length || path[i - 1] !== 'v' || path[i - 2] !== '/')
    return { prefix: path, pathMajor: '' };
  const pathMajor = path.slice(i - 2);
  if (dot || pathMajor[2] === '0' || pathMajor === '/v1') return undefined;
  return { prefix: path.slice(0, i - 2), pathMajor };
}

/** True when the semantic version fits the major version suffix of its module path. */
export function matchPathMajor(version: string, pathMajor: string): boolean {
  return pathMajorProblem(version, pathMajor) === undefined;
}

/**
 * Checks that `version` fits `pathMajor`, as splitPathVersion gives it.
 *
 * @throws bad_version
 */
export function checkPathMajor(version: string, pathMajor: string): void {
  const reason = pathMajorProblem(version, pathMajor);
  if (reason !== undefined)
    throw new GokeepError('bad_version', `Version ${quote(version)} is invalid here: it ${reason}.`);
}

/** Why `version` does not fit `pathMajor`, to be read after "it", or undefined. */
export function pathMajorProblem(version: string, pathMajor: string): string | undefined {
  let suffix = pathMajor;
  if (suffix.startsWith('.v') && suffix.endsWith('-unstable')) suffix = suffix.slice(0, -'-unstable'.length);
  // gopkg.in paths ending in .v1 once got pseudo-versions of v0.0.0; go.mod files still require them.
  if (suffix === '.v1' && version.startsWith('v0.0.0-')) return undefined;
  const m = major(version);
  if (suffix === '') {
    if (m === 'v0' || m === 'v1' || build(version) === '+incompatible') return undefined;
    return `should be v0 or v1, not ${m}`;
  }
  const wanted = suffix.slice(1);
  return m === wanted ? undefined : `should be ${wanted}, not ${m}`;
}

function modulePathProblem(path: string): string | undefined {
  const problem = pathProblem(path, 'module');
  if (problem !== undefined) return problem;
  const slash = path.indexOf('/');
  const end = slash < 0 ? path.length : slash;
  let dots = 0;
  for (let i = 0; i < end; i++) {
    const c = path.charCodeAt(i);
    if (c === DOT) dots++;
    if (domainCharacters[c] !== 1) return `${quote(path[i] ?? '')} cannot stand in its first element`;
  }
  if (dots === 0) return 'its first element has no dot';
  if (splitPathVersion(path) === undefined) return 'its major version suffix is malformed';
  return undefined;
}

function pathProblem(path: string, kind: PathKind): string | undefined {
  if (path === '') return 'it is empty';
  if (kind === 'module' && path.charCodeAt(0) === DASH) return 'it begins with a dash';
  let start = 0;
  for (;;) {
    const slash = path.indexOf('/', start);
    const end = slash < 0 ? path.length : slash;
    const problem = elementProblem(path, start, end, kind);
    if (problem !== undefined) return problem;
    if (slash < 0) return undefined;
    start = slash + 1;
  }
}

/** Judges `text.slice(start, end)` without making the slice: this runs for every request. */
function elementProblem(text: string, start: number, end: number, kind: PathKind): string | undefined {
  if (start === end) return 'it has an empty element';
  if (text.charCodeAt(end - 1) === DOT) return 'an element ends with a dot';
  if (kind === 'module' && text.charCodeAt(start) === DOT) return 'an element begins with a dot';
  const allowed = kind === 'module' ? moduleCharacters : fileCharacters;
  let shortEnd = -1;
  for (let i = start; i < end; i++) {
    const c = text.charCodeAt(i);
    if (c === DOT && shortEnd < 0) shortEnd = i;
    if (c < 128 && allowed[c] === 1) continue;
    const character = String.fromCodePoint(text.codePointAt(i) ?? 0);
    if (kind === 'module' || c < 128 || !isLetter(character))
      return `${quote(character)} is not allowed in it`;
    i += character.length - 1;
  }
  if (shortEnd < 0) shortEnd = end;
  if (isWindowsName(text, start, shortEnd))
    return `${quote(text.slice(start, shortEnd))} is a reserved name on Windows`;
  // Windows short names (`PROGRA~1`) could make two module paths one directory.
  if (kind === 'module' && endsInTildeAndDigits(text, start, shortEnd))
    return 'an element ends with a tilde and digits';
  return undefined;
}

function isWindowsName(text: string, start: number, end: number): boolean {
  const length = end - start;
  if (length !== 3 && length !== 4) return false;
  const last = text.charCodeAt(end - 1);
  if (length === 4 && (last < 49 || last > 57)) return false;
  const stem = text.slice(start, start + 3).toLowerCase();
  return length === 3 ? windowsNames.has(stem) : stem === 'com' || stem === 'lpt';
}

function endsInTildeAndDigits(text: string, start: number, end: number): boolean {
  let i = end;
  while (i > start && isDigit(text.charCodeAt(i - 1))) i--;
  return i < end && i > start && text.charCodeAt(i - 1) === TILDE;
}

function splitGopkgIn(path: string): SplitPath | undefined {
  let i = path.endsWith('-unstable') ? path.length - '-unstable'.length : path.length;
  const digitsEnd = i;
  while (i > 0 && isDigit(path.charCodeAt(i - 1))) i--;
  if (i <= 1 || path[i - 1] !== 'v' || path[i - 2] !== '.') return undefined;
  const pathMajor = path.slice(i - 2);
  // `.v-unstable` passes this rule in Go as well: there the length is taken of the whole suffix.
  if ((i === digitsEnd && digitsEnd === path.length) || (pathMajor[2] === '0' && pathMajor !== '.v0'))
    return undefined;
  return { prefix: path.slice(0, i - 2), pathMajor };
}

function isLetter(character: string): boolean {
  return /^\p{L}$/u.test(character) && !isLaterLetter(character.codePointAt(0) ?? 0);
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

function asciiSet(punctuation: string, upperCase: boolean): Uint8Array {
  const set = new Uint8Array(128);
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  for (const c of `${punctuation}0123456789${letters}${upperCase ? letters.toUpperCase() : ''}`)
    set[c.charCodeAt(0)] = 1;
  set[SLASH] = 0;
  return set;
}
