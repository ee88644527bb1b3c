import { readFileSync } from 'node:fs';
import { GokeepError } from '../errors.ts';

/** The text of a configured file. Throws bad_config naming the key that named it. */
export function fileText(file: string | undefined, key: string): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new GokeepError('bad_config', `${key}: ${file} cannot be read`, { cause: error });
  }
}
