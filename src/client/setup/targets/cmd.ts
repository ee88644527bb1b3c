import { credentialsLines } from '../credentials.ts';
import type { SetupSettings } from '../settings.ts';
import type { Draft, Target } from '../target.ts';
import { CLEARED, goVariables } from '../variables.ts';

/**
 * `set "X=…"` for this window, `setx` for all later ones: the quotes of `set` are around name and value, so none becomes part of the value.
 * Checked settings hold no `%`, `!`, `^` or `&`.
 */
function script(settings: SetupSettings, undo: boolean): Draft[] {
  const variables = goVariables(settings);
  const body = `@echo off
rem cmd: go uses the gokeep at ${settings.url}.
rem
rem   curl -fsS -o gokeep-setup.cmd ${settings.url}/setup/cmd
rem   gokeep-setup.cmd
rem   gokeep-setup.cmd undo      takes it back
${undo ? 'goto undo\n' : ''}if /i "%~1"=="undo" goto undo
${variables
  .map(([name, value]) => `set "${name}=${value}"\nsetx ${name} "${value}" >nul || goto failed`)
  .join('\n')}
${CLEARED.map((name) => `set "${name}="\nreg delete HKCU\\Environment /v ${name} /f >nul 2>&1`).join('\n')}
echo gokeep: done; programs that are already open see it after a restart. Then ask: go env GOPROXY GOSUMDB
${[
  ...(settings.ca === undefined
    ? []
    : [
        'Your authority has to be trusted by Windows: certutil -user -addstore Root FILE, or the setup for PowerShell.',
      ]),
  ...credentialsLines(settings, '%%USERPROFILE%%\\_netrc'),
]
  .map((line) => `echo gokeep: ${line.replace(/[<>]/g, '^$&')}\n`)
  .join('')}exit /b 0

:undo
rem Only what is still ours; reg finds it, and nothing else of that name is touched.
${variables
  .map(
    ([name, value]) =>
      `reg query HKCU\\Environment /v ${name} 2>nul | %SystemRoot%\\System32\\find.exe "${value}" >nul && reg delete HKCU\\Environment /v ${name} /f >nul\nset "${name}="`,
  )
  .join('\n')}
echo gokeep: undone
exit /b 0

:failed
echo gokeep: setx could not write a variable of the user 1>&2
exit /b 1
`;
  return [{ name: 'gokeep-setup.cmd', comment: { open: '@rem ', newline: '\r\n' }, body }];
}

export const cmd: Target = {
  name: 'cmd',
  title: "cmd: the user's variables on Windows, by setx",
  drafts: (settings) => script(settings, false),
  undoDrafts: (settings) => script(settings, true),
  undo: () => 'gokeep-setup.cmd undo',
};
