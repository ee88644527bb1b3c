import { Command } from 'commander';
import { addFsck } from './cli/fsck.ts';
import { addKey } from './cli/key.ts';
import { addLog } from './cli/log.ts';
import { addSeed } from './cli/seed.ts';
import { addServe } from './cli/serve.ts';
import { addWhy } from './cli/why.ts';
import { GokeepError } from './errors.ts';
import { VERSION } from './version.ts';

/** Node releases that strip types from what we run. */
const NODE_MAJOR = 26;

function fail(error: unknown): never {
  const known = error instanceof GokeepError;
  console.error(`gokeep: ${known ? error.message : 'an unexpected error'}`);
  if (known && error.detail !== undefined) console.error(`  ${error.detail}`);
  if (!known) console.error(error);
  process.exit(2);
}

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR) {
  console.error(
    `gokeep: needs Node ${NODE_MAJOR}; this is ${process.version}. Run it by \`npm start\` or \`npx gokeep\`.`,
  );
  process.exit(2);
}
const program = new Command('gokeep')
  .description('one server for GOPROXY and GOSUMDB')
  .version(VERSION)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
addServe(program);
addFsck(program);
addKey(program);
addLog(program);
addSeed(program);
addWhy(program);
program.parseAsync().catch(fail);
