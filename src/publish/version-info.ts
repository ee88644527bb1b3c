/**
 * The `.info` of a published version: what cmd/go reads (modfetch.RevInfo: Version, Time, Origin), and nothing else
 * that a publisher might write.
 */

import { GokeepError } from '../errors.ts';
import type { Commit } from './source-tree.ts';

/** Where a version's files were taken from. */
export interface Origin {
  /** The full hash of the commit. */
  readonly hash: string;
  /** Such as `refs/tags/v1.2.3`. */
  readonly ref: string | undefined;
  /** The module's directory in its repository; empty for the root. */
  readonly subdirectory: string;
}

/** What a publisher says of a version beside its zip. */
export interface Claim {
  /** To the second, in UTC. */
  readonly time: Date;
  readonly origin: Origin | undefined;
}

/** Far more than a commit, a tag and a directory need. */
const MAX_CLAIM = 4096;
const MAX_FIELD = 1024;

/** The claim for a commit that was published. */
export function claimOf(commit: Commit, ref: string | undefined, subdirectory: string): Claim {
  return { time: commit.time, origin: { hash: commit.hash, ref, subdirectory } };
}

/** A claim as one line of ASCII, for a header. */
export function formatClaim({ time, origin }: Claim): string {
  const said = JSON.stringify({ Time: isoTime(time), ...(origin === undefined ? {} : formatOrigin(origin)) });
  return said.replace(/[^ -~]/gu, (character) =>
    Array.from({ length: character.length }, (_, i) => {
      const code = character.charCodeAt(i).toString(16).padStart(4, '0');
      return `\\u${code}`;
    }).join(''),
  );
}

/**
 * What formatClaim wrote, or a person. Attacker-controlled.
 *
 * @throws bad_upload
 */
export function parseClaim(text: string): Claim {
  if (text.length > MAX_CLAIM) throw malformed(`it is longer than ${MAX_CLAIM} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw malformed('it is not JSON', cause);
  }
  const { Time, Origin: origin, ...others } = fields(value, 'it');
  delete others['Version'];
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw malformed('it has more than Time and Origin');
  return { time: parseTime(Time), origin: origin === undefined ? undefined : parseOrigin(origin) };
}

/** The bytes of a version's .info. */
export function formatInfo(version: string, { time, origin }: Claim): Buffer {
  const made = { Version: version, Time: isoTime(time) };
  return Buffer.from(JSON.stringify(origin === undefined ? made : { ...made, ...formatOrigin(origin) }));
}

function formatOrigin({ hash, ref, subdirectory }: Origin) {
  return {
    Origin: {
      VCS: 'git',
      ...(subdirectory === '' ? {} : { Subdir: subdirectory }),
      Hash: hash,
      ...(ref === undefined ? {} : { Ref: ref }),
    },
  };
}

function parseOrigin(value: unknown): Origin {
  const { VCS, Hash, Ref, Subdir, ...others } = fields(value, 'its Origin');
  if (Object.keys(others).length > 0) throw malformed('its Origin has more than VCS, Hash, Ref and Subdir');
  if (VCS !== 'git') throw malformed('its Origin.VCS is not "git"');
  if (typeof Hash !== 'string' || !/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(Hash))
    throw malformed('its Origin.Hash is not the full hash of a commit');
  return { hash: Hash, ref: word(Ref, 'Ref'), subdirectory: word(Subdir, 'Subdir') ?? '' };
}

function word(value: unknown, name: string): string | undefined {
  if (value === undefined) return undefined;
  // It is shown on terminals.
  if (typeof value !== 'string' || value.length > MAX_FIELD || /\p{C}/u.test(value))
    throw malformed(`its Origin.${name} is not a short line of text`);
  return value;
}

function parseTime(value: unknown): Date {
  const whole =
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(value) ? value : '';
  const time = new Date(whole);
  // Date turns 30 February into 2 March instead of refusing it.
  if (Number.isNaN(time.getTime()) || isoTime(time).slice(0, 19) !== whole.slice(0, 19))
    throw malformed('its Time is not a time in UTC such as 2026-01-02T03:04:05Z');
  return time;
}

function fields(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed(`${what} is no object`);
  return { ...value };
}

/** As encoding/json writes a time without fractions. */
function isoTime(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

function malformed(why: string, cause?: unknown): GokeepError {
  return new GokeepError('bad_upload', `What was said of the version's commit cannot be read: ${why}.`, {
    cause,
  });
}
