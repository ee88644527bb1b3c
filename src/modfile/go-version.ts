/** Versions of Go itself, as in the `go` line of go.mod: `1.21`, `1.21rc1`, `1.21.0` (Go's internal/gover). */

import { compareDecimal } from '../module/semver.ts';

interface GoVersion {
  readonly major: string;
  readonly minor: string;
  /** Empty for a language version since 1.21, and for a pre-release. */
  readonly patch: string;
  /** `alpha`, `beta`, `rc` or empty. */
  readonly kind: string;
  readonly pre: string;
}

const malformed: GoVersion = { major: '', minor: '', patch: '', kind: '', pre: '' };

const pattern = /^(0|[1-9][0-9]*)(?:\.(0|[1-9][0-9]*)(?:\.(0|[1-9][0-9]*)|([a-z]+)(0|[1-9][0-9]*)?)?)?$/;

/**
 * -1, 0 or +1. Malformed versions come before all others and equal each other; `1.21` comes before `1.21rc1`,
 * which comes before `1.21.0`.
 */
export function compareGoVersion(a: string, b: string): -1 | 0 | 1 {
  const x = parse(a);
  const y = parse(b);
  return (
    compareDecimal(x.major, y.major) ||
    compareDecimal(x.minor, y.minor) ||
    compareDecimal(x.patch, y.patch) ||
    compareText(x.kind, y.kind) ||
    compareDecimal(x.pre, y.pre)
  );
}

/**
 * True when a go.mod with this `go` line names all modules needed to build its packages, so that its
 * requirements need not be followed further (Go 1.17 and later). Without a `go` line it is false.
 */
export function supportsGraphPruning(go: string | undefined): boolean {
  return go !== undefined && compareGoVersion(go, '1.17') >= 0;
}

function parse(version: string): GoVersion {
  const match = pattern.exec(version);
  if (match === null) return malformed;
  const [, major = '', minor, patch, kind = '', pre = ''] = match;
  if (minor === undefined) return { major, minor: '0', patch: '0', kind, pre };
  if (patch !== undefined || kind !== '') return { major, minor, patch: patch ?? '', kind, pre };
  // Before Go 1.21 the first release of 1.N was called 1.N; since then it is 1.N.0, and 1.N the language.
  return { major, minor, patch: compareDecimal(minor, '21') < 0 ? '0' : '', kind, pre };
}

function compareText(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
