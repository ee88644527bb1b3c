import type { SetupSettings } from './settings.ts';
import { goVariables } from './variables.ts';

/** Words of these characters are the same word in every shell; a bracket or a tilde wants the quotes that all of them have. */
const BARE = /^[\w.:/+=-]+$/;

const word = (text: string): string => (BARE.test(text) ? text : `"${text}"`);

/**
 * What sets up this user's `go`, and takes it back, with nothing but `go`: the same line in sh, bash, zsh, fish, PowerShell and cmd. It is kept
 * in the file that `go env GOENV` names, so later shells have it too; where the environment holds another value, `go` itself says so.
 *
 * @param settings that `checkedSettings` has passed
 */
export function oneLine(settings: SetupSettings): { readonly set: string; readonly undo: string } {
  const variables = goVariables(settings);
  return {
    set: ['go env -w', ...variables.map(([name, value]) => word(`${name}=${value}`))].join(' '),
    undo: ['go env -u', ...variables.map(([name]) => name)].join(' '),
  };
}
