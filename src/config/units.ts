import { GokeepError } from '../errors.ts';

const DURATION: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const SIZE: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

function parse(value: string, units: Readonly<Record<string, number>>, key: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?)([A-Za-z]+)$/.exec(value);
  const name = match?.[2] ?? '';
  const unit = Object.hasOwn(units, name) ? units[name] : undefined;
  if (match?.[1] === undefined || unit === undefined) {
    throw new GokeepError(
      'bad_config',
      `${key}: ${JSON.stringify(value)} needs a number and a unit (${Object.keys(units).join(', ')})`,
    );
  }
  return Math.round(Number(match[1]) * unit);
}

/** Milliseconds in a duration such as "30s". Throws bad_config naming `key`. */
export function milliseconds(value: string, key: string): number {
  return parse(value, DURATION, key);
}

/** Bytes in a size such as "64MiB". Throws bad_config naming `key`. */
export function bytes(value: string, key: string): number {
  return parse(value, SIZE, key);
}
