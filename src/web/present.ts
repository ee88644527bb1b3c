import { type Html, html } from './html.ts';

/** Numbers, sizes and times as people read them. */

const COUNT = new Intl.NumberFormat('en');

export const count = (value: number): string => COUNT.format(value);

/** "1 module", "2 modules". */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

export function bytes(size: number): string {
  let value = size;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? ''}`;
}

/** Largest unit first: milliseconds and name. */
const AGES: readonly (readonly [ms: number, name: string])[] = [
  [365.25 * 86_400_000, 'year'],
  [30.44 * 86_400_000, 'month'],
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
];

/** How long ago a time was, in words. */
export function age(time: number, now: number): string {
  const passed = now - time;
  for (const [ms, name] of AGES) if (passed >= ms) return `${counted(Math.floor(passed / ms), name)} ago`;
  return passed < -60_000 ? 'in the future' : 'just now';
}

/** A day and how long ago it was. Times come from repositories: any number may stand in them. */
export function ago(time: number, now: number): Html {
  return since(time, now, 10);
}

/** The same with the minute, in UTC. */
export function moment(time: number, now: number): Html {
  return since(time, now, 16);
}

function since(time: number, now: number, shown: 10 | 16): Html {
  const at = new Date(time);
  if (Number.isNaN(at.getTime()) || at.getUTCFullYear() < 1 || at.getUTCFullYear() > 9999)
    return html`unknown`;
  const iso = at.toISOString();
  const text = iso.replace('T', ' ').slice(0, 16);
  return html`<time datetime="${iso}" title="${text} UTC">${text.slice(0, shown)}</time>
<span class="quiet">${age(time, now)}</span>`;
}

/** A day of ours, which is one for sure. */
export function day(time: number): Html {
  const iso = new Date(time).toISOString();
  return html`<time datetime="${iso}" title="${iso.replace('T', ' ').slice(0, 16)} UTC">${iso.slice(0, 10)}</time>`;
}

/** A long hash, in a box that wraps anywhere. */
export const hash = (text: string): Html => html`<code class="hash">${text}</code>`;
