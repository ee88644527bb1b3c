import { EMPTY_TRAIL, entryHash, type TrailEntry } from '../store/trail-entry.ts';
import type { StoredEntry } from '../store/trail-table.ts';
import type { RecordedHead } from './trail-heads.ts';

/** What was found of a whole trail. */
export interface TrailVerdict {
  /** How many entries there are. */
  readonly entries: number;
  /** Number of the last one; 0 in an empty trail. */
  readonly last: number;
  /** Number of the last one that a head recorded in the log covers; 0 where none does. */
  readonly covered: number;
  /** A sentence each. */
  readonly problems: readonly string[];
}

/** A trail that was written anew has as many problems as it has entries. */
const MOST_PROBLEMS = 100;

/**
 * Reads a trail from its first entry to its last: each is chained to the one before, and where the log has recorded a head the
 * chain has that hash there.
 *
 * @param entries untrusted, in the order of their numbers
 * @param heads from the log, which has to be proven for itself; oldest first
 */
export function verifyTrail(entries: Iterable<StoredEntry>, heads: readonly RecordedHead[]): TrailVerdict {
  const recorded = new Map(heads.map((head) => [head.n, head.hash]));
  const problems: string[] = [];
  let before = EMPTY_TRAIL;
  let count = 0;
  let covered = 0;
  const add = (problem: string) => {
    if (problems.length < MOST_PROBLEMS) problems.push(problem);
  };
  for (const { n, text, hash } of entries) {
    count++;
    const entry = parseEntry(text);
    if (entry?.n !== n) add(`entry ${n} is not an entry of that number`);
    if (n !== before.n + 1) {
      const bridged = bridgedHash(entry);
      add(
        `${missing(before.n + 1, n - 1)}${bridged === undefined ? '' : ': the trail was put back from a backup or begun anew'}`,
      );
      if (bridged !== undefined && recorded.get(n - 1)?.equals(bridged) === false)
        add(`entry ${n} goes on behind a hash that is not the one that the log recorded for entry ${n - 1}`);
      before = { n: n - 1, hash: bridged ?? before.hash };
    }
    if (!entryHash(before.hash, text).equals(hash))
      add(`entry ${n} is not what it was: its hash does not fit it and the entries before it`);
    const inLog = recorded.get(n);
    if (inLog !== undefined) {
      if (inLog.equals(hash)) covered = n;
      else add(`entry ${n} is not what it was: the log recorded another hash for it`);
    }
    before = { n, hash };
  }
  const newest = heads.at(-1);
  if (newest !== undefined && newest.n > before.n) add(missing(before.n + 1, newest.n));
  return { entries: count, last: before.n, covered, problems };
}

function missing(from: number, to: number): string {
  return from === to ? `entry ${from} is missing` : `entries ${from} to ${to} are missing`;
}

/** An entry as it is stored; undefined where it is damaged. */
export function parseEntry(text: string): TrailEntry | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as TrailEntry) : undefined;
  } catch {
    return undefined;
  }
}

/** The hash that an entry says it goes on behind. */
function bridgedHash(entry: TrailEntry | undefined): Buffer | undefined {
  const hash = entry?.kind === 'gap' ? entry.facts?.['hash'] : undefined;
  return typeof hash === 'string' ? Buffer.from(hash, 'base64') : undefined;
}
