import { area, line } from 'd3-shape';
import { type Html, html } from '../html.ts';
import { bytes, count } from '../present.ts';
import { table } from '../rows.ts';
import { across, HEIGHT, percent, short, TOP, upward } from './axes.ts';
import { figure, stretched } from './figure.ts';

export interface Point {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
}

export interface Growth {
  readonly id: string;
  readonly title: string;
  /** Of a value: "records". */
  readonly what: string;
  readonly unit: 'count' | 'bytes';
  readonly points: readonly Point[];
  /** In milliseconds: where nothing is known for longer, there is no line. Undefined: it is drawn through. */
  readonly gap?: number | undefined;
}

/** Rows of the table: whoever wants more asks the API. */
const MOST_ROWS = 12;

/** How something grew. With nothing to show, undefined. */
export function growthFigure(g: Growth): Html | undefined {
  const points = inOrder(g.points);
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const up = upward(
    points.map(({ value }) => value),
    g.unit,
  );
  const times = across(first.at, last.at);
  const x = ({ at }: Point) => times.of(at);
  const y = ({ value }: Point) => up.of(value);
  const said = (value: number) => (g.unit === 'bytes' ? bytes(value) : count(value));
  const parts = pieces(points, g.gap);
  const fill = area<Point>(x, TOP + HEIGHT, y).digits(2);
  const stroke = line<Point>(x, y).digits(2);
  const shapes = html`${stretched(parts.map((part) => html`<path class="fill" d="${fill(part) ?? ''}"/><path class="line" d="${stroke(part) ?? ''}" fill="none" vector-effect="non-scaling-stroke"/>`))}
<circle class="dot" cx="${percent(times.of(last.at))}" cy="${short(up.of(last.value))}" r="3.5"/>`;
  return figure({
    id: g.id,
    title: g.title,
    description: `From ${said(first.value)} on ${date(first.at)} to ${said(last.value)} ${g.unit === 'count' ? `${g.what} ` : ''}on ${date(last.at)}.`,
    lead: html`<strong>${said(last.value)}</strong> ${g.what} now`,
    up,
    across: times,
    shapes,
    numbers: table(
      g.title,
      ['Time (UTC)', html`<th scope="col" class="number">${g.what}</th>`],
      thinned(points).map(
        ({ at, value }) =>
          html`<tr><th scope="row">${date(at)}</th><td class="number">${said(value)}</td></tr>
`,
      ),
    ),
  });
}

/** A clock that went back, and what is no number, are left out. */
function inOrder(points: readonly Point[]): Point[] {
  const kept: Point[] = [];
  for (const point of points) {
    if (!Number.isFinite(point.at) || !Number.isFinite(point.value)) continue;
    if (point.at >= (kept.at(-1)?.at ?? Number.NEGATIVE_INFINITY)) kept.push(point);
  }
  return kept;
}

function pieces(points: readonly Point[], gap = Number.POSITIVE_INFINITY): Point[][] {
  const parts: Point[][] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (const point of points) {
    if (parts.length === 0 || point.at - before > gap) parts.push([]);
    parts.at(-1)?.push(point);
    before = point.at;
  }
  return parts;
}

/** The last always among them. */
function thinned(points: readonly Point[]): Point[] {
  const step = Math.ceil(points.length / MOST_ROWS);
  return points.filter((_, n) => (points.length - 1 - n) % step === 0).toReversed();
}

export const date = (at: number): string => new Date(at).toISOString().slice(0, 16).replace('T', ' ');
