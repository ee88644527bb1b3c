import type { SetupSettings } from '../settings.ts';
import { blockScript } from '../sh-script.ts';
import type { Target } from '../target.ts';
import { goVariables } from '../variables.ts';

/** pam_env's form: no export, nothing expanded, and nothing can be taken away. */
function block(settings: SetupSettings): readonly string[] {
  const set = goVariables(settings).map(([name, value]) => `${name}="${value}"`);
  return settings.ca === undefined
    ? set
    : [...set, 'SSL_CERT_DIR="/etc/ssl/certs:/etc/pki/tls/certs:/etc/gokeep/ca"'];
}

const script = (settings: SetupSettings, undo: boolean) => [
  blockScript(
    settings,
    {
      target: 'etc-environment',
      title: '/etc/environment (run it as root: | sudo sh)',
      edits: '  gokeep_edit "${1-/etc/environment}"\n',
      block: block(settings),
      caDirectory: '${GOKEEP_CA_DIRECTORY:-/etc/gokeep/ca}',
      next: 'log in anew; systemd services, cron on some systems and containers do not read it.',
    },
    undo,
  ),
];

export const etcEnvironment: Target = {
  name: 'etc-environment',
  title: '/etc/environment: every login on a Linux machine',
  drafts: (settings) => script(settings, false),
  undoDrafts: (settings) => script(settings, true),
  undo: ({ url }) => `curl -fsS ${url}/setup/etc-environment | sudo sh -s -- --undo`,
};
