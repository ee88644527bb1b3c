import type { GitCredentials } from './git-host.ts';

/**
 * ssh_config(5) for git's ssh: no question, no agent, no key, host key or setting but those named here. Given with -F,
 * since ssh would otherwise read the files of the user that we run as, whatever HOME says.
 */
export function sshConfig({ hosts, sshIdentityFile, sshKnownHostsFile }: GitCredentials): string {
  const own = hosts.flatMap((entry) => {
    const { host, url, sshKey, sshKnownHosts } = entry;
    if (sshKey === undefined && sshKnownHosts === undefined) return [];
    const name = url?.startsWith('ssh://') === true ? new URL(url).hostname : host.replace(/:\d+$/, '');
    return [{ name, key: sshKey ?? sshIdentityFile, knownHosts: sshKnownHosts ?? sshKnownHostsFile }];
  });
  const others = ['*', ...own.map(({ name }) => `!${name}`)].join(' ');
  return [
    ...own,
    // ssh would try the keys of all blocks that fit.
    { name: others, key: sshIdentityFile, knownHosts: sshKnownHostsFile },
  ]
    .flatMap(({ name, key, knownHosts }) => [
      `Host ${name}`,
      `  IdentityFile ${key === undefined ? 'none' : quoted(key)}`,
      ...(knownHosts === undefined
        ? []
        : [`  UserKnownHostsFile ${quoted(knownHosts)}`, '  GlobalKnownHostsFile /dev/null']),
    ])
    .concat('Host *', ...ALWAYS.map((line) => `  ${line}`), '')
    .join('\n');
}

const ALWAYS = [
  'BatchMode yes',
  'StrictHostKeyChecking yes',
  'IdentitiesOnly yes',
  'IdentityAgent none',
  'PasswordAuthentication no',
  'KbdInteractiveAuthentication no',
  'ForwardAgent no',
  'ForwardX11 no',
  'ClearAllForwardings yes',
  'PermitLocalCommand no',
  'UpdateHostKeys no',
  // A shared connection is a process that stays behind.
  'ControlMaster no',
  'ControlPath none',
  'ConnectTimeout 30',
  'ServerAliveInterval 15',
];

/** A file name as ssh reads it: `%` begins a token. The configuration refuses what no quoting helps against. */
function quoted(file: string): string {
  return `"${file.replaceAll('%', '%%')}"`;
}
