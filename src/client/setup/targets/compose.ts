import type { SetupSettings } from '../settings.ts';
import { HASH, type Target } from '../target.ts';
import { goVariables } from '../variables.ts';

function compose(settings: SetupSettings): string {
  const { credentials, ca } = settings;
  const secrets = [...(credentials ? ['netrc'] : []), ...(ca === undefined ? [] : ['gokeep_ca'])];
  const list = secrets.length === 0 ? '' : `      secrets: [${secrets.join(', ')}]\n`;
  const environment = goVariables(settings).map(([name, value]) => `      ${name}: "${value}"`);
  if (credentials) environment.push('      NETRC: /run/secrets/netrc');
  if (ca !== undefined) environment.push('      SSL_CERT_DIR: /etc/ssl/certs:/run/secrets');
  const files = [
    ...(credentials ? ['  netrc:', '    file: ${HOME}/.netrc'] : []),
    ...(ca === undefined ? [] : ['  gokeep_ca:', '    file: ./gokeep-ca.pem']),
  ];
  return `# Undo: remove "environment" and "secrets" again.
services:
  # Builds the Dockerfile of: npx gokeep setup --for dockerfile
  app:
    build:
      context: .
      target: static
${list}  # Where somebody works: the settings are of this container, and no image.
  dev:
    image: golang:1.26-bookworm
    working_dir: /src
    volumes: [".:/src"]
    environment:
${environment.join('\n')}
${list.replace(/^ {6}/, '    ')}${files.length === 0 ? '' : `secrets:\n${files.join('\n')}\n`}`;
}

export const composeTarget: Target = {
  name: 'compose',
  title: 'Compose: a build with its secrets, and a container to work in',
  drafts: (settings) => [{ name: 'compose.yaml', comment: HASH, body: compose(settings) }],
  undo: () => 'Remove "environment" and "secrets" from compose.yaml.',
};
