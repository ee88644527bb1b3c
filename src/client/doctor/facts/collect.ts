import type { Machine } from '../machine.ts';
import { otherCaFiles, readGit, readTls } from './authorities.ts';
import type { Facts, PlaceFact, Variable } from './facts.ts';
import { readGoVariables } from './go-variables.ts';
import { readGoproxy } from './goproxy-list.ts';
import { readMainModule } from './main-module.ts';
import { isShare } from './mounts.ts';
import { findMyths, isMyth } from './myths.ts';
import { readNetrc } from './netrc.ts';
import { readProfiles } from './profiles.ts';
import { readRememberedHead, readSumdb } from './remembered-head.ts';
import { readRegistry } from './windows-registry.ts';

/** Set by CI systems of every make. */
const CI = ['CI', 'GITHUB_ACTIONS', 'GITLAB_CI', 'JENKINS_URL', 'TF_BUILD', 'CIRCLECI', 'BUILDKITE'];
const PROXY_NAMES = /^(?:https?|no|all)_proxy$/i;
const isAsked = (name: string) =>
  /^(?:GO[A-Z0-9]+|CGO_ENABLED|SSL_CERT_(?:FILE|DIR))$/.test(name) || PROXY_NAMES.test(name) || isMyth(name);

/** Finds out what can be known without a network. Asks the `go` and `git` of this machine, and changes nothing. */
export async function collectFacts(machine: Machine): Promise<Facts> {
  const profiles = [...readProfiles(machine, isAsked), ...(await readRegistry(machine, isAsked))];
  const [{ go, variables, changed }, git, myths] = await Promise.all([
    readGoVariables(machine, profiles),
    readGit(machine),
    findMyths(machine, profiles),
  ]);
  const value = (name: string) => variables.get(name)?.value ?? '';
  const sumdb = readSumdb(value('GOSUMDB') || 'sum.golang.org');
  const cc = value('CC') || 'gcc';
  return {
    platform: machine.platform,
    now: machine.now(),
    isCi: CI.some((name) => !['', 'false', '0'].includes(machine.env[name] ?? '')),
    go,
    variables,
    changed,
    goproxy: readGoproxy(value('GOPROXY')),
    sumdb,
    profiles,
    myths,
    netrc: readNetrc(machine),
    git,
    otherCaFiles: otherCaFiles(machine, git),
    tls: readTls(machine),
    head: readRememberedHead(machine, sumdb, {
      gopath: value('GOPATH'),
      gomodcache: value('GOMODCACHE'),
    }),
    gocache: placeOf(machine, variables.get('GOCACHE')),
    gomodcache: placeOf(machine, variables.get('GOMODCACHE')),
    gopath: placeOf(machine, variables.get('GOPATH')),
    cgo: {
      enabled: value('CGO_ENABLED') === '1',
      cc,
      found: machine.hasProgram(cc.split(' ')[0] ?? cc),
    },
    main: readMainModule(machine),
  };
}

/** A directory that go writes to. */
function placeOf(machine: Machine, variable: Variable | undefined): PlaceFact {
  const [directory = ''] = (variable?.value ?? '').split(machine.platform === 'win32' ? ';' : ':');
  if (directory === '' || directory === 'off')
    return { directory, problem: directory === 'off' ? 'it is off' : undefined, onShare: undefined };
  const fileSystem = machine.fileSystem(directory);
  return {
    directory,
    problem: machine.writeProblem(directory),
    onShare: isShare(fileSystem, directory) ? (fileSystem ?? 'a share') : undefined,
  };
}
