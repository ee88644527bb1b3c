import type { SetupSettings } from '../settings.ts';
import { SLASHES, type Target } from '../target.ts';
import { goVariables } from '../variables.ts';

/** `containerEnv` and not `remoteEnv`: what is started in the container by others than the editor has it too. */
function devcontainer(settings: SetupSettings): string {
  const netrc = '/home/vscode/.netrc';
  const value = {
    image: 'mcr.microsoft.com/devcontainers/go:1',
    containerEnv: {
      ...Object.fromEntries(goVariables(settings)),
      ...(settings.ca === undefined ? {} : { SSL_CERT_DIR: '/etc/ssl/certs:/usr/local/share/gokeep' }),
    },
    ...(settings.credentials || settings.ca !== undefined
      ? {
          mounts: [
            ...(settings.credentials
              ? [`source=\${localEnv:HOME}/.netrc,target=${netrc},type=bind,readonly`]
              : []),
            ...(settings.ca === undefined
              ? []
              : [
                  'source=${localWorkspaceFolder}/gokeep-ca.pem,target=/usr/local/share/gokeep/gokeep-ca.pem,type=bind,readonly',
                ]),
          ],
        }
      : {}),
  };
  return `// .devcontainer/devcontainer.json. Undo: remove "containerEnv" and "mounts", and rebuild the container.
${JSON.stringify(value, null, 2)}
`;
}

export const devcontainerTarget: Target = {
  name: 'devcontainer',
  title: 'Dev Containers: devcontainer.json',
  drafts: (settings) => [{ name: 'devcontainer.json', comment: SLASHES, body: devcontainer(settings) }],
  undo: () => 'Remove "containerEnv" and "mounts" from devcontainer.json, and rebuild the container.',
};
