import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/**
 * True when a program that not every machine has is on PATH, or where an absolute name says, for `describe.skipIf(!needs('strace'))`. With
 * GOKEEP_TEST_ALL=1 nothing may be skipped, so a missing program throws.
 */
export function needs(program: string): boolean {
  const directories = path.isAbsolute(program) ? [''] : (process.env['PATH'] ?? '').split(path.delimiter);
  const found = directories.some((directory) => {
    try {
      accessSync(path.join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found && process.env['GOKEEP_TEST_ALL'] === '1') {
    throw new Error(`GOKEEP_TEST_ALL=1, and there is no ${program} on PATH`);
  }
  return found;
}
