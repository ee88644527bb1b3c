import { Command } from 'commander';
import { GokeepError } from '../errors.ts';
import { VERSION } from '../version.ts';

function fail(error: unknown): never {
  const known = error instanceof GokeepError;
  console.error(`gokeep: ${known ? error.message : 'an unexpected error'}`);
  if (known && error.detail !== undefined) console.error(`  ${error.detail}`);
  if (!known) console.error(error);
  process.exit(2);
}

/** Parses argv and runs the command of these that it names; ends the process with 2 when that cannot be done. */
export function runCommands(adds: readonly ((program: Command) => void)[]): void {
  const program = new Command('gokeep')
    .description('one server for GOPROXY and GOSUMDB')
    .version(VERSION)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  for (const add of adds) add(program);
  program.parseAsync().catch(fail);
}
