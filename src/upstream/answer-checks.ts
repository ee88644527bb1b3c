import { GokeepError } from '../errors.ts';
import { parseModFile } from '../modfile/mod-file.ts';
import type { ModuleRequest } from '../module/request-path.ts';
import { isValid } from '../module/semver.ts';
import { canonicalVersion, isCanonicalVersion, isPseudoVersion } from '../module/version.ts';

/** Byte caps for each kind of answer. */
export const MAX_BYTES = {
  info: 1024 * 1024,
  latest: 1024 * 1024,
  mod: 16 * 1024 * 1024,
  list: 16 * 1024 * 1024,
  /** x/mod/zip.MaxZipFile */
  zip: 500 * 1024 * 1024,
} as const;

/** Toolchains are modules in form only: the go command asks for their zips and never reads their go.mod. */
const TOOLCHAIN = 'golang.org/toolchain';

/** Any request but that for a zip. */
export type SmallRequest =
  | Extract<ModuleRequest, { kind: 'list' | 'latest' }>
  | Extract<ModuleRequest, { kind: 'info' }>
  | (Extract<ModuleRequest, { kind: 'mod' | 'zip' }> & { readonly kind: 'mod' });

/**
 * Checks that a 200 is an answer to the question, so that `|` can go on to the next entry when it is not. Returns
 * the bytes to keep: `.info` and `.mod` byte for byte, a list reduced to the versions it may hold.
 * Throws upstream_failed.
 */
export function checkAnswer(request: SmallRequest, body: Buffer, from: string): Buffer {
  const garbage = (why: string, cause?: unknown): GokeepError =>
    new GokeepError('upstream_failed', `${subjectOf(request)} could not be fetched from ${from}: ${why}.`, {
      cause,
      detail: JSON.stringify(body.subarray(0, 200).toString('latin1')),
    });
  // A login or error page sent with status 200; none of the four kinds can begin so.
  if (/^[\s\uFEFF]*</.test(body.subarray(0, 1024).toString('utf8'))) {
    throw garbage('it answered with a web page, perhaps a login page');
  }
  switch (request.kind) {
    case 'list':
      return checkList(request.path, body, garbage);
    case 'info':
    case 'latest':
      checkInfo(request, body, garbage);
      return body;
    default:
      if (request.path !== TOOLCHAIN) checkMod(body, garbage);
      return body;
  }
}

/** What a request is about, as a sentence begins: `Module example.com/m@v1.0.0`. */
export function subjectOf(request: ModuleRequest): string {
  return 'version' in request ? `Module ${request.path}@${request.version}` : `Module ${request.path}`;
}

type Garbage = (why: string, cause?: unknown) => GokeepError;

function checkList(path: string, body: Buffer, garbage: Garbage): Buffer {
  const versions = new Set<string>();
  let junk = false;
  let sense = false;
  for (const line of body.toString('latin1').split('\n')) {
    const word = /\S+/.exec(line)?.[0];
    if (word === undefined) continue;
    if (!isValid(word)) junk = true;
    else {
      sense = true;
      if (!isPseudoVersion(word) && isCanonicalVersion(path, word)) versions.add(word);
    }
  }
  // A module without tags is an empty list. Only words that are no versions are something else altogether.
  if (junk && !sense) throw garbage('its answer is not a list of versions');
  return Buffer.from([...versions].map((version) => `${version}\n`).join(''), 'latin1');
}

function checkInfo(
  request: { readonly path: string; readonly version?: string },
  body: Buffer,
  garbage: Garbage,
): void {
  const fields = readInfo(body, garbage);
  const { version, time } = fields;
  const asked = request.version;
  if (asked !== undefined && canonicalVersion(asked) === asked && isCanonicalVersion(request.path, asked)) {
    if (version !== asked) throw garbage('it answered with another version');
  } else if (!isCanonicalVersion(request.path, version)) {
    throw garbage('it answered with a version that is not one of this module');
  }
  if (time !== undefined && time !== null && !isTime(time))
    throw garbage('its answer holds a malformed time');
}

/**
 * The two fields that matter. encoding/json matches names without regard to case and lets the last one win, so an
 * object with two spellings of one name would mean one thing here and another to the go command: refused.
 */
function readInfo(body: Buffer, garbage: Garbage): { version: string; time: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch (cause) {
    throw garbage('its answer is not JSON', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw garbage('its answer is no object');
  const named = (name: string): unknown[] =>
    Object.entries(value)
      .filter(([key]) => key.toUpperCase() === name)
      .map(([, field]) => field as unknown);
  const [version, ...moreVersions] = named('VERSION');
  const [time, ...moreTimes] = named('TIME');
  if (typeof version !== 'string') throw garbage('its answer names no version');
  if (moreVersions.length > 0 || moreTimes.length > 0) throw garbage('its answer is ambiguous');
  return { version, time };
}

/** RFC 3339 as strictly as time.Time's UnmarshalJSON, which fails the whole `.info` on anything else. */
function isTime(time: unknown): boolean {
  if (typeof time !== 'string') return false;
  const match = /^(\d{4}-\d\d-\d\dT)(\d\d)(:[0-5]\d:[0-5]\d)(?:\.\d+)?(?:Z|[+-](\d\d):([0-5]\d))$/.exec(time);
  if (match === null) return false;
  const [, date, hour, rest, zoneHour = '00'] = match;
  if (Number(hour) > 23 || Number(zoneHour) > 23) return false;
  const text = `${date}${hour}${rest}.000Z`;
  const parsed = new Date(text);
  // Date turns 30 February into 2 March instead of refusing it.
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString() === text;
}

function checkMod(body: Buffer, garbage: Garbage): void {
  if (body.length === 0) throw garbage('its go.mod file is empty');
  let module: string | undefined;
  try {
    ({ module } = parseModFile(body, { lax: true }));
  } catch (cause) {
    throw garbage('what it sent is not a go.mod file', cause);
  }
  // The module named may be another (forks are used through replace), but the go command needs one.
  if (module === undefined) throw garbage('its go.mod file names no module');
}
