import { addGoauth } from './goauth.ts';
import { runCommands } from './run-commands.ts';

/** `gokeep goauth` alone: `go` runs it for every answer that is no success, so nothing else is loaded for it. */
export function runProgram(): void {
  runCommands([addGoauth]);
}
