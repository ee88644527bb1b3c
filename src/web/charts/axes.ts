import { scaleLinear, scaleUtc } from 'd3-scale';
import { bytes } from '../present.ts';

/** Where values stand in a picture: across in percent, since it is as wide as its page, and up in pixels. */

/** Height of what is drawn, and room above it for half a label. */
export const HEIGHT = 176;
export const TOP = 10;

export interface Tick {
  readonly at: number;
  readonly label: string;
}

export interface Scale {
  readonly of: (value: number) => number;
  readonly ticks: readonly Tick[];
}

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
/** At 360 pixels no more labels have room. */
const MOST_TIMES = 4;

/** Counts from 0 on. Wants none: whatever there is, the axis has a second number. */
export function upward(values: readonly number[], unit: 'count' | 'bytes'): Scale {
  const finite = values.filter(Number.isFinite);
  const most = Math.max(...finite, 1);
  const scale = scaleLinear()
    .domain([0, most])
    .range([TOP + HEIGHT, TOP])
    .nice(3);
  const ticks = scale.ticks(3).filter((value) => Number.isInteger(value));
  const label = (value: number) => (unit === 'bytes' ? shortBytes(value) : COMPACT.format(value));
  return {
    of: (value) => scale(value),
    ticks: ticks.map((value) => ({ at: scale(value), label: label(value) })),
  };
}

function shortBytes(value: number): string {
  return value === 0 ? '0' : bytes(value).replace('.0 ', ' ');
}

/** A time, from left to right. One that takes no time is given an hour, so that there is a place in it. */
export function across(from: number, to: number): Scale {
  const end = to > from ? to : from + 3_600_000;
  const scale = scaleUtc().domain([from, end]).range([0, 100]);
  let ticks = scale.ticks(MOST_TIMES);
  while (ticks.length > MOST_TIMES) ticks = ticks.filter((_, n) => n % 2 === 0);
  return {
    of: (value) => scale(value),
    ticks: ticks.map((time) => ({ at: scale(time), label: timeLabel(time, end - from) })),
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function timeLabel(time: Date, length: number): string {
  const day = `${time.getUTCDate()} ${MONTHS[time.getUTCMonth()] ?? ''}`;
  if (length <= 3 * 86_400_000) {
    const hour = time.toISOString().slice(11, 16);
    return hour === '00:00' ? day : hour;
  }
  if (length <= 200 * 86_400_000) return day;
  // The year stands where it begins: two of them side by side would touch on a narrow screen.
  return time.getUTCMonth() === 0 ? String(time.getUTCFullYear()) : (MONTHS[time.getUTCMonth()] ?? '');
}

/** Two decimals are a tenth of a pixel at most, and keep pages small. */
export const short = (value: number): string => String(Math.round(value * 100) / 100);

export const percent = (value: number): string => `${short(value)}%`;
