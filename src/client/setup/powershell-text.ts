import type { SetupSettings } from './settings.ts';
import { CLEARED, goVariables } from './variables.ts';

/** Nothing is expanded between single quotes, and checked settings hold none. */
export const quoted = (value: string): string => `'${value}'`;

/** `$set`, an ordered table of the variables, and `$cleared`. */
export function tables(settings: SetupSettings): string {
  return [
    '$set = [ordered]@{',
    ...goVariables(settings).map(([name, value]) => `    ${quoted(name)} = ${quoted(value)}`),
    '}',
    `$cleared = @(${CLEARED.map(quoted).join(', ')})`,
  ].join('\n');
}
