/**
 * The escaped form of module paths and versions, in which they appear in URLs and on disk: every upper-case
 * letter becomes `!` and its lower-case form, so that two modules never meet in a file system that ignores
 * case (golang.org/x/mod/module, "Escaped Paths").
 */

import { GokeepError } from '../errors.ts';
import { checkPath, fileNameProblem } from './path.ts';
import { quote } from './quote.ts';

/**
 * The escaped form of a module path.
 *
 * @throws bad_path when it is no module path
 */
export function escapePath(path: string): string {
  checkPath(path);
  return escapeUpperCase(path);
}

/**
 * The module path that `escaped` stands for.
 *
 * @throws bad_path when `escaped` is malformed or stands for something that is no module path
 */
export function unescapePath(escaped: string): string {
  const path = unescapeUpperCase(escaped);
  if (path === undefined)
    throw new GokeepError('bad_path', `${quote(escaped)} is not an escaped module path.`);
  checkPath(path);
  return path;
}

/**
 * The escaped form of a version. Any file name in ASCII without `!` will do: queries such as a branch name
 * pass, not only semantic versions.
 *
 * @throws bad_version
 */
export function escapeVersion(version: string): string {
  const problem = version.includes('!') ? `${quote('!')} is not allowed in it` : versionProblem(version);
  if (problem !== undefined) throw badVersion(version, problem);
  return escapeUpperCase(version);
}

/**
 * The version that `escaped` stands for.
 *
 * @throws bad_version
 */
export function unescapeVersion(escaped: string): string {
  const version = unescapeUpperCase(escaped);
  if (version === undefined)
    throw new GokeepError('bad_version', `${quote(escaped)} is not an escaped version.`);
  const problem = versionProblem(version);
  if (problem !== undefined) throw badVersion(version, problem);
  return version;
}

function badVersion(version: string, problem: string): GokeepError {
  return new GokeepError('bad_version', `${quote(version)} cannot be a version: ${problem}.`);
}

function versionProblem(version: string): string | undefined {
  for (let i = 0; i < version.length; i++) if (version.charCodeAt(i) > 127) return 'it is not ASCII';
  return fileNameProblem(version);
}

function escapeUpperCase(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (isUpper(text.charCodeAt(i))) return text.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
  }
  return text;
}

/** Undefined when a `!` has no lower-case letter after it, or a letter is in upper case or not ASCII. */
function unescapeUpperCase(escaped: string): string | undefined {
  let text = '';
  let copied = 0;
  for (let i = 0; i < escaped.length; i++) {
    const c = escaped.charCodeAt(i);
    if (c > 127 || isUpper(c)) return undefined;
    if (c !== 33) continue;
    const next = escaped.charCodeAt(i + 1);
    if (!(next >= 97 && next <= 122)) return undefined;
    text += escaped.slice(copied, i) + String.fromCharCode(next - 32);
    i++;
    copied = i + 1;
  }
  return copied === 0 ? escaped : text + escaped.slice(copied);
}

function isUpper(c: number): boolean {
  return c >= 65 && c <= 90;
}
