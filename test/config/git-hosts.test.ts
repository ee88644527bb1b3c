import { describe, expect, it } from 'vitest';
import { resolveGitHosts } from '../../src/config/git-hosts.ts';
import { parseSettings } from '../../src/config/parse.ts';

const resolve = (text: string) =>
  resolveGitHosts(
    parseSettings(`version = 1\n${text}`, 'gokeep.toml').git ?? [],
    (value: string | undefined) => (value?.startsWith('/') === false ? `/etc/gokeep/${value}` : value),
  );
const entry = (...lines: string[]) => `[[git]]\nhost = "git.corp.example"\n${lines.join('\n')}\n`;

describe('[[git]] entries', () => {
  it('name files beside the configuration, and end their url with a slash', () => {
    expect(
      resolve(
        entry('path = "/group/team/"', 'user = "u"', 'token_file = "t"', 'url = "https://other:8443/x"'),
      ),
    ).toEqual([
      {
        host: 'git.corp.example',
        path: 'group/team',
        url: 'https://other:8443/x/',
        user: 'u',
        tokenFile: '/etc/gokeep/t',
        helper: undefined,
        sshKey: undefined,
        sshKnownHosts: undefined,
      },
    ]);
    expect(resolve(entry('helper = ["bin/helper", "--app", "1"]'))).toMatchObject([
      { helper: ['/etc/gokeep/bin/helper', '--app', '1'] },
    ]);
  });

  it.each([
    ['[[git]]\nhost = "https://git.corp.example"', 'git[0].host: has to be the host alone'],
    ['[[git]]\nhost = "Git.corp.example"', 'git[0].host: has to be the host alone'],
    ['[[git]]\nhost = "git.corp.example;x"', 'git[0].host: has to be the host alone'],
    [entry('path = "a b"'), 'git[0].path: has to be a folder'],
    [entry('path = "a;b"'), 'git[0].path: has to be a folder'],
    [entry() + entry(), 'git[1].host: there is an entry for git.corp.example/ already'],
    [entry('token_file = "t"', 'helper = ["h"]'), 'git[0].helper: stands beside token_file'],
    [entry('user = "u"'), 'git[0].user: says whose token it is'],
    [entry('url = "https://u:p@x/"'), 'git[0].url: holds a login'],
    [entry('url = "https://u@x/"'), 'git[0].url: holds a login'],
    [entry('url = "ssh://git:p@x/"'), 'git[0].url: holds a login'],
    [entry('url = "ext::sh -c x"'), 'git[0].url: has to be an https or ssh URL'],
    [entry('url = "git@x:y"'), 'git[0].url: has to be an https or ssh URL'],
    [entry('url = "https://x/?a"'), 'git[0].url: has to end with a folder'],
    [entry('url = "http://x/"', 'token_file = "t"'), 'git[0].url: would send the login over plain http'],
    [entry('ssh_key = "a\\"b"'), 'git[0].ssh_key: ssh cannot be given a file'],
    [entry('ssh_known_hosts = "a${HOME}"'), 'git[0].ssh_known_hosts: ssh cannot be given a file'],
  ])('%s is refused, naming the key', (text, words) => {
    expect(() => resolve(text)).toThrow(words);
  });

  it('a token as a value is refused: only files hold secrets', () => {
    expect(() => resolve(entry('token = "glpat"'))).toThrow('unknown key git[0].token');
  });
});
