import { GokeepError } from '../errors.ts';
import type { HighWaterMark, Mark } from '../store/high-water-mark.ts';
import type { IntegratedHead, LogReader } from '../store/log-reader.ts';

/**
 * How the high-water mark stands to the database.
 *
 * level: on the newest head. waiting: about to move onto heads that are integrated but not published, or a log that
 * has never signed. missing: signed heads and no mark. behind: older than what was published, so the mark was put back
 * from a copy. ahead: the database was. other_history: the mark stands on a head that the database never had.
 */
export type MarkState = 'level' | 'waiting' | 'missing' | 'behind' | 'ahead' | 'other_history';

export interface MarkComparison {
  readonly state: MarkState;
  readonly mark: Mark | undefined;
  readonly newest: IntegratedHead | undefined;
}

/**
 * Compares them, beside a running server too: the mark never moves before its head is integrated, and never after it
 * is published, so the order of the three reads leaves no moment at which a sound log looks damaged.
 *
 * Throws log_frozen for a file that is no mark of this log.
 */
export function compareMark(log: LogReader, file: HighWaterMark): MarkComparison {
  const published = log.publishedHead();
  const mark = file.read();
  const newest = log.newestHead();
  return { state: stateOf(log, published?.size, mark, newest), mark, newest };
}

function stateOf(
  log: LogReader,
  publishedSize: number | undefined,
  mark: Mark | undefined,
  newest: IntegratedHead | undefined,
): MarkState {
  if (mark === undefined) return publishedSize === undefined ? 'waiting' : 'missing';
  if (newest === undefined || mark.size > newest.size) return 'ahead';
  if (log.headAt(mark.size)?.root.equals(mark.root) !== true) return 'other_history';
  if (publishedSize !== undefined && mark.size < publishedSize) return 'behind';
  return mark.size === newest.size ? 'level' : 'waiting';
}

/** What is wrong, for a person; undefined where nothing is. */
export function markProblem({ state, mark, newest }: MarkComparison): string | undefined {
  const at = mark?.size ?? 0;
  const end = newest?.size ?? 0;
  switch (state) {
    case 'level':
    case 'waiting':
      return undefined;
    case 'missing':
      return 'is missing; put it back, or run `gokeep log mark --accept` if this database is the newest there is';
    case 'behind':
      return `stands at ${at} while the database was signed up to ${end}: it was put back from a copy; run \`gokeep log mark --accept\` if this database is the newest there is`;
    case 'ahead':
      return `stands at ${at} but the database ends at ${end}: the database was put back from a copy and must not be signed; put back one that reaches the mark`;
    case 'other_history':
      return `stands on a head of size ${at} that this database never had: the database has another history and must not be signed`;
  }
}

/**
 * Moves a missing or older mark onto the newest head of the database: the operator's word that no newer database exists.
 * Needs the writer lock. Gives the mark as it now is.
 *
 * Throws log_frozen where that word cannot be right: a database that is older than the mark, or has another history,
 * would fork the log when signed.
 */
export function acceptMark(log: LogReader, file: HighWaterMark): Mark {
  const comparison = compareMark(log, file);
  const { state, mark, newest } = comparison;
  if (newest === undefined || state === 'ahead' || state === 'other_history') {
    throw new GokeepError(
      'log_frozen',
      `the high-water mark ${markProblem(comparison) ?? 'cannot be set'}; it was not changed`,
    );
  }
  const to = { size: newest.size, root: newest.root };
  if (state === 'missing' || state === 'behind') file.advance(mark, to);
  return state === 'level' || state === 'waiting' ? (mark ?? to) : to;
}
