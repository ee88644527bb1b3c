/**
 * Semantic versions as the go command understands them (golang.org/x/mod/semver): a leading `v` is required,
 * `v1` and `v1.2` are shorthands, and numbers have no leading zeros and no upper limit.
 *
 * Nothing here throws: a string that is no version gives `false` or the empty string.
 */

interface Parsed {
  readonly major: string;
  readonly minor: string;
  readonly patch: string;
  /** What is missing from a shorthand: `.0.0`, `.0` or nothing. */
  readonly short: string;
  /** With its leading `-`, or empty. */
  readonly prerelease: string;
  /** With its leading `+`, or empty. */
  readonly build: string;
}

const DOT = 46;
const PLUS = 43;
const DASH = 45;

/** True when `v` is a version, a shorthand or one with build metadata included. */
export function isValid(v: string): boolean {
  return parse(v) !== undefined;
}

/** `v` with missing numbers filled in and build metadata removed; empty when it is no version. */
export function canonical(v: string): string {
  const p = parse(v);
  if (p === undefined) return '';
  return p.build === '' ? v + p.short : v.slice(0, v.length - p.build.length);
}

/** The major version, such as `v2`; empty when `v` is no version. */
export function major(v: string): string {
  const p = parse(v);
  return p === undefined ? '' : `v${p.major}`;
}

/** The pre-release suffix with its dash, such as `-rc.1`; empty when there is none. */
export function prerelease(v: string): string {
  return parse(v)?.prerelease ?? '';
}

/** The build suffix with its plus, such as `+incompatible`; empty when there is none. */
export function build(v: string): string {
  return parse(v)?.build ?? '';
}

/**
 * -1, 0 or +1 by semantic version precedence. Build metadata does not count; what is no version comes before
 * every version and equals everything else that is none.
 */
export function compare(a: string, b: string): -1 | 0 | 1 {
  return compareParsed(parse(a), parse(b));
}

/** A sorted copy, newest first; what is of one precedence goes by its text. Each is parsed once: there are modules with thousands. */
export function newestFirst<T>(items: readonly T[], versionOf: (item: T) => string): T[] {
  return items
    .map((item) => ({ item, text: versionOf(item), parsed: parse(versionOf(item)) }))
    .sort((a, b) => compareParsed(b.parsed, a.parsed) || (a.text < b.text ? -1 : 1))
    .map(({ item }) => item);
}

function compareParsed(pa: Parsed | undefined, pb: Parsed | undefined): -1 | 0 | 1 {
  if (pa === undefined) return pb === undefined ? 0 : -1;
  if (pb === undefined) return 1;
  return (
    compareDecimal(pa.major, pb.major) ||
    compareDecimal(pa.minor, pb.minor) ||
    compareDecimal(pa.patch, pb.patch) ||
    comparePrerelease(pa.prerelease, pb.prerelease)
  );
}

/** Compares two decimal numbers of any length that have no leading zeros. */
export function compareDecimal(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  if (a.length !== b.length) return a.length < b.length ? -1 : 1;
  return a < b ? -1 : 1;
}

// One request asks five questions about one version: remember the last answer.
let lastText = '';
let lastParsed: Parsed | undefined;

function parse(v: string): Parsed | undefined {
  if (v !== lastText) {
    lastParsed = parseAnew(v);
    lastText = v;
  }
  return lastParsed;
}

function parseAnew(v: string): Parsed | undefined {
  if (v.charCodeAt(0) !== 118) return undefined;
  const majorEnd = decimalEnd(v, 1);
  if (majorEnd < 0) return undefined;
  const majorPart = v.slice(1, majorEnd);
  if (majorEnd === v.length) return shorthand(majorPart, '0', '.0.0');
  if (v.charCodeAt(majorEnd) !== DOT) return undefined;

  const minorEnd = decimalEnd(v, majorEnd + 1);
  if (minorEnd < 0) return undefined;
  const minorPart = v.slice(majorEnd + 1, minorEnd);
  if (minorEnd === v.length) return shorthand(majorPart, minorPart, '.0');
  if (v.charCodeAt(minorEnd) !== DOT) return undefined;

  const patchEnd = decimalEnd(v, minorEnd + 1);
  if (patchEnd < 0) return undefined;
  let end = patchEnd;
  if (v.charCodeAt(end) === DASH) {
    end = identifiersEnd(v, end + 1, true);
    if (end < 0) return undefined;
  }
  const prereleaseEnd = end;
  if (v.charCodeAt(end) === PLUS) {
    end = identifiersEnd(v, end + 1, false);
    if (end < 0) return undefined;
  }
  if (end !== v.length) return undefined;
  return {
    major: majorPart,
    minor: minorPart,
    patch: v.slice(minorEnd + 1, patchEnd),
    short: '',
    prerelease: v.slice(patchEnd, prereleaseEnd),
    build: v.slice(prereleaseEnd),
  };
}

function shorthand(majorPart: string, minorPart: string, short: string): Parsed {
  return { major: majorPart, minor: minorPart, patch: '0', short, prerelease: '', build: '' };
}

/** Where the number that starts at `start` ends, or -1 when there is none or it has a leading zero. */
function decimalEnd(v: string, start: number): number {
  let i = start;
  while (isDigit(v.charCodeAt(i))) i++;
  if (i === start || (v.charCodeAt(start) === 48 && i !== start + 1)) return -1;
  return i;
}

/**
 * Where the dot-separated identifiers that start at `start` end, or -1 when one is empty or, in a pre-release,
 * a number with a leading zero. A pre-release ends at `+`; anything else that is no identifier is refused.
 */
function identifiersEnd(v: string, start: number, isPrerelease: boolean): number {
  let identifier = start;
  let onlyDigits = true;
  let i = start;
  for (; i <= v.length; i++) {
    const c = v.charCodeAt(i);
    const atEnd = i === v.length || (isPrerelease && c === PLUS);
    if (atEnd || c === DOT) {
      if (i === identifier) return -1;
      if (isPrerelease && onlyDigits && i > identifier + 1 && v.charCodeAt(identifier) === 48) return -1;
      if (atEnd) return i;
      identifier = i + 1;
      onlyDigits = true;
    } else if (!isDigit(c)) {
      if (!isLetter(c) && c !== DASH) return -1;
      onlyDigits = false;
    }
  }
  return i;
}

function comparePrerelease(a: string, b: string): -1 | 0 | 1 {
  if (a === b) return 0;
  // A release comes after all of its pre-releases.
  if (a === '') return 1;
  if (b === '') return -1;
  const as = a.slice(1).split('.');
  const bs = b.slice(1).split('.');
  for (let i = 0; i < as.length && i < bs.length; i++) {
    const x = as[i] ?? '';
    const y = bs[i] ?? '';
    if (x === y) continue;
    const xIsNumber = isNumber(x);
    if (xIsNumber !== isNumber(y)) return xIsNumber ? -1 : 1;
    if (xIsNumber) return compareDecimal(x, y);
    return x < y ? -1 : 1;
  }
  return as.length < bs.length ? -1 : 1;
}

function isNumber(identifier: string): boolean {
  for (let i = 0; i < identifier.length; i++) if (!isDigit(identifier.charCodeAt(i))) return false;
  return true;
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

function isLetter(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90);
}
