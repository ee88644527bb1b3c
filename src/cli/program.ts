import { Command } from 'commander';
import { addBundle } from './bundle.ts';
import { addFsck } from './fsck.ts';
import { addKey } from './key.ts';
import { addLog } from './log.ts';
import { addPublish } from './publish.ts';
import { addSeed } from './seed.ts';
import { addServe } from './serve.ts';
import { addSign } from './sign.ts';
import { addVerify } from './verify.ts';
import { addWhy } from './why.ts';
import { addYank } from './yank.ts';
import { GokeepError } from '../errors.ts';
import { VERSION } from '../version.ts';

function fail(error: unknown): never {
  const known = error instanceof GokeepError;
  console.error(`gokeep: ${known ? error.message : 'an unexpected error'}`);
  if (known && error.detail !== undefined) console.error(`  ${error.detail}`);
  if (!known) console.error(error);
  process.exit(2);
}

/** Parses argv and runs the command it names; ends the process with 2 when that cannot be done. */
export function runProgram(): void {
  const program = new Command('gokeep')
    .description('one server for GOPROXY and GOSUMDB')
    .version(VERSION)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  addServe(program);
  addBundle(program);
  addFsck(program);
  addKey(program);
  addLog(program);
  addPublish(program);
  addSeed(program);
  addSign(program);
  addVerify(program);
  addWhy(program);
  addYank(program);
  program.parseAsync().catch(fail);
}
