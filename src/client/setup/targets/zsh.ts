import type { SetupSettings } from '../settings.ts';
import { blockScript, exportLines } from '../sh-script.ts';
import type { Target } from '../target.ts';
import { CLEARED, goVariables } from '../variables.ts';

/** Every zsh reads `.zshenv`, first; interactive ones read `.zshrc` last, so that nothing between the two wins there. */
const EDITS = `  gokeep_edit "\${ZDOTDIR:-$HOME}/.zshenv"
  gokeep_edit "\${ZDOTDIR:-$HOME}/.zshrc"
`;

const script = (settings: SetupSettings, undo: boolean) => [
  blockScript(
    settings,
    {
      target: 'zsh',
      title: 'zsh',
      edits: EDITS,
      block: exportLines(settings, goVariables(settings), CLEARED),
      caDirectory: '$HOME/.config/gokeep/ca',
      next: 'open a new terminal, or run: . ~/.zshenv.',
    },
    undo,
  ),
];

export const zsh: Target = {
  name: 'zsh',
  title: 'zsh: a block at the end of ~/.zshenv and ~/.zshrc',
  drafts: (settings) => script(settings, false),
  undoDrafts: (settings) => script(settings, true),
  undo: ({ url }) => `curl -fsS ${url}/setup/zsh | sh -s -- --undo`,
};
