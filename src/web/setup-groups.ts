/** A target as the page lists it: its name below `/setup/`, and what people call it. */
export type Choice = readonly [name: string, label: string];

/** Every target once, in groups that people look for. */
export const GROUPS: readonly (readonly [title: string, choices: readonly Choice[]])[] = [
  [
    'Shells',
    [
      ['bash', 'bash'],
      ['zsh', 'zsh'],
      ['fish', 'fish'],
      ['powershell', 'PowerShell'],
      ['cmd', 'cmd'],
    ],
  ],
  [
    'Whatever starts go',
    [
      ['go-env', 'go env -w'],
      ['etc-environment', '/etc/environment'],
    ],
  ],
  [
    'Containers',
    [
      ['dockerfile', 'Dockerfile'],
      ['compose', 'Compose'],
      ['devcontainer', 'Dev Containers'],
    ],
  ],
  [
    'CI',
    [
      ['github-actions', 'GitHub Actions'],
      ['gitlab-ci', 'GitLab CI'],
      ['jenkins', 'Jenkins'],
      ['circleci', 'CircleCI'],
    ],
  ],
  [
    'Build systems',
    [
      ['bazel', 'Bazel'],
      ['nix', 'Nix'],
    ],
  ],
  [
    'Bots',
    [
      ['renovate', 'Renovate'],
      ['dependabot', 'Dependabot'],
    ],
  ],
  [
    'Windows fleets',
    [
      ['gpo', 'Group Policy'],
      ['dsc', 'PowerShell DSC'],
      ['intune', 'Intune'],
    ],
  ],
];

/** Which target a browser's system is likely to want: only what is shown first. */
export function likelyTarget(agent = ''): string {
  if (/Windows/i.test(agent)) return 'powershell';
  return /Mac OS X|Macintosh/i.test(agent) ? 'zsh' : 'bash';
}

/** How the text of a target is run straight from the server; undefined where it is a file to be put somewhere. */
export function runLine(name: string, url: string): string | undefined {
  const address = `${url}/setup/${name}`;
  switch (name) {
    case 'bash':
    case 'zsh':
    case 'fish':
    case 'go-env':
      return `curl -fsS ${address} | sh`;
    case 'etc-environment':
      return `curl -fsS ${address} | sudo sh`;
    case 'powershell':
      return `irm ${address} | iex`;
    case 'cmd':
      return `curl -fsS -o gokeep-setup.cmd ${address} && gokeep-setup.cmd`;
    default:
      return undefined;
  }
}
