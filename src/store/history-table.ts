import type { Database } from './database.ts';

/** How requests for modules and for checksum databases ended. */
export const OUTCOMES = ['memory', 'store', 'upstream', 'stale', 'absent', 'refused', 'failed'] as const;
export type OutcomeName = (typeof OUTCOMES)[number];
export type Outcomes = Readonly<Record<OutcomeName, number>>;

/** How much there is. */
export interface Amounts {
  /** In the log. */
  readonly records: number;
  /** Held, and bytes of their zips; undefined where that is not known yet. */
  readonly versions: number | undefined;
  readonly bytes: number | undefined;
}

/** What there was at a time, and the requests since the sample before. */
export interface HistorySample extends Amounts, Outcomes {
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** One hour or one day: what there was at its end, and the requests in it. */
export interface HistoryRow extends Amounts, Outcomes {
  /** Milliseconds since 1970, at which it begins. */
  readonly at: number;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** How many hours are kept: 90 days of them, more where the server stood still in between. */
const HOURS = 90 * 24;
/** A hundred years: what a clock that runs wild can fill. */
const DAYS = 36_600;

interface Row extends Outcomes {
  readonly at: number;
  readonly records: number;
  readonly versions: number | null;
  readonly bytes: number | null;
}

/**
 * What the server did, by the hour and by the day, in `upstream.db`. Durable when the transaction it was changed in is; what a
 * crash loses are the requests since the last sample, minutes of them. Proves nothing: it is for pictures.
 *
 * By how many rows there are, and not by their age, the oldest are dropped: a clock that was wrong once loses nothing.
 */
export class HistoryTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Adds a sample to its hour and its day. Within the caller's transaction. */
  add(sample: HistorySample): void {
    const put = this.#db.prepare(
      `INSERT INTO history (span, at, records, versions, bytes, ${OUTCOMES.join(', ')})
       VALUES (?, ?, ?, ?, ?, ${OUTCOMES.map(() => '?').join(', ')})
       ON CONFLICT DO UPDATE SET records = excluded.records,
         versions = coalesce(excluded.versions, versions), bytes = coalesce(excluded.bytes, bytes),
         ${OUTCOMES.map((name) => `${name} = ${name} + excluded.${name}`).join(', ')}`,
    );
    const drop = this.#db.prepare(
      `DELETE FROM history WHERE span = ? AND at <= (SELECT at FROM history WHERE span = ? ORDER BY at DESC LIMIT 1 OFFSET ?)`,
    );
    const { records, versions, bytes } = sample;
    for (const [ms, most] of [
      [HOUR_MS, HOURS],
      [DAY_MS, DAYS],
    ] as const) {
      const span = ms / 1000;
      const at = Math.floor(sample.at / ms) * span;
      put.run(span, at, records, versions ?? null, bytes ?? null, ...OUTCOMES.map((name) => sample[name]));
      drop.run(span, span, most);
    }
  }

  /** Hours or days that begin from `from` on and before `to` (milliseconds since 1970), in order. */
  rows(span: 'hour' | 'day', from: number, to: number): HistoryRow[] {
    const seconds = (span === 'hour' ? HOUR_MS : DAY_MS) / 1000;
    return this.#db
      .prepare<[number, number, number], Row>(
        `SELECT at, records, versions, bytes, ${OUTCOMES.join(', ')} FROM history
         WHERE span = ? AND at >= ? AND at < ? ORDER BY at`,
      )
      .all(seconds, Math.floor(from / 1000), Math.ceil(to / 1000))
      .map(({ at, versions, bytes, ...rest }) => ({
        ...rest,
        at: at * 1000,
        versions: versions ?? undefined,
        bytes: bytes ?? undefined,
      }));
  }
}
