import { stack } from 'd3-shape';
import {
  HOUR_MS,
  type HistoryRow,
  OUTCOMES,
  type OutcomeName,
  type Outcomes,
} from '../../store/history-table.ts';
import { type Html, html } from '../html.ts';
import { count } from '../present.ts';
import { table } from '../rows.ts';
import { across, short, upward } from './axes.ts';
import { figure, stretched } from './figure.ts';
import { date } from './growth.ts';

/** A time that is looked at, in bars. */
export interface Range {
  readonly name: string;
  readonly length: number;
  readonly bar: number;
  readonly span: 'hour' | 'day';
}

const DAY = 24 * HOUR_MS;

export const RANGES: Readonly<Record<string, Range>> = {
  day: { name: 'Day', length: DAY, bar: HOUR_MS, span: 'hour' },
  week: { name: 'Week', length: 7 * DAY, bar: 4 * HOUR_MS, span: 'hour' },
  month: { name: 'Month', length: 30 * DAY, bar: DAY, span: 'day' },
  year: { name: 'Year', length: 52 * 7 * DAY, bar: 7 * DAY, span: 'day' },
};

const NAMES: Readonly<Record<OutcomeName, string>> = {
  memory: 'From memory',
  store: 'From the store',
  upstream: 'From upstream',
  stale: 'Stale',
  absent: 'Not there',
  refused: 'Refused',
  failed: 'Failed',
};

/** Of the table, so that the page stays small. */
const MOST_ROWS = 24;

interface Bar extends Outcomes {
  readonly at: number;
}

/** When the first bar begins. */
export function beginOf({ length, bar }: Range, now: number): number {
  return Math.floor(now / bar) * bar - length + bar;
}

/** How requests ended, a bar for each piece of time. Rows of another time are left out. */
export function requestsFigure(rows: readonly HistoryRow[], range: Range, now: number): Html {
  const begin = beginOf(range, now);
  const bars = barsOf(rows, range, begin);
  const end = begin + range.length;
  const times = across(begin, end);
  const up = upward(bars.map(total), 'count');
  const wide = (100 * range.bar) / range.length;
  const paths = stack<Bar, OutcomeName>()
    .keys([...OUTCOMES])(bars)
    .map((series) => {
      const rects = series.flatMap(([low, high], n) => {
        const bar = bars[n];
        if (bar === undefined || !(high > low)) return [];
        const left = short(times.of(bar.at) + wide * 0.1);
        return [
          `M${left},${short(up.of(low))}h${short(wide * 0.8)}V${short(up.of(high))}h-${short(wide * 0.8)}z`,
        ];
      });
      return html`<path class="c-${series.key}" d="${rects.join('')}"/>`;
    });
  const sums = Object.fromEntries(OUTCOMES.map((name) => [name, sum(bars, name)])) as Outcomes;
  const seen = OUTCOMES.filter((name) => sums[name] > 0);
  const shown = seen.length > 0 ? seen : OUTCOMES.slice(0, 3);
  const asked = bars.filter((bar) => total(bar) > 0).toReversed();
  const all = total(sums);
  return figure({
    id: 'requests',
    title: 'Requests of builds',
    description:
      all === 0
        ? 'No requests in this time.'
        : `${count(all)} requests: ${seen.map((name) => `${count(sums[name])} ${NAMES[name].toLowerCase()}`).join(', ')}.`,
    lead: all === 0 ? 'None in this time.' : rate(sums),
    up,
    across: times,
    legend: shown.map((name) => ({ colour: `c-${name}`, name: NAMES[name] })),
    shapes: stretched(paths),
    numbers: html`${table(
      'Requests of builds',
      ['From (UTC)', ...shown.map((name) => html`<th scope="col" class="number">${NAMES[name]}</th>`)],
      asked.slice(0, MOST_ROWS).map(
        (bar) =>
          html`<tr><th scope="row">${date(bar.at)}</th>${shown.map((name) => html`<td class="number">${count(bar[name])}</td>`)}</tr>
`,
      ),
    )}${asked.length > MOST_ROWS && html`<p class="quiet graph-more">The newest ${MOST_ROWS} of ${count(asked.length)}; <code>/api/v1/history</code> has all.</p>`}`,
  });
}

/** The part of what was answered for which nobody else had to be asked. */
function rate({ memory, store, upstream, stale }: Outcomes): Html {
  const answered = memory + store + upstream + stale;
  if (answered === 0) return html`None was answered.`;
  const part = (100 * (memory + store)) / answered;
  const said = part > 99 && part < 100 ? part.toFixed(2) : part.toFixed(1);
  return html`<strong>${said}%</strong> of what was answered came from here`;
}

function barsOf(rows: readonly HistoryRow[], { bar, length }: Range, begin: number): Bar[] {
  const bars = Array.from({ length: Math.round(length / bar) }, (_, n) => {
    const none = Object.fromEntries(OUTCOMES.map((name) => [name, 0])) as Record<OutcomeName, number>;
    return { ...none, at: begin + n * bar };
  });
  for (const row of rows) {
    const into = bars[Math.floor((row.at - begin) / bar)];
    if (into === undefined) continue;
    for (const name of OUTCOMES) if (Number.isFinite(row[name])) into[name] += Math.max(row[name], 0);
  }
  return bars;
}

const total = (of: Outcomes): number => OUTCOMES.reduce((all, name) => all + of[name], 0);
const sum = (bars: readonly Bar[], name: OutcomeName): number =>
  bars.reduce((all, bar) => all + bar[name], 0);
