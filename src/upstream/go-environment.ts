import { join } from 'node:path';

import type { GitCredentials } from './git-host.ts';
import { goAuth, loginConfig, shellQuote } from './git-logins.ts';

/** What the commands of `direct` are told. Paths of files are absolute. */
export interface GoSurroundings {
  /** Everything that go and git write lies below this directory, which is ours alone. */
  readonly directory: string;
  /** PATH for go, git and ssh. Nothing else of our environment is passed on. */
  readonly path: string;
  /** Git transports. Default `https` and `ssh`; `http`, `git` and `file` prove nothing about who answers. */
  readonly protocols?: readonly string[] | undefined;
  /** Default: none, for paths that anybody may name. */
  readonly credentials?: GitCredentials | undefined;
  /** GOINSECURE patterns. */
  readonly insecure?: string | undefined;
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
  /** PEM file, trusted beside the default roots. */
  readonly caFile?: string | undefined;
}

/** Where things lie below `directory`. */
export const LAYOUT = {
  home: 'home',
  work: 'work',
  gitLogin: join('bin', 'git-login'),
  goLogin: join('bin', 'go-login'),
  sshConfig: 'ssh_config',
  ca: 'ca.pem',
} as const;

/** Git settings that no configuration file can override. */
const GIT_CONFIG: readonly (readonly [key: string, value: string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  // Both would start processes that outlive the command.
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['submodule.recurse', 'false'],
  // Everything fetched comes as one file, which has a limit.
  ['fetch.unpackLimit', '1'],
  // A repository chooses by .gitattributes which of the filters that are set up here run over its files, and Go's hash is
  // of the files as they were committed.
  ['filter.lfs.smudge', ''],
  ['filter.lfs.process', ''],
  ['filter.lfs.required', 'false'],
];

/** The whole environment of a go or git command that works for a module path. */
export function goEnvironment(s: GoSurroundings, modulePath: string): Record<string, string> {
  const { hosts, gitConfigFile, netrcFile } = s.credentials ?? { hosts: [] };
  const below = (name: string): string => join(s.directory, name);
  const env: Record<string, string> = {
    PATH: s.path,
    HOME: below(LAYOUT.home),
    TMPDIR: below('tmp'),
    LC_ALL: 'C',
    GOENV: 'off',
    GOFLAGS: '-modcacherw',
    GO111MODULE: 'on',
    GOWORK: 'off',
    GOPATH: below('gopath'),
    GOMODCACHE: below('mod'),
    GOCACHE: below('build'),
    GOPROXY: 'direct',
    GOPRIVATE: '',
    // Admission compares hashes with the databases' records; go could do so only for public modules.
    GOSUMDB: 'off',
    GOTOOLCHAIN: 'local',
    GOVCS: '*:git',
    GOINSECURE: s.insecure ?? '',
    // Relative to the working directory, since go splits this at spaces and semicolons.
    GOAUTH: goAuth(modulePath, hosts, join('..', LAYOUT.goLogin), gitConfigFile),
    NETRC: netrcFile ?? '/dev/null',
    GIT_ALLOW_PROTOCOL: (s.protocols ?? ['https', 'ssh']).join(':'),
    GIT_TERMINAL_PROMPT: '0',
    GCM_INTERACTIVE: 'never',
    GIT_ASKPASS: '/bin/false',
    SSH_ASKPASS: '/bin/false',
    SSH_ASKPASS_REQUIRE: 'never',
    // git hands this to a shell.
    GIT_SSH_COMMAND: `ssh -F ${shellQuote(below(LAYOUT.sshConfig))}`,
    GIT_SSH_VARIANT: 'ssh',
    // Our directory may lie inside a repository, whose configuration is none of ours.
    GIT_CEILING_DIRECTORIES: s.directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: gitConfigFile ?? '/dev/null',
  };
  const config = [...GIT_CONFIG, ...loginConfig(hosts, below(LAYOUT.gitLogin))];
  env['GIT_CONFIG_COUNT'] = String(config.length);
  for (const [i, [key, value]] of config.entries()) {
    env[`GIT_CONFIG_KEY_${i}`] = key;
    env[`GIT_CONFIG_VALUE_${i}`] = value;
  }
  if (s.caFile !== undefined) {
    env['SSL_CERT_FILE'] = below(LAYOUT.ca);
    env['GIT_SSL_CAINFO'] = below(LAYOUT.ca);
  }
  for (const [name, value] of [
    ['http_proxy', s.httpProxy],
    ['https_proxy', s.httpsProxy],
    ['no_proxy', s.noProxy],
  ] as const) {
    // curl, inside git, reads http_proxy in lower case only.
    if (value !== undefined && value !== '') env[name] = env[name.toUpperCase()] = value;
  }
  return env;
}
