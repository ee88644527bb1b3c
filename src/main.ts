import { constants, enableCompileCache } from 'node:module';
import path from 'node:path';

/** Node releases that strip types from what we run. */
const NODE_MAJOR = 26;

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR) {
  console.error(
    `gokeep: needs Node ${NODE_MAJOR}; this is ${process.version}. Run it by \`npm start\` or \`npx gokeep\`.`,
  );
  process.exit(2);
}
// Stripping types costs each thread 20 MB and the start half a second. Node keeps the result, named by the hash of what
// it was made from, where only who may change the program itself can write; where that is nobody, nothing is kept.
const kept = path.join(import.meta.dirname, '..', 'node_modules', '.cache', 'gokeep');
const { status } = enableCompileCache(kept);
// Threads are told by the environment.
if (status === constants.compileCacheStatus.ENABLED) process.env['NODE_COMPILE_CACHE'] ??= kept;
const { runProgram } = await (process.argv[2] === 'goauth'
  ? import('./cli/goauth-program.ts')
  : import('./cli/program.ts'));
runProgram();
