import { growthFigure } from './charts/growth.ts';
import type { Html } from './html.ts';
import type { Site } from './site.ts';

/** Points of the curve: more are not seen on any screen. */
const MOST_POINTS = 60;

/**
 * How the log grew, out of the log itself, which knows when each record was first seen. Undefined for an empty one.
 *
 * @param size of its published head
 */
export function logGrowth(site: Site, size: number): Html | undefined {
  if (size === 0) return undefined;
  const points = site.reader
    .growth(MOST_POINTS)
    .map(({ at, records }) => ({ at: at * 1000, value: records }));
  // A record may come from a clock that runs ahead of ours.
  const end = Math.max(site.now(), points.at(-1)?.at ?? 0);
  return growthFigure({
    id: 'log',
    title: 'Log',
    what: size === 1 ? 'record' : 'records',
    unit: 'count',
    points: [...points, { at: end, value: size }],
  });
}
