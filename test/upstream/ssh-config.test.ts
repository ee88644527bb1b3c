import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { GitCredentials } from '../../src/upstream/git-host.ts';
import { sshConfig } from '../../src/upstream/ssh-config.ts';
import { needs } from '../world/programs.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'gokeep-ssh-config-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** What ssh itself makes of it for a host. */
function settings(credentials: GitCredentials, host: string): ReadonlyMap<string, readonly string[]> {
  const file = path.join(directory, 'config');
  writeFileSync(file, sshConfig(credentials));
  const all = new Map<string, string[]>();
  for (const line of execFileSync('ssh', ['-G', '-F', file, host], { stdio: 'pipe' })
    .toString()
    .split('\n')) {
    const [key = '', ...value] = line.split(' ');
    all.set(key, [...(all.get(key) ?? []), value.join(' ')]);
  }
  return all;
}

const credentials: GitCredentials = {
  hosts: [
    { host: 'git.corp.example', sshKey: '/keys/100% own', sshKnownHosts: '/keys/own hosts' },
    { host: 'code.corp.example:8443', url: 'ssh://git@ssh.corp.example:2222/x/', sshKey: '/keys/code' },
    { host: 'https.corp.example', tokenFile: '/token' },
  ],
  sshIdentityFile: '/keys/all',
  sshKnownHostsFile: '/keys/all-hosts',
};

test.skipIf(!needs('ssh'))('each host gets its own key and host keys, and no other', () => {
  const files = ['identityfile', 'userknownhostsfile', 'globalknownhostsfile'];
  const of = (host: string) => files.map((key) => settings(credentials, host).get(key));
  expect(of('git.corp.example')).toEqual([['/keys/100%% own'], ['/keys/own hosts'], ['/dev/null']]);
  expect(of('ssh.corp.example')).toEqual([['/keys/code'], ['/keys/all-hosts'], ['/dev/null']]);
  for (const host of ['https.corp.example', 'code.corp.example', 'else.example']) {
    expect(of(host)).toEqual([['/keys/all'], ['/keys/all-hosts'], ['/dev/null']]);
  }
});

test.skipIf(!needs('ssh'))('nothing is asked, forwarded, shared or left to the user who runs us', () => {
  const all = settings({ hosts: [] }, 'git.corp.example');
  for (const [key, value] of [
    ['batchmode', 'yes'],
    ['stricthostkeychecking', 'true'],
    ['identitiesonly', 'yes'],
    ['identityagent', 'none'],
    ['identityfile', 'none'],
    ['passwordauthentication', 'no'],
    ['kbdinteractiveauthentication', 'no'],
    ['forwardagent', 'no'],
    ['forwardx11', 'no'],
    ['clearallforwardings', 'yes'],
    ['permitlocalcommand', 'no'],
    ['controlmaster', 'false'],
    ['updatehostkeys', 'false'],
  ]) {
    expect([key, all.get(key!)]).toEqual([key, [value]]);
  }
});
