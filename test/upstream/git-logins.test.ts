import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GitHost } from '../../src/upstream/git-host.ts';
import { GIT_LOGIN, GO_LOGIN, goAuth, loginConfig } from '../../src/upstream/git-logins.ts';

/** A name that no command line is safe with. */
let directory: string;
const at = (name: string): string => path.join(directory, name);

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), "gokeep login's $(x); "));
  for (const [name, script] of [
    ['git-login', GIT_LOGIN],
    ['go-login', GO_LOGIN],
  ] as const) {
    writeFileSync(at(name), script);
    chmodSync(at(name), 0o700);
  }
});

afterAll(() => rmSync(directory, { recursive: true }));

/** What git finds for an address, without any other configuration. */
function environment(hosts: readonly GitHost[], gitconfig = ''): Record<string, string> {
  writeFileSync(at('gitconfig'), gitconfig);
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: at('gitconfig'),
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
  };
  const config = loginConfig(hosts, at('git-login'));
  env['GIT_CONFIG_COUNT'] = String(config.length);
  for (const [i, [key, value]] of config.entries()) {
    env[`GIT_CONFIG_KEY_${i}`] = key;
    env[`GIT_CONFIG_VALUE_${i}`] = value;
  }
  return env;
}

function fill(hosts: readonly GitHost[], url: string, gitconfig?: string): string | undefined {
  try {
    const o = {
      env: environment(hosts, gitconfig),
      input: `url=${url}\n\n`,
      cwd: directory,
      stdio: 'pipe',
    } as const;
    const lines = execFileSync('git', ['credential', 'fill'], o).toString().split('\n');
    const value = (key: string) => lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1);
    return `${value('username')}:${value('password')}`;
  } catch {
    return undefined;
  }
}

function token(content: string): string {
  writeFileSync(at('token'), content);
  return at('token');
}

describe('git-login', () => {
  test.each([
    ['s3cret\n', 's3cret'],
    ['s3cret', 's3cret'],
    ['s3cret\r\n', 's3cret'],
    ['  s3cret \nsecond line\n', 's3cret'],
    [`a'b"c\\d$e\`f;%s\n`, `a'b"c\\d$e\`f;%s`],
  ])('takes a token from the first line: %j', (content, expected) => {
    const hosts = [{ host: 'git.example', user: "u'$x", tokenFile: token(content) }];
    expect(fill(hosts, 'https://git.example/a')).toBe(`u'$x:${expected}`);
  });

  test('has nothing where the file is empty or not there', () => {
    expect(fill([{ host: 'git.example', tokenFile: token('\n') }], 'https://git.example/a')).toBeUndefined();
    expect(fill([{ host: 'git.example', tokenFile: at('none') }], 'https://git.example/a')).toBeUndefined();
  });
});

describe('a login is bound', () => {
  const hosts = () => [
    { host: 'git.example', tokenFile: token('for-host') },
    {
      host: 'git.example',
      path: 'group',
      helper: ['/bin/sh', '-c', 'echo username=h; echo password=for-group'],
    },
    { host: 'port.example:8443', tokenFile: at('token') },
    { host: 'mirrored.example', url: 'https://mirror.example/all/', tokenFile: at('token') },
  ];

  test.each([
    ['https://git.example/any/repo', 'oauth2:for-host'],
    ['https://git.example/group/repo', 'h:for-group'],
    ['https://git.example/groups/repo', 'oauth2:for-host'],
    ['https://port.example:8443/x', 'oauth2:for-host'],
    ['https://mirror.example/all/x', 'oauth2:for-host'],
    ['https://mirrored.example/x', 'oauth2:for-host'],
    ['https://mirror.example/x', undefined],
    ['https://port.example/x', undefined],
    ['http://git.example/x', undefined],
    ['https://sub.git.example/x', undefined],
    ['https://git.example.evil.example/x', undefined],
  ])('%s gets %s', (url, expected) => {
    expect(fill(hosts(), url)).toBe(expected);
    expect(fill(hosts().toReversed(), url)).toBe(expected);
  });

  test('and takes the place of what a configuration file says for the same address', () => {
    const gitconfig = '[credential]\n\thelper = "!f() { echo username=f; echo password=file; }; f"\n';
    expect(fill(hosts(), 'https://git.example/x', gitconfig)).toBe('oauth2:for-host');
    expect(fill(hosts(), 'https://other.example/x', gitconfig)).toBe('f:file');
  });
});

test('go-login says in the form of GOAUTH what git has for an address, and nothing where it has none', () => {
  const hosts = [{ host: 'git.example', user: 'u', tokenFile: token('x'.repeat(200)) }];
  const ask = (...urls: string[]) =>
    execFileSync(at('go-login'), urls, { env: environment(hosts), cwd: directory }).toString();
  const basic = Buffer.from(`u:${'x'.repeat(200)}`).toString('base64');
  expect(ask('https://git.example/')).toBe(`https://git.example/\n\nAuthorization: Basic ${basic}\n\n`);
  expect(ask('https://git.example/', 'https://git.example/m?go-get=1')).toContain(basic);
  expect(ask('https://other.example/')).toBe('');
});

test('GOAUTH asks for the own host of a path alone, and git only where it has a file', () => {
  const hosts: GitHost[] = [
    { host: 'git.example', tokenFile: '/t' },
    { host: 'git.example', path: 'group', helper: ['/h'] },
    { host: 'ssh.example', sshKey: '/k' },
  ];
  expect(goAuth('git.example/m', hosts, '../bin/go-login', undefined)).toBe(
    '../bin/go-login https://git.example/;netrc',
  );
  expect(goAuth('git.example/group/m', hosts, '../bin/go-login', '/gitconfig')).toBe(
    '../bin/go-login https://git.example/;../bin/go-login https://git.example/group/;netrc;git /',
  );
  for (const path of ['ssh.example/m', 'git.example.evil/m', 'other.example']) {
    expect(goAuth(path, hosts, '../bin/go-login', undefined)).toBe('netrc');
  }
});
