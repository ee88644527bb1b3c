import { InvalidArgumentError } from 'commander';

const DAY_MS = 86_400_000;

/** A date as an option has it, in UTC days since 1970. */
export function dayOption(value: string): number {
  const time = Date.parse(`${value}T00:00:00Z`);
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(value) || Number.isNaN(time))
    throw new InvalidArgumentError('give a date such as 2026-11-24');
  return Math.floor(time / DAY_MS);
}
