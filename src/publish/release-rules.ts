/**
 * What must be true of a module's version and go.mod for clients to be able to use it: the rules by which the
 * go command itself refuses a version that it fetches from a repository (cmd/go/internal/modfetch: codeRepo's
 * convert and findDir), and that by which it refuses a requirement (modload: the go.mod must name the module
 * as it is required).
 */

import { GokeepError, hasCode } from '../errors.ts';
import { parseModFile } from '../modfile/mod-file.ts';
import { splitPathVersion } from '../module/path.ts';
import { quote } from '../module/quote.ts';
import { build, major } from '../module/semver.ts';
import { canonicalVersion, checkModuleVersion, isPseudoVersion } from '../module/version.ts';

/**
 * Checks path and version alone.
 *
 * @param o.allowPseudo whether a pseudo-version may be published
 * @throws bad_path, bad_version
 */
export function checkReleaseVersion(path: string, version: string, o: { allowPseudo: boolean }): void {
  checkModuleVersion(path, version);
  const canonical = canonicalVersion(version);
  if (canonical !== version)
    throw badVersion(path, version, `is not in canonical form: write ${canonical} instead`);
  if (!o.allowPseudo && isPseudoVersion(version))
    throw badVersion(
      path,
      version,
      'is a pseudo-version, which stands for a commit: choose a version of your own',
    );
  if (build(version) !== '+incompatible') return;
  if (pathMajorOf(path) !== '' || ['v0', 'v1'].includes(major(version)))
    throw badVersion(path, version, 'fits its module path without +incompatible: leave that off');
}

/**
 * Checks the go.mod, or that there need be none.
 *
 * @param goMod its content; undefined when there is no go.mod
 * @param o.isRoot whether the module lies in the root of its repository
 * @returns the content of the version's .mod file: the go.mod, or the one that go makes up
 * @throws bad_mod_file, bad_version
 */
export function checkGoMod(
  path: string,
  version: string,
  goMod: Buffer | undefined,
  o: { isRoot: boolean },
): Buffer {
  if (goMod === undefined) {
    if (!o.isRoot || pathMajorOf(path).startsWith('/'))
      throw badMod(path, version, 'it has no go.mod: run "go mod init" in its directory');
    return Buffer.from(`module ${path}\n`);
  }
  const declared = declaredPath(path, version, goMod);
  if (declared === undefined) throw badMod(path, version, 'its go.mod has no module line');
  if (declared !== path)
    throw badMod(
      path,
      version,
      `its go.mod says that it is module ${quote(declared)}: make the two the same`,
    );
  if (build(version) === '+incompatible')
    throw badVersion(
      path,
      version,
      `is not allowed for a module with a go.mod: name the module ${path}/${major(version)}`,
    );
  return goMod;
}

/** The version in the `go` line of a go.mod; undefined also for a file that cannot be read, as in Go. */
export function goLine(goMod: Buffer): string | undefined {
  try {
    return parseModFile(goMod).go;
  } catch (error) {
    if (hasCode(error, 'bad_mod_file')) return undefined;
    throw error;
  }
}

function declaredPath(path: string, version: string, goMod: Buffer): string | undefined {
  try {
    return parseModFile(goMod).module;
  } catch (error) {
    if (!hasCode(error, 'bad_mod_file')) throw error;
    throw badMod(path, version, `its go.mod cannot be read: ${error.message.replace(/\.$/, '')}`);
  }
}

function pathMajorOf(path: string): string {
  return splitPathVersion(path)?.pathMajor ?? '';
}

function badVersion(path: string, version: string, problem: string): GokeepError {
  return new GokeepError('bad_version', `Version ${quote(version)} of ${path} ${problem}.`);
}

function badMod(path: string, version: string, problem: string): GokeepError {
  return new GokeepError('bad_mod_file', `${path}@${version} cannot be published: ${problem}.`);
}
