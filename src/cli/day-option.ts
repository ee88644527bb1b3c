import { InvalidArgumentError } from 'commander';
import { parseDay } from '../audit/trail-filter.ts';

/** A date as an option has it, in UTC days since 1970. */
export function dayOption(value: string): number {
  const day = parseDay(value);
  if (day === undefined) throw new InvalidArgumentError('give a date such as 2026-11-24');
  return day;
}
