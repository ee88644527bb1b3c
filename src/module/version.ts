/**
 * Versions of modules: which version fits which path, and what a pseudo-version says about the commit it
 * stands for (golang.org/x/mod/module: Check, CanonicalVersion, pseudo.go).
 */

import { GokeepError } from '../errors.ts';
import { checkPath, pathMajorProblem, splitPathVersion } from './path.ts';
import { quote } from './quote.ts';
import { build, canonical, isValid, prerelease } from './semver.ts';

const pseudoVersion =
  /^v[0-9]+\.(?:0\.0-|[0-9]+\.[0-9]+-(?:[^+]*\.)?0\.)[0-9]{14}-[A-Za-z0-9]+(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/**
 * Checks that the path is a module path, the version a semantic version, and that the two fit. A version that
 * is not in canonical form (`v1.2`) passes, as in Go: see isCanonicalVersion.
 *
 * @throws bad_path, bad_version
 */
export function checkModuleVersion(path: string, version: string): void {
  checkPath(path);
  const problem = moduleVersionProblem(path, version);
  if (problem !== undefined)
    throw new GokeepError(
      'bad_version',
      `Version ${quote(version)} is invalid for module ${path}: it ${problem}.`,
    );
}

/** True when `version` is in canonical form and fits `path`, which must be a module path. */
export function isCanonicalVersion(path: string, version: string): boolean {
  return (
    version !== '' &&
    canonicalVersion(version) === version &&
    moduleVersionProblem(path, version) === undefined
  );
}

/**
 * semver's canonical form, except that the build suffix `+incompatible` stays. What is no version gives the
 * empty string.
 */
export function canonicalVersion(version: string): string {
  return build(version) === '+incompatible' ? `${canonical(version)}+incompatible` : canonical(version);
}

/** True when `version` has the form of a pseudo-version, such as `v0.0.0-20240102030405-abcdef123456`. */
export function isPseudoVersion(version: string): boolean {
  const dash = version.indexOf('-');
  return dash >= 0 && version.includes('-', dash + 1) && isValid(version) && pseudoVersion.test(version);
}

/**
 * The commit in a pseudo-version, usually the first 12 digits of its hash.
 *
 * @throws bad_version
 */
export function pseudoVersionRev(version: string): string {
  return parsePseudoVersion(version).rev;
}

/**
 * The commit time in a pseudo-version, to the second.
 *
 * @throws bad_version, also for a time that does not exist
 */
export function pseudoVersionTime(version: string): Date {
  const { timestamp } = parsePseudoVersion(version);
  const iso = timestamp.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6.000Z');
  const time = new Date(iso);
  // Dates such as 30 February are moved on, or refused, by Date: only one that reads back is real.
  if (Number.isNaN(time.getTime()) || time.toISOString() !== iso) {
    throw new GokeepError(
      'bad_version',
      `Pseudo-version ${quote(version)} holds a time that does not exist.`,
    );
  }
  return time;
}

/**
 * The tagged version on which a pseudo-version is based, or the empty string when there is none.
 *
 * @throws bad_version when the base would be impossible
 */
export function pseudoVersionBase(version: string): string {
  const parsed = parsePseudoVersion(version);
  const pre = prerelease(parsed.base);
  if (pre === '') {
    if (parsed.build !== '') {
      throw new GokeepError(
        'bad_version',
        `Pseudo-version ${quote(version)} has no base version, and yet ends in ${quote(parsed.build)}.`,
      );
    }
    return '';
  }
  if (pre !== '-0') return parsed.base.slice(0, -'.0'.length) + parsed.build;
  const numbers = parsed.base.slice(0, -pre.length);
  const dot = numbers.lastIndexOf('.') + 1;
  const patch = numbers.slice(dot);
  if (patch === '0') {
    throw new GokeepError(
      'bad_version',
      `Pseudo-version ${quote(version)} follows a version whose patch number would be negative.`,
    );
  }
  return numbers.slice(0, dot) + String(BigInt(patch) - 1n) + parsed.build;
}

interface PseudoVersion {
  /** `vX.0.0`, `vX.Y.Z-0` or `vX.Y.Z-pre.0`. */
  readonly base: string;
  /** 14 digits. */
  readonly timestamp: string;
  readonly rev: string;
  readonly build: string;
}

function parsePseudoVersion(version: string): PseudoVersion {
  if (!isPseudoVersion(version))
    throw new GokeepError('bad_version', `${quote(version)} is not a pseudo-version.`);
  const suffix = build(version);
  const rest = version.slice(0, version.length - suffix.length);
  const revDash = rest.lastIndexOf('-');
  const withTime = rest.slice(0, revDash);
  const dash = withTime.lastIndexOf('-');
  const dot = withTime.lastIndexOf('.');
  const cut = Math.max(dash, dot);
  return {
    base: withTime.slice(0, cut),
    timestamp: withTime.slice(cut + 1),
    rev: rest.slice(revDash + 1),
    build: suffix,
  };
}

function moduleVersionProblem(path: string, version: string): string | undefined {
  if (!isValid(version)) return 'is not a semantic version';
  return pathMajorProblem(version, splitPathVersion(path)?.pathMajor ?? '');
}
