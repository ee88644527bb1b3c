import path from 'node:path';
import type { Config } from '../config/load.ts';
import { DirectSource } from '../upstream/direct.ts';
import type { DirectSettings } from '../upstream/go-command.ts';
import { Places } from '../upstream/places.ts';
import { fileText } from './file-text.ts';

export interface Direct {
  /** For paths that anybody may name: no credentials, since a go-import page could lead them to any repository. */
  readonly open: DirectSource;
  /** For private paths. It has a directory of its own, so that nothing it cloned is found for other paths. */
  readonly private: DirectSource;
  /** Another for private paths, with a directory of its own, which may be gone when it is no longer used. */
  readonly privateAt: (directory: string) => DirectSource;
}

/** Modules from their own repositories, as the configuration says. Runs nothing yet. Throws bad_config. */
export function openDirect(config: Config): Direct {
  const { direct, environmentProxies, timeouts, git } = config;
  for (const [key, file] of [
    ['direct.gitconfig', direct.gitconfig],
    ['direct.netrc', direct.netrc],
    ['direct.ssh_key', direct.sshKey],
    ['direct.ssh_known_hosts', direct.sshKnownHosts],
    ['direct.ca', direct.ca],
    ...git.flatMap(({ tokenFile, helper, sshKey, sshKnownHosts }, at) => [
      [`git[${at}].token_file`, tokenFile] as const,
      [`git[${at}].helper`, helper?.[0]] as const,
      [`git[${at}].ssh_key`, sshKey] as const,
      [`git[${at}].ssh_known_hosts`, sshKnownHosts] as const,
    ]),
  ] as const) {
    // Read at each use; a file that is missing at the start is told at the start.
    fileText(file, key);
  }
  const directory = path.join(config.data, 'direct');
  const settings: DirectSettings = {
    directory,
    go: direct.go,
    path: config.path,
    deadline: timeouts.direct,
    places: new Places(direct.concurrency),
    maxFile: direct.maxRepository,
    diskReserve: config.cache.diskReserve,
    protocols: direct.protocols,
    insecure: direct.insecure.join(','),
    httpProxy: environmentProxies.http,
    httpsProxy: environmentProxies.https,
    noProxy: environmentProxies.none,
    caFile: direct.ca,
  };
  const credentials = {
    hosts: git,
    gitConfigFile: direct.gitconfig,
    netrcFile: direct.netrc,
    sshIdentityFile: direct.sshKey,
    sshKnownHostsFile: direct.sshKnownHosts,
  };
  const privateAt = (below: string): DirectSource =>
    new DirectSource({ ...settings, directory: below, credentials });
  return {
    open: new DirectSource(settings),
    private: privateAt(path.join(directory, 'private')),
    privateAt,
  };
}
