import { GokeepError } from '../errors.ts';

/** The environment of a process, as it was given. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable's value; an empty one counts as unset. */
export function variable(env: Environment, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

/** A variable that is true or false in one of the usual spellings. Throws bad_config naming `key`. */
export function parseBoolean(value: string, key: string): boolean {
  if (/^(1|t|true|yes|on)$/i.test(value)) return true;
  if (/^(0|f|false|no|off)$/i.test(value)) return false;
  throw new GokeepError('bad_config', `${key}: ${JSON.stringify(value)} is neither true nor false`);
}
