import { netrcMachine, type SetupSettings } from '../settings.ts';
import { HASH, SLASHES, type Target } from '../target.ts';
import { goVariables } from '../variables.ts';

/** Renovate itself reads GOPROXY for look-ups, and hands these variables of its own environment to the go that it runs. */
function environment(settings: SetupSettings): string {
  return `# For a Renovate of your own: docker run --env-file gokeep.env renovate/renovate. Undo: leave the file out.
# No quotes: in such a file they would become part of the value.
${goVariables(settings)
  .map(([name, value]) => `${name}=${value}`)
  .join('\n')}
`;
}

function config(settings: SetupSettings): string {
  return `// Beside your config.js: hostRules: require('./gokeep.hostrules.js'). For what Renovate itself looks up; the go that it runs reads
// ~/.netrc of Renovate's user: machine ${netrcMachine(settings)} login token password <token>
module.exports = [
  {
    matchHost: '${settings.url}',
    username: 'token',
    password: process.env.GOKEEP_TOKEN,
  },
];
`;
}

export const renovate: Target = {
  name: 'renovate',
  title: 'Renovate, run by yourself',
  drafts: (settings) => [
    { name: 'gokeep.env', comment: HASH, body: environment(settings) },
    ...(settings.credentials
      ? [{ name: 'gokeep.hostrules.js', comment: SLASHES, body: config(settings) }]
      : []),
  ],
  undo: () => 'Leave gokeep.env and the host rules out.',
};
