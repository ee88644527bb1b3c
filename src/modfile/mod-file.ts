/**
 * What gokeep reads of a go.mod (golang.org/x/mod/modfile: ParseLax for the file of a dependency, Parse for
 * that of a person's own module).
 *
 * A file that passes may still name paths that are no module paths: check them before they are used.
 */

import { GokeepError } from '../errors.ts';
import { pathMajorProblem, splitPathVersion } from '../module/path.ts';
import { quote } from '../module/quote.ts';
import { canonicalVersion } from '../module/version.ts';
import { fields, trimSpace } from './space.ts';
import { parseString } from './string.ts';
import { type Line, readStatements } from './syntax.ts';

export interface ModFile {
  readonly module: string | undefined;
  /** The message of a `Deprecated:` comment on the module line; empty when the module is not deprecated. */
  readonly deprecated: string;
  readonly go: string | undefined;
  readonly toolchain: string | undefined;
  readonly require: readonly Requirement[];
  readonly retract: readonly Retraction[];
  /** Empty in a file read laxly: only a main module replaces and excludes. */
  readonly replace: readonly Replacement[];
  readonly exclude: readonly { readonly path: string; readonly version: string }[];
}

export interface Requirement {
  readonly path: string;
  /** In canonical form, and fitting the path's major version. */
  readonly version: string;
  /** Marked `// indirect`: needed by a dependency only. */
  readonly indirect: boolean;
}

/** Versions from `low` to `high`, both included, which are as written and need not be versions. */
export interface Retraction {
  readonly low: string;
  readonly high: string;
  readonly rationale: string;
}

export interface Replacement {
  readonly path: string;
  /** Undefined when all versions are replaced. */
  readonly version: string | undefined;
  readonly newPath: string;
  /** Undefined when `newPath` is a directory. */
  readonly newVersion: string | undefined;
}

/** The largest go.mod that the go command reads out of a module (x/mod/zip MaxGoMod), in bytes. */
export const MAX_GO_MOD = 16 * 1024 * 1024;

const goVersion = /^[1-9][0-9]*\.(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))?(?:[a-z]+[0-9]+)?$/;
const laxGoVersion = /^v?([1-9][0-9]*\.(?:0|[1-9][0-9]*))[^0-9].*$/;
const toolchainName = /^default$|^go1(?:$|\.)/;
const blockVerbs = new Set([
  'module',
  'godebug',
  'require',
  'exclude',
  'replace',
  'retract',
  'tool',
  'ignore',
]);

/**
 * Reads a go.mod, by default as that of a dependency: unknown directives, and those that matter only in a
 * main module, are passed over, and a retraction that cannot be read is not there. `lax: false` refuses what
 * Go refuses in a main module and reads `replace` and `exclude` as well.
 *
 * @throws bad_mod_file with the line's number
 */
export function parseModFile(bytes: Uint8Array, options: { lax?: boolean } = {}): ModFile {
  if (bytes.length > MAX_GO_MOD) {
    throw new GokeepError('bad_mod_file', `go.mod is larger than ${MAX_GO_MOD} bytes.`);
  }
  // Like Go, take bytes that are not UTF-8 for replacement characters, and a byte order mark for an error.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const lax = options.lax ?? true;
  const file = new Draft();
  for (const statement of readStatements('go.mod', text)) {
    const [verb = ''] = (statement.kind === 'line' ? (statement.block ?? statement) : statement).tokens;
    const block = statement.kind === 'block' ? statement : statement.block;
    if (block !== undefined && (block.tokens.length > 1 || !blockVerbs.has(verb))) {
      if (!lax) throw badLine(statement.line, `${quote(block.tokens.join(' '))} cannot begin a block`);
      continue;
    }
    if (statement.kind === 'block') continue;
    const args = statement.block === undefined ? statement.tokens.slice(1) : statement.tokens;
    try {
      addDirective(file, verb, args, statement, lax);
    } catch (error) {
      if (!(error instanceof GokeepError)) throw error;
      throw badLine(statement.line, error.message);
    }
  }
  return file;
}

class Draft implements ModFile {
  module: string | undefined;
  deprecated = '';
  go: string | undefined;
  toolchain: string | undefined;
  readonly require: Requirement[] = [];
  readonly retract: Retraction[] = [];
  readonly replace: Replacement[] = [];
  readonly exclude: { path: string; version: string }[] = [];
}

function addDirective(file: Draft, verb: string, args: readonly string[], line: Line, lax: boolean): void {
  switch (verb) {
    case 'module':
      if (file.module !== undefined) throw bad('there is a second module line');
      file.module = parseString(only(args, 'module <path>'));
      file.deprecated = deprecation(directiveComment(line));
      break;
    case 'go':
      if (file.go !== undefined) throw bad('there is a second go line');
      file.go = parseGo(only(args, 'go <version>'), lax);
      break;
    case 'require': {
      const { path, version } = parseModuleVersion(args, 'require <path> <version>');
      file.require.push({ path, version, indirect: isIndirect(line.suffix) });
      break;
    }
    case 'retract':
      addRetraction(file, args, line, lax);
      break;
    case 'ignore':
      parseString(only(args, 'ignore <path>'));
      break;
    case 'toolchain':
      addToolchain(file, args, lax);
      break;
    default:
      if (!lax) addMainModuleDirective(file, verb, args);
  }
}

function addMainModuleDirective(file: Draft, verb: string, args: readonly string[]): void {
  switch (verb) {
    case 'exclude':
      file.exclude.push(parseModuleVersion(args, 'exclude <path> <version>'));
      break;
    case 'replace':
      file.replace.push(parseReplacement(args));
      break;
    case 'tool':
      parseString(only(args, 'tool <path>'));
      break;
    case 'godebug':
      if (!/^[^"`',=]*=[^"`',]*$/.test(only(args, 'godebug <key>=<value>')))
        throw bad('expected godebug <key>=<value>');
      break;
    default:
      throw bad(`${quote(verb)} is not a directive`);
  }
}

function addToolchain(file: Draft, args: readonly string[], lax: boolean): void {
  const [name = ''] = args;
  const isGood = args.length === 1 && toolchainName.test(name);
  if (isGood && file.toolchain === undefined) {
    file.toolchain = name;
  } else if (!lax) {
    throw bad(isGood ? 'there is a second toolchain line' : 'expected toolchain go1.23.0 or default');
  }
}

function addRetraction(file: Draft, args: readonly string[], line: Line, lax: boolean): void {
  let interval: { low: string; high: string };
  try {
    interval = parseInterval(args, lax);
  } catch (error) {
    // A later Go may have intervals that this one cannot read: they retract nothing.
    if (lax && error instanceof GokeepError) return;
    throw error;
  }
  file.retract.push({ ...interval, rationale: directiveComment(line) });
}

function parseInterval(args: readonly string[], lax: boolean): { low: string; high: string } {
  const [first, low, comma, high, close] = args;
  const isInterval = first === '[';
  const length = isInterval ? 5 : 1;
  if (first === undefined || first === '(' || (args.length > length && !lax))
    throw bad('expected retract <version> or retract [<low>, <high>]');
  if (!isInterval) {
    const version = parseString(first);
    return { low: version, high: version };
  }
  if (low === undefined || comma !== ',' || high === undefined || close !== ']')
    throw bad('expected retract [<low>, <high>]');
  return { low: parseString(low), high: parseString(high) };
}

function parseGo(version: string, lax: boolean): string {
  if (goVersion.test(version)) return version;
  const match = lax ? laxGoVersion.exec(version) : null;
  if (match?.[1] === undefined) throw bad(`${quote(version)} is not a Go version such as 1.23.0`);
  return match[1];
}

/** A path and a canonical version that fits it. */
function parseModuleVersion(args: readonly string[], usage: string): { path: string; version: string } {
  const [first, second] = args;
  if (first === undefined || second === undefined || args.length !== 2) throw bad(`expected ${usage}`);
  const path = parseString(first);
  return { path, version: parseFittingVersion(path, second) };
}

function parseFittingVersion(path: string, token: string): string {
  const version = parseCanonical(token);
  const problem = pathMajorProblem(version, pathMajor(path));
  if (problem !== undefined) throw bad(`version ${quote(version)} of ${quote(path)} ${problem}`);
  return version;
}

function parseCanonical(token: string): string {
  const version = canonicalVersion(parseString(token));
  // canonicalVersion never gives a bare +incompatible: a build suffix is part of a valid version.
  if (version === '') throw bad(`${quote(token)} is not a version such as v1.2.3`);
  return version;
}

function pathMajor(path: string): string {
  const split = splitPathVersion(path);
  if (split === undefined) throw bad(`${quote(path)} is not a module path`);
  return split.pathMajor;
}

/** Reads the arguments of `replace`, in go.mod and go.work. Throws bad_mod_file without a line number. */
export function parseReplacement(args: readonly string[]): Replacement {
  const usage = 'expected replace <path> [<version>] => <path> <version>, or => <directory>';
  const arrow = args[1] === '=>' ? 1 : 2;
  const [oldToken, oldVersion] = args;
  const newToken = args[arrow + 1];
  const newVersionToken = args[arrow + 2];
  if (oldToken === undefined || newToken === undefined || args.length > arrow + 3 || args[arrow] !== '=>')
    throw bad(usage);
  const path = parseString(oldToken);
  pathMajor(path);
  const version = arrow === 2 && oldVersion !== undefined ? parseFittingVersion(path, oldVersion) : undefined;
  const newPath = parseString(newToken);
  const isDirectory = isDirectoryPath(newPath);
  if (newVersionToken === undefined) {
    if (!isDirectory) throw bad(`${quote(newPath)} needs a version, or must begin with ./ or ../`);
    if (newPath.includes('\\')) throw bad(`${quote(newPath)} looks like a Windows path`);
    return { path, version, newPath, newVersion: undefined };
  }
  const newVersion = parseCanonical(newVersionToken);
  if (isDirectory) throw bad(`the directory ${quote(newPath)} cannot have a version`);
  return { path, version, newPath, newVersion };
}

function isDirectoryPath(path: string): boolean {
  return /^\.\.?(?:$|[/\\])|^[/\\]|^[A-Za-z]:/.test(path);
}

function isIndirect(suffix: string | undefined): boolean {
  if (suffix === undefined) return false;
  const words = fields(suffix.replace(/^\/\//, ''));
  return words.length === 1 ? words[0] === 'indirect' : words[0] === 'indirect;';
}

/** The comments on a line, or those on its block when it has none, without their slashes. */
function directiveComment(line: Line): string {
  const isBare = line.block !== undefined && line.before.length === 0 && line.suffix === undefined;
  const comments = isBare ? (line.block?.before ?? []) : [...line.before, line.suffix ?? ''];
  return comments
    .filter((comment) => comment.startsWith('//'))
    .map((comment) => trimSpace(comment.slice(2)))
    .join('\n');
}

function deprecation(comment: string): string {
  return /(?:^|\n\n)Deprecated: *(.*?)(?:$|\n\n)/s.exec(comment)?.[1] ?? '';
}

function only(args: readonly string[], usage: string): string {
  const [arg] = args;
  if (arg === undefined || args.length !== 1) throw bad(`expected ${usage}`);
  return arg;
}

function bad(problem: string): GokeepError {
  return new GokeepError('bad_mod_file', problem);
}

function badLine(line: number, problem: string): GokeepError {
  return new GokeepError('bad_mod_file', `go.mod line ${line}: ${problem}.`);
}
