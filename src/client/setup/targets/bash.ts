import type { SetupSettings } from '../settings.ts';
import { blockScript, exportLines } from '../sh-script.ts';
import type { Target } from '../target.ts';
import { CLEARED, goVariables } from '../variables.ts';

/** Interactive shells read `.bashrc`; login shells the first of three files that is there. */
const EDITS = `  gokeep_edit "$HOME/.bashrc"
  for gokeep_login in "$HOME/.bash_profile" "$HOME/.bash_login" "$HOME/.profile"; do
    if [ -e "$gokeep_login" ] || [ "$gokeep_login" = "$HOME/.profile" ]; then break; fi
  done
  gokeep_edit "$gokeep_login"
  if [ "$gokeep_undo" = yes ]; then
    gokeep_edit "$HOME/.bash_profile"
    gokeep_edit "$HOME/.bash_login"
    gokeep_edit "$HOME/.profile"
  fi
`;

const script = (settings: SetupSettings, undo: boolean) => [
  blockScript(
    settings,
    {
      target: 'bash',
      title: 'bash',
      edits: EDITS,
      block: exportLines(settings, goVariables(settings), CLEARED),
      caDirectory: '$HOME/.config/gokeep/ca',
      next: 'open a new terminal, or run: . ~/.bashrc.',
    },
    undo,
  ),
];

export const bash: Target = {
  name: 'bash',
  title: 'bash: a block at the end of ~/.bashrc and of what login shells read',
  drafts: (settings) => script(settings, false),
  undoDrafts: (settings) => script(settings, true),
  undo: ({ url }) => `curl -fsS ${url}/setup/bash | sh -s -- --undo`,
};
