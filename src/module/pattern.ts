/**
 * The patterns of GOPRIVATE and its kin: a comma-separated list of globs, each matched against as many
 * leading elements of a module path as it has itself (golang.org/x/mod/module.MatchPrefixPatterns, with the
 * syntax of Go's path.Match).
 *
 * Targets are unescaped module paths, so ASCII; on ASCII this works on characters as Go does on bytes.
 */

import { GokeepError } from '../errors.ts';
import { quote } from './quote.ts';

const hasOperators = /[*?[\\]/;

/**
 * True when a prefix of `target` matches one of the comma-separated `globs`. Empty and malformed globs match
 * nothing, as in Go: check a list with checkPatterns when it is configured.
 */
export function matchPrefixPatterns(globs: string, target: string): boolean {
  let start = 0;
  while (start < globs.length) {
    const comma = globs.indexOf(',', start);
    const end = comma < 0 ? globs.length : comma;
    const glob = globs.slice(start, globs[end - 1] === '/' && end > start ? end - 1 : end);
    start = end + 1;
    if (glob === '') continue;
    const prefix = leadingElements(target, glob);
    if (prefix === undefined) continue;
    if (hasOperators.test(glob) ? matchGlob(glob, prefix) === true : glob === prefix) return true;
  }
  return false;
}

/**
 * Checks patterns that a person configured, one in each string.
 *
 * @throws bad_config for a malformed or empty one, and for one that holds a comma or white space
 */
export function checkPatterns(list: readonly string[]): void {
  for (const pattern of list) {
    const problem = patternProblem(pattern);
    if (problem !== undefined) {
      throw new GokeepError('bad_config', `${quote(pattern)} is not a pattern for module paths: ${problem}.`);
    }
  }
}

function patternProblem(pattern: string): string | undefined {
  if (pattern === '' || pattern === '/') return 'it is empty';
  if (pattern.includes(',')) return 'write each pattern as a string of its own instead of a list with commas';
  if (/\s/.test(pattern)) return 'it holds white space';
  if (pattern.startsWith('/') || pattern.includes('//')) return 'it has an empty element';
  // A pattern such as `*[` matches nothing whatever the name is, so any name finds the mistake.
  if (matchGlob(pattern, '') === 'malformed') return 'its brackets or backslashes do not fit';
  return undefined;
}

/** As many leading elements of `target` as `glob` has, or undefined when it has fewer. */
function leadingElements(target: string, glob: string): string | undefined {
  let slashes = 0;
  for (let i = 0; i < glob.length; i++) if (glob[i] === '/') slashes++;
  let at = -1;
  for (;;) {
    at = target.indexOf('/', at + 1);
    if (at < 0) return slashes === 0 ? target : undefined;
    if (slashes === 0) return target.slice(0, at);
    slashes--;
  }
}

type Match = boolean | 'malformed';

/** path.Match: `*` and `?` never match a slash. Takes at most |glob| × |name| steps. */
function matchGlob(glob: string, name: string): Match {
  let pattern = glob;
  let rest = name;
  while (pattern !== '') {
    const chunk = scanChunk(pattern);
    pattern = chunk.rest;
    if (chunk.star && chunk.text === '') return !rest.includes('/');
    const next = matchStarAndChunk(chunk, rest, pattern === '');
    if (next === 'malformed') return next;
    if (next === undefined) return remainderIsWellFormed(pattern) ? false : 'malformed';
    rest = next.rest;
  }
  return rest === '';
}

interface Chunk {
  readonly star: boolean;
  /** Up to the next star: literals, `?` and classes. */
  readonly text: string;
  readonly rest: string;
}

function matchStarAndChunk(
  chunk: Chunk,
  name: string,
  isLast: boolean,
): { rest: string } | 'malformed' | undefined {
  for (let skip = 0; skip <= name.length; skip++) {
    const rest = matchChunk(chunk.text, name.slice(skip));
    if (rest === 'malformed') return rest;
    // The last chunk must use up the name, or the star before it has to skip more.
    if (rest !== undefined && !(isLast && rest.left !== '')) return { rest: rest.left };
    if (!chunk.star || name[skip] === '/') return undefined;
  }
  return undefined;
}

function remainderIsWellFormed(pattern: string): boolean {
  let left = pattern;
  while (left !== '') {
    const chunk = scanChunk(left);
    if (matchChunk(chunk.text, '') === 'malformed') return false;
    left = chunk.rest;
  }
  return true;
}

function scanChunk(pattern: string): Chunk {
  let start = 0;
  while (pattern[start] === '*') start++;
  let inClass = false;
  let i = start;
  for (; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === '\\' && i + 1 < pattern.length) i++;
    else if (c === '[') inClass = true;
    else if (c === ']') inClass = false;
    else if (c === '*' && !inClass) break;
  }
  return { star: start > 0, text: pattern.slice(start, i), rest: pattern.slice(i) };
}

/**
 * Matches `chunk` at the beginning of `name` and gives what is left of it. After a mismatch the rest of the
 * chunk is still read, so that a malformed pattern is one whatever the name.
 */
function matchChunk(chunk: string, name: string): { left: string } | 'malformed' | undefined {
  let failed = false;
  let at = 0;
  let i = 0;
  while (i < chunk.length) {
    failed ||= at >= name.length;
    const c = chunk[i];
    if (c === '[') {
      const parsed = matchClass(chunk, i + 1, failed ? undefined : name.codePointAt(at));
      if (parsed === undefined) return 'malformed';
      failed ||= !parsed.matches;
      i = parsed.end;
      at++;
      continue;
    }
    if (c === '\\') {
      i++;
      if (i === chunk.length) return 'malformed';
    }
    failed ||= c === '?' ? name[at] === '/' : chunk[i] !== name[at];
    at++;
    i++;
  }
  return failed ? undefined : { left: name.slice(at) };
}

/** Reads a class whose bracket stands before `start`. Undefined when it is malformed. */
function matchClass(
  chunk: string,
  start: number,
  character: number | undefined,
): { matches: boolean; end: number } | undefined {
  const negated = chunk[start] === '^';
  let i = negated ? start + 1 : start;
  let matches = false;
  for (let ranges = 0; ; ranges++) {
    if (ranges > 0 && chunk[i] === ']') return { matches: matches !== negated, end: i + 1 };
    const low = classCharacter(chunk, i);
    if (low === undefined) return undefined;
    let high = low;
    if (chunk[low.end] === '-') {
      const bound = classCharacter(chunk, low.end + 1);
      if (bound === undefined) return undefined;
      high = bound;
    }
    i = high.end;
    if (character !== undefined && low.value <= character && character <= high.value) matches = true;
  }
}

function classCharacter(chunk: string, start: number): { value: number; end: number } | undefined {
  if (start >= chunk.length || chunk[start] === '-' || chunk[start] === ']') return undefined;
  const at = chunk[start] === '\\' ? start + 1 : start;
  const value = chunk.codePointAt(at);
  if (value === undefined) return undefined;
  const end = at + (value > 0xffff ? 2 : 1);
  // Nothing may be the last character of a chunk here but the closing bracket, which is still to come.
  return end >= chunk.length ? undefined : { value, end };
}
