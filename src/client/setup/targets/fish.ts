import type { SetupSettings } from '../settings.ts';
import { blockScript } from '../sh-script.ts';
import type { Target } from '../target.ts';
import { CLEARED, goVariables } from '../variables.ts';

/** Global variables, which hide universal ones of the same name; `config.fish` is read after `conf.d`, and its end comes last. */
function block(settings: SetupSettings): readonly string[] {
  const set = goVariables(settings).map(([name, value]) => `set -gx ${name} '${value}'`);
  const ca = [
    'if not contains -- "$HOME/.config/gokeep/ca" (string split : -- "$SSL_CERT_DIR")',
    '  set -q SSL_CERT_DIR; or set -gx SSL_CERT_DIR /etc/ssl/certs:/etc/pki/tls/certs',
    '  set -gx SSL_CERT_DIR "$SSL_CERT_DIR:$HOME/.config/gokeep/ca"',
    'end',
  ];
  // `set -e` fails for a variable that is not there, which says nothing and stops nothing.
  return [...set, ...CLEARED.map((name) => `set -eg ${name}`), ...(settings.ca === undefined ? [] : ca)];
}

const script = (settings: SetupSettings, undo: boolean) => [
  blockScript(
    settings,
    {
      target: 'fish',
      title: 'fish (this script itself is for sh)',
      edits: '  gokeep_edit "${XDG_CONFIG_HOME:-$HOME/.config}/fish/config.fish"\n',
      block: block(settings),
      caDirectory: '$HOME/.config/gokeep/ca',
      next: 'open a new terminal, or run: source ~/.config/fish/config.fish.',
    },
    undo,
  ),
];

export const fish: Target = {
  name: 'fish',
  title: 'fish: a block at the end of ~/.config/fish/config.fish',
  drafts: (settings) => script(settings, false),
  undoDrafts: (settings) => script(settings, true),
  undo: ({ url }) => `curl -fsS ${url}/setup/fish | sh -s -- --undo`,
};
