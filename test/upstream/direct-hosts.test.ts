import { execFileSync } from 'node:child_process';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { GokeepError } from '../../src/errors.ts';
import type { SmallRequest } from '../../src/upstream/answer-checks.ts';
import { DirectSource } from '../../src/upstream/direct.ts';
import type { GitCredentials } from '../../src/upstream/git-host.ts';
import { GoCommand } from '../../src/upstream/go-command.ts';
import type { DirectSettings } from '../../src/upstream/go-command.ts';
import { Places } from '../../src/upstream/places.ts';
import { PrivateGitHost } from '../world/private-git-host.ts';
import { needs } from '../world/programs.ts';
import { SshServer } from '../world/ssh-server.ts';

const APP = 'gitlab.corp.test/group/app';
const LIB = 'git.corp.test/team/lib.git';
const withSsh = needs('ssh-keygen') && needs('/usr/sbin/sshd');

let host: PrivateGitHost;
let sources = 0;

beforeAll(async () => {
  host = await PrivateGitHost.start();
  for (const name of [`${APP}.git`, LIB, 'ssh.corp.test/team/lib.git']) {
    const repository = await host.repository(name);
    const module = name.startsWith(APP) ? APP : name;
    await repository.commit({ 'go.mod': `module ${module}\n\ngo 1.21\n` }, { tags: ['v1.0.0'] });
  }
  host.pages.set(APP, `https://${APP}.git`);
  host.pages.set('gitlab.corp.test/gone', 'https://git.corp.test/team/none.git');
});

afterAll(() => host[Symbol.asyncDispose]());

afterEach(() => {
  host.logins.clear();
  host.silent.clear();
  host.refusal = 401;
  host.onRequest = async () => {};
  host.explain = () => '';
});

interface Source extends DirectSource {
  readonly directory: string;
}

function settings(): DirectSettings {
  return {
    // A name that no command line is safe with.
    directory: path.join(host.directory, `direct's ${++sources}; #`),
    path: process.env['PATH'] ?? '',
    deadline: 60_000,
    places: new Places(4),
    maxFile: 2 ** 30,
    diskReserve: 0,
    caFile: host.caFile,
    httpsProxy: host.proxy,
    noProxy: '127.0.0.1',
  };
}

function source(credentials: Partial<GitCredentials> = {}, more: Partial<DirectSettings> = {}): Source {
  const all = { ...settings(), credentials: { hosts: [], ...credentials }, ...more };
  return Object.assign(new DirectSource(all), { directory: all.directory });
}

async function failure(direct: DirectSource, request: SmallRequest): Promise<GokeepError> {
  return await direct.fetch(request, undefined).then(
    (body) => expect.fail(`succeeded with ${String(body)}`),
    (error: GokeepError) => error,
  );
}

const list = (module: string): SmallRequest => ({ kind: 'list', path: module });

/** Processes that were started for a source, whoever their parent is by now. */
function processesOf({ directory }: Source): number {
  const script = 'grep -lasF -- "$1" /proc/[0-9]*/environ || true';
  const out = execFileSync('sh', ['-c', script, 'sh', `HOME=${directory}/`]).toString();
  return out.split('\n').filter((line) => line !== '').length;
}

/** Children of ours that have ended and that nobody has asked about. */
function zombies(): number {
  const out = execFileSync('ps', ['-o', 'stat=', '--ppid', String(process.pid)]).toString();
  return out.split('\n').filter((line) => line.startsWith('Z')).length;
}

describe('what a host says reaches the client in one sentence', () => {
  const asked = async (
    credentials: Partial<GitCredentials>,
    module: string,
    more: Partial<DirectSettings> = {},
  ) => await failure(source(credentials, more), list(module));

  const withToken = async (content: string | undefined) => {
    const tokenFile =
      content === undefined ? path.join(host.directory, 'no-token') : await host.file('token', content);
    const names = ['gitlab.corp.test', 'git.corp.test'];
    return { tokenFile, hosts: names.map((name) => ({ host: name, user: 'u', tokenFile })) };
  };

  test.each([
    ['gitlab.corp.test', APP, 'group/app'],
    ['git.corp.test', LIB, 'team/lib'],
  ])('401 from %s, by a go-import page or from git', async (name, module, repository) => {
    host.logins.set(`${name}/`, 'u:right');
    const { hosts, tokenFile } = await withToken('wrong-token');
    const error = await asked({ hosts }, module);
    expect(error).toMatchObject({
      code: 'upstream_refused',
      message: `Module ${module} could not be fetched from its repository: ${name} answered 401 for ${repository}: the token in ${tokenFile} may have expired, or lack the right to read it.`,
    });
    expect(`${error.message} ${error.detail}`).not.toContain('wrong-token');
  });

  test.each([
    ['no login is set', {}, 'gokeep has no login for it; add a [[git]] entry'],
    ['a netrc file lacks the host', { netrcFile: 'netrc-other' }, 'netrc-other has no entry for it'],
    ['a netrc entry is refused', { netrcFile: 'netrc-own' }, 'netrc-own may have expired'],
    ['a git configuration has none', { gitConfigFile: 'gitconfig' }, 'gitconfig may lack a login for it'],
  ])('401, and %s', async (_name, credentials: Readonly<Record<string, string>>, words) => {
    host.logins.set('git.corp.test/', 'u:right');
    await host.file('netrc-other', 'machine other.test login u password p\n');
    await host.file('netrc-own', 'machine git.corp.test login u password p\n');
    await host.file('gitconfig', '[core]\n\tabbrev = 12\n');
    const files = Object.fromEntries(
      Object.entries(credentials).map(([key, name]) => [key, path.join(host.directory, name)]),
    );
    expect((await asked(files, LIB)).message).toContain(words);
  });

  test.each([
    [undefined, 'with its token cannot be read'],
    ['\n', 'holds no token in its first line'],
  ])('401, and the token is %j', async (content, words) => {
    host.logins.set('git.corp.test/', 'u:right');
    const { hosts } = await withToken(content);
    expect((await asked({ hosts }, LIB)).message).toContain(words);
  });

  test('401, and a helper has no login', async () => {
    host.logins.set('git.corp.test/', 'u:right');
    const helper = await host.file('silent-helper', '#!/bin/sh\nexit 1\n', 0o700);
    const error = await asked({ hosts: [{ host: 'git.corp.test', helper: [helper] }] }, LIB);
    expect(error.message).toContain(`the login that ${helper} gives was not accepted, or it gave none`);
  });

  test('403', async () => {
    host.logins.set('git.corp.test/', 'u:right');
    host.refusal = 403;
    const { hosts } = await withToken('t');
    const error = await asked({ hosts }, LIB);
    expect(error).toMatchObject({
      code: 'upstream_refused',
      message: expect.stringContaining('git.corp.test answered 403 for team/lib: the token in') as string,
    });
  });

  test('a repository that is not there is no absence, since hosts hide what a login may not see', async () => {
    host.logins.set('git.corp.test/', 'u:right');
    host.refusal = 404;
    const { hosts } = await withToken('t');
    const hidden = await asked({ hosts }, LIB);
    expect(hidden).toMatchObject({
      code: 'upstream_refused',
      message: expect.stringContaining(
        'git.corp.test shows no such repository for team/lib: there is none, or gokeep may not see it: the token in',
      ) as string,
    });
    expect(await asked({ hosts }, 'gitlab.corp.test/gone')).toMatchObject({ code: 'upstream_refused' });
  });

  test('a tag that is not there is one', async () => {
    const missing = await failure(source(), { kind: 'info', path: LIB, version: 'v1.0.9' });
    expect(missing).toMatchObject({ code: 'not_found' });
    const page = await failure(source(), list('gitlab.corp.test/nothing/here'));
    expect(page).toMatchObject({ code: 'not_found' });
  });

  test('a certificate of an unknown authority, to go and to git', async () => {
    for (const module of [APP, LIB]) {
      const error = await asked({}, module, { caFile: undefined });
      expect(error).toMatchObject({
        code: 'upstream_unreachable',
        message: expect.stringMatching(
          /the TLS certificate of git(?:lab)?\.corp\.test is not accepted: .* name its PEM file in direct\.ca\.$/,
        ) as string,
      });
    }
  });

  test('an authority that was put in its file meanwhile counts', async () => {
    const pem = await readFile(host.caFile, 'utf8');
    const caFile = await host.file('later.pem', '');
    const direct = source({}, { caFile });
    expect(await failure(direct, list(LIB))).toMatchObject({ code: 'upstream_unreachable' });
    await writeFile(caFile, pem);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 31_000);
    expect(String(await direct.fetch(list(LIB), undefined))).toBe('v1.0.0\n');
    vi.restoreAllMocks();
  });

  test('a host that has no name', async () => {
    const error = await asked({}, 'gitlab.nowhere.invalid/x', { httpsProxy: undefined });
    expect(error).toMatchObject({
      code: 'upstream_unreachable',
      message: expect.stringContaining('the name gitlab.nowhere.invalid cannot be resolved') as string,
    });
  });

  test.each([
    ['git', LIB],
    ['a go-import page', APP],
  ])('a host that repeats the login by %s: it is in neither sentence nor log', async (_name, module) => {
    host.logins.set('git.corp.test/', 'u:right');
    host.logins.set('gitlab.corp.test/', 'u:right');
    host.onRequest = async ({ authorization }) => {
      host.refusal = authorization === undefined ? 401 : 403;
    };
    const { hosts } = await withToken('s3cr3t/token');
    let repeated = '';
    host.explain = ({ authorization = '' }) => {
      const sent = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString();
      repeated = `denied: ${authorization} is ${sent} or ${encodeURIComponent('s3cr3t/token')}`;
      return repeated;
    };
    const { message, detail } = await failure(source({ hosts }), list(module));
    expect(repeated).toContain('s3cr3t/token');
    expect(`${message} ${detail}`).toContain('denied: Basic … is u:… or …');
    expect(`${message} ${detail}`).not.toMatch(/s3cr3t|dTpz/);
  });

  test('nor does what a helper gave come back', async () => {
    host.logins.set('git.corp.test/', 'u:right');
    const helper = await host.file(
      'told-helper',
      '#!/bin/sh\necho username=u\necho password=ghs_0123456789abcdef\n',
      0o700,
    );
    host.onRequest = async ({ authorization }) => {
      host.refusal = authorization === undefined ? 401 : 403;
    };
    host.explain = ({ authorization }) => `denied: ${authorization}, ghs_0123456789abcdef`;
    const error = await failure(source({ hosts: [{ host: 'git.corp.test', helper: [helper] }] }), list(LIB));
    expect(error.detail).toContain('denied: Basic …, …');
  });
});

describe.skipIf(!withSsh)('over ssh', () => {
  const SSH = 'ssh.corp.test/team/lib.git';
  let ssh: SshServer;
  beforeAll(async () => {
    ssh = await SshServer.start();
  });
  afterAll(() => ssh[Symbol.asyncDispose]());

  const entry = (files: { sshKey?: string; sshKnownHosts?: string }, folder = 'ssh.corp.test') => ({
    hosts: [{ host: 'ssh.corp.test', url: ssh.url(host.folder(folder)), ...files }],
  });

  test('the key and the host key that are named let in', async () => {
    const own = source(entry({ sshKey: ssh.key, sshKnownHosts: ssh.knownHosts }));
    expect(String(await own.fetch(list(SSH), undefined))).toBe('v1.0.0\n');
    const forAll = source({ ...entry({}), sshIdentityFile: ssh.key, sshKnownHostsFile: ssh.knownHosts });
    expect(String(await forAll.fetch(list(SSH), undefined))).toBe('v1.0.0\n');
  });

  test.each([
    [
      'another host key',
      () => ({ sshKey: ssh.key, sshKnownHosts: ssh.wrongKnownHosts }),
      /127\.0\.0\.1 shows another ssh host key than \S+wrong_known_hosts has/,
    ],
    [
      'an unknown host key',
      () => ({ sshKey: ssh.key, sshKnownHosts: '/dev/null' }),
      /the ssh host key of 127\.0\.0\.1 is not in \/dev\/null: compare/,
    ],
    [
      'a key that is refused',
      () => ({ sshKey: ssh.otherKey, sshKnownHosts: ssh.knownHosts }),
      /127\.0\.0\.1 refused the ssh key \S+other/,
    ],
    ['no key', () => ({ sshKnownHosts: ssh.knownHosts }), /127\.0\.0\.1 refused a login without an ssh key/],
  ])('%s', async (_name, files, words) => {
    const error = await failure(source(entry(files())), list(SSH));
    expect(error).toMatchObject({
      code: 'upstream_refused',
      message: expect.stringMatching(words) as string,
    });
  });

  test('a repository that is not there', async () => {
    const credentials = entry({ sshKey: ssh.key, sshKnownHosts: ssh.knownHosts }, 'none');
    const error = await failure(source(credentials), list(SSH));
    expect(error).toMatchObject({
      code: 'upstream_refused',
      message: expect.stringMatching(
        /shows no such repository.* ssh key \S+client may not read it/,
      ) as string,
    });
  });
});

test('an ssh server that is not there is not asked again at once, and is no absence', async () => {
  const direct = source({ hosts: [{ host: 'ssh.corp.test', url: 'ssh://git@127.0.0.1:1/x/' }] });
  const first = await failure(direct, list('ssh.corp.test/team/lib.git'));
  expect(first).toMatchObject({
    code: 'upstream_unreachable',
    message: expect.stringContaining('127.0.0.1 cannot be reached, or broke the connection') as string,
  });
  const next = await failure(direct, list('ssh.corp.test/team/other.git'));
  expect(next).toMatchObject({
    code: 'upstream_unreachable',
    message: expect.stringContaining('127.0.0.1 did not answer a moment ago') as string,
  });
});

test('a host without pages still has its repositories, though go asks for the pages of their parents', async () => {
  const own = 'pages.corp.test/team/own.git';
  const repository = await host.repository('git.corp.test/team/own.git');
  await repository.commit({ 'go.mod': `module ${own}\n\ngo 1.21\n` }, { tags: ['v1.0.0'] });
  host.silent.add('pages.corp.test');
  const rewrite = '[url "https://git.corp.test/"]\n\tinsteadOf = https://pages.corp.test/\n';
  const gitConfigFile = await host.file('rewrite', rewrite);
  const direct = source({ gitConfigFile }, { deadline: 5_000 });
  for (const words of [
    'pages.corp.test took longer than 5 s',
    'pages.corp.test did not answer a moment ago',
  ]) {
    expect(await failure(direct, list('pages.corp.test/team'))).toMatchObject({
      code: 'upstream_timeout',
      message: expect.stringContaining(words) as string,
    });
  }
  expect(String(await direct.fetch(list(own), undefined))).toBe('v1.0.0\n');
});

describe('a helper or a host that hangs', () => {
  const HANG = '#!/bin/sh\nsleep 300 &\nsleep 300\n';

  test('a helper that forks is ended at the deadline, with all it started, and leaves no zombie', async () => {
    host.logins.set('git.corp.test/', 'u:right');
    const helper = await host.file('hanging-helper', HANG, 0o700);
    const direct = source({ hosts: [{ host: 'git.corp.test', helper: [helper] }] }, { deadline: 2_000 });
    const asked = failure(direct, list(LIB));
    await vi.waitUntil(() => processesOf(direct) >= 4, 2_000);
    expect(await asked).toMatchObject({
      code: 'upstream_timeout',
      message: expect.stringContaining('git.corp.test took longer than 2 s') as string,
    });
    await vi.waitUntil(() => processesOf(direct) === 0, 5_000);
    expect(zombies()).toBe(0);
  });

  test('a caller that gives up ends it too', async () => {
    host.logins.set('git.corp.test/', 'u:right');
    const helper = await host.file('hanging-helper', HANG, 0o700);
    const direct = source({ hosts: [{ host: 'git.corp.test', helper: [helper] }] });
    const stop = new AbortController();
    const asked = direct.fetch(list(LIB), stop.signal);
    asked.catch(() => {});
    await vi.waitUntil(() => processesOf(direct) >= 4, 5_000);
    stop.abort();
    await expect(asked).rejects.toMatchObject({ code: 'busy' });
    await vi.waitUntil(() => processesOf(direct) === 0, 5_000);
  });

  test('what a helper leaves running in a session of its own is not waited for', async () => {
    host.logins.set('git.corp.test/', 'u:right');
    const pid = path.join(host.directory, 'daemon.pid');
    const helper = await host.file(
      'daemon-helper',
      `#!/bin/sh\nsetsid sh -c 'echo $$ > ${pid}; exec sleep 300' >&2 &\necho username=u\necho password=right\n`,
      0o700,
    );
    const credentials = { hosts: [{ host: 'git.corp.test', helper: [helper] }] };
    const daemon = async () => process.kill(Number(await readFile(pid, 'utf8')), 'SIGKILL');
    const git = new GoCommand({ ...settings(), credentials });
    const run = { path: LIB, subject: 'Module x', signal: undefined };
    const startedAt = performance.now();
    const heads = await git.git(['ls-remote', '-q', 'https://git.corp.test/team/lib', 'HEAD'], run);
    await daemon();
    expect(heads).toMatchObject({ status: 0, stdout: expect.stringContaining('HEAD') as string });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    // go itself waits for it, but no longer than it may.
    const error = await failure(source(credentials, { deadline: 2_000 }), list(LIB));
    await daemon();
    expect(error).toMatchObject({ code: 'upstream_timeout' });
  });

  test('a host that is silent costs its deadline once, and keeps no other host waiting', async () => {
    host.silent.add('gitlab.corp.test');
    const direct = source({}, { deadline: 2_000, places: new Places(2) });
    const startedAt = performance.now();
    const clients = [1, 2, 3, 4, 5, 6].map((n) => failure(direct, list(`gitlab.corp.test/group/m${n}`)));
    expect(String(await direct.fetch(list(LIB), undefined))).toBe('v1.0.0\n');
    const errors = await Promise.all(clients);
    for (const error of errors) expect(error).toMatchObject({ code: 'upstream_timeout' });
    expect(
      errors.filter(({ message }) => /gitlab\.corp\.test did not answer a moment ago/.test(message)).length,
    ).toBe(5);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });
});

test('a file of the module is written whole, with a login', async () => {
  host.logins.set('git.corp.test/', 'u:right');
  const tokenFile = await host.file('right-token', 'right');
  await mkdir(path.join(host.directory, 'zips'), { recursive: true });
  await using file = await open(path.join(host.directory, 'zips', 'lib.zip'), 'w');
  const direct = source({ hosts: [{ host: 'git.corp.test', path: 'team', user: 'u', tokenFile }] });
  expect(await direct.fetchZip(LIB, 'v1.0.0', file, undefined)).toBeGreaterThan(100);
});
