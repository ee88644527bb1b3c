import { credentialsLines } from '../credentials.ts';
import type { SetupSettings } from '../settings.ts';
import { type Draft, HASH, type Target } from '../target.ts';
import { CLEARED, goVariables } from '../variables.ts';

/** The file that `go env GOENV` names: read by every go of this user, in every shell and IDE, and weaker than the environment. */
function script(settings: SetupSettings, undo: boolean): Draft[] {
  const { url } = settings;
  const variables = goVariables(settings);
  const names = variables.map(([name]) => name);
  const checked = [...names, ...CLEARED];
  const body = `# go env -w: go uses the gokeep at ${url}, in every shell and IDE of this user.
#
#   curl -fsS ${url}/setup/go-env | sh
#   curl -fsS ${url}/setup/go-env | sh -s -- --undo    takes it back
#
# On Windows the same commands work, in PowerShell and in cmd:
#   go env -w ${variables.map(([name, value]) => `${name}=${value}`).join(' ')}
#   go env -u ${CLEARED.join(' ')}
gokeep_setup() {
  set -eu
  gokeep_undo=${undo ? 'yes' : 'no'}
  if [ "\${1-}" = --undo ]; then gokeep_undo=yes; fi
  if [ "\${GOENV-}" = off ]; then
    echo "gokeep: GOENV is off here, so go reads no such file: use the setup for your shell." >&2
    return 1
  fi
  if [ "$gokeep_undo" = yes ]; then
    # Only what is still ours.
    for gokeep_pair in ${variables.map(([name, value]) => `'${name}=${value}'`).join(' ')}; do
      if grep -qxF "$gokeep_pair" "$(go env GOENV)" 2>/dev/null; then go env -u "\${gokeep_pair%%=*}"; fi
    done
    echo "gokeep: undone"
    return 0
  fi
  # The environment wins, and go env -w cannot take a variable out of it.
  for gokeep_name in ${checked.join(' ')}; do
    eval "gokeep_value=\\\${$gokeep_name-}"
    if [ -n "$gokeep_value" ]; then
      echo "gokeep: note: $gokeep_name is set in the environment, which wins: remove it from your profile."
    fi
  done
  go env -w ${variables.map(([name, value]) => `'${name}=${value}'`).join(' ')} 2>/dev/null
  go env -u ${CLEARED.join(' ')}
  echo "gokeep: wrote $(go env GOENV)"
${settings.ca === undefined ? '' : `  echo 'gokeep: your authority is no variable of go: have the system trust it, or use the setup for your shell.'\n`}${credentialsLines(
  settings,
)
  .map((line) => `  echo 'gokeep: ${line}'\n`)
  .join('')}}
gokeep_setup "$@"
`;
  return [{ name: 'go-env.sh', comment: HASH, body }];
}

export const goEnv: Target = {
  name: 'go-env',
  title: 'go env -w: whatever starts go for this user, IDEs too',
  drafts: (settings) => script(settings, false),
  undoDrafts: (settings) => script(settings, true),
  undo: ({ url }) => `curl -fsS ${url}/setup/go-env | sh -s -- --undo`,
};
