import type { SetupSettings } from '../settings.ts';
import { HASH, type Target } from '../target.ts';
import { goVariables } from '../variables.ts';

function goEnvFile(settings: SetupSettings): string {
  return `# go.env at the root of the repository: Dependabot has go read it. Without it, Dependabot would append ",direct".
# Undo: remove it, and "registries" from dependabot.yml.
#
# Dependabot also sets GOPRIVATE, and in some versions GONOSUMDB, in the environment, which wins over this file. It may then not ask
# the checksum database: your CI does, which builds what Dependabot proposes (and: npx gokeep verify go.sum).
${goVariables(settings)
  .map(([name, value]) => `${name}=${value}`)
  .join('\n')}
`;
}

function dependabotFile(settings: SetupSettings): string {
  const login = settings.credentials
    ? '\n    username: token\n    password: ${{ secrets.GOKEEP_TOKEN }}'
    : '';
  return `# .github/dependabot.yml. The gokeep has to be reachable from where Dependabot runs: from a runner of your own, if it is inside.
version: 2
registries:
  gokeep:
    type: goproxy-server
    url: "${settings.url}"${login}
updates:
  - package-ecosystem: gomod
    directory: /
    registries: [gokeep]
    schedule:
      interval: weekly
`;
}

export const dependabot: Target = {
  name: 'dependabot',
  title: 'Dependabot: a registry, and go.env',
  drafts: (settings) => [
    { name: 'dependabot.yml', comment: HASH, body: dependabotFile(settings) },
    { name: 'go.env', comment: HASH, body: goEnvFile(settings) },
  ],
  undo: () => 'Remove go.env, and "registries" from dependabot.yml.',
};
