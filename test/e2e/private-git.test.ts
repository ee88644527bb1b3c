import { execFileSync } from 'node:child_process';
import { readFile, readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GoClient, type GoResult } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { PrivateGitHost } from '../world/private-git-host.ts';
import { needs } from '../world/programs.ts';
import { SshServer } from '../world/ssh-server.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const TOKEN = 'glpat-Secret.Token_1';
const HELPER_TOKEN = 'ghs_SecretOfTheHelper';
const NETRC_PASSWORD = 'secret-of-the-netrc';
const SECRETS = [TOKEN, HELPER_TOKEN, NETRC_PASSWORD].flatMap((secret) => [
  secret,
  Buffer.from(`gokeep:${secret}`).toString('base64'),
]);

/** By go-import pages behind a login; the repository has modules in folders and majors. */
const MONO = 'gitlab.corp.test/group/sub/mono';
const BY_HELPER = 'helper.corp.test/org/lib.git';
const BY_NETRC = 'netrc.corp.test/team/lib.git';
const BY_SSH = 'ssh.corp.test/team/lib.git';
const PUBLIC = 'open.corp.test/any/lib';

const withSsh = needs('ssh-keygen') && needs('/usr/sbin/sshd');

let world: UpstreamWorld;
let host: PrivateGitHost;
let ssh: SshServer | undefined;
let gokeep: GokeepProcess;
let tokenFile: string;
let later: string;
/** Arguments of every process that ran while a host was being asked. */
const commandLines = new Set<string>();

const goMod = (name: string) => `module ${name}\n\ngo 1.21\n`;

beforeAll(async () => {
  world = await UpstreamWorld.start();
  await world.publish({ path: 'example.test/open', version: 'v1.0.0' });
  host = await PrivateGitHost.start();
  const mono = await host.repository('gitlab.corp.test/group/sub/mono.git');
  await mono.commit(
    { 'go.mod': goMod(MONO), 'mono.go': 'package mono\n', 'tools/gen/go.mod': goMod(`${MONO}/tools/gen`) },
    { tags: ['v1.2.0'] },
  );
  await mono.commit({ 'tools/gen/gen.go': 'package gen\n' }, { tags: ['tools/gen/v0.3.0'] });
  await mono.commit({ 'go.mod': goMod(`${MONO}/v2`) }, { tags: ['v2.1.0'] });
  later = await mono.commit({ 'go.mod': goMod(MONO), 'mono.go': 'package mono\n\n// later\n' });
  for (const name of [BY_HELPER, BY_NETRC, BY_SSH]) {
    const lib = await host.repository(name);
    await lib.commit({ 'go.mod': goMod(name), 'lib.go': 'package lib\n' }, { tags: ['v1.0.0'] });
  }
  const secret = await host.repository('gitlab.corp.test/group/secret.git');
  await secret.commit({ 'secret.go': 'package secret\n' }, { tags: ['v1.0.0'] });

  host.pages.set(MONO, `https://${MONO}.git`);
  host.pages.set(PUBLIC, 'https://gitlab.corp.test/group/secret.git');
  host.logins.set('gitlab.corp.test/', `gokeep:${TOKEN}`);
  host.logins.set('helper.corp.test/org/', `x-access-token:${HELPER_TOKEN}`);
  host.logins.set('netrc.corp.test/', `gokeep:${NETRC_PASSWORD}`);
  host.onRequest = async () => {
    for (const pid of await readdir('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      for (const name of ['cmdline', 'environ']) {
        commandLines.add(await readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => ''));
      }
    }
  };
  tokenFile = await host.file('gitlab.token', `${TOKEN}\r\n`);
  const helper = await host.file(
    'helper',
    `#!/bin/sh\n[ "$2" = get ] || exit 0\ncat > '${host.directory}/asked'\necho username=x-access-token\necho password=${HELPER_TOKEN}\n`,
    0o700,
  );
  const netrc = await host.file('netrc', `machine netrc.corp.test login gokeep password ${NETRC_PASSWORD}\n`);
  ssh = withSsh ? await SshServer.start() : undefined;
  gokeep = await GokeepProcess.start({
    env: { HTTPS_PROXY: host.proxy },
    toml: `
private = ["gitlab.corp.test", "helper.corp.test", "netrc.corp.test", "ssh.corp.test"]
[upstream]
proxy = "${world.url},direct"
sumdb = "off"
[direct]
ca = "${host.caFile}"
netrc = "${netrc}"
[[git]]
host = "gitlab.corp.test"
user = "gokeep"
token_file = "${tokenFile}"
[[git]]
host = "helper.corp.test"
path = "org"
helper = ["${helper}", "--app"]
${
  ssh === undefined
    ? ''
    : `[[git]]
host = "ssh.corp.test"
url = "${ssh.url(host.folder('ssh.corp.test'))}"
ssh_key = "${ssh.key}"
ssh_known_hosts = "${ssh.knownHosts}"`
}
`,
  });
}, 60_000);

afterAll(async () => {
  await gokeep?.[Symbol.asyncDispose]();
  await ssh?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

/** An unmodified client: GOPRIVATE and GONOSUMDB are unset. */
async function go(...args: string[]): Promise<GoResult> {
  await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
  return await client.run(...args);
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ');

const version = ({ stdout, stderr }: GoResult): unknown =>
  stdout === '' ? stderr : (JSON.parse(stdout) as { Version?: unknown }).Version;

describe('go builds against git hosts that want a login, which stays on the server', () => {
  it('a program that mixes them, verified by our own database', async () => {
    await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
    const modules = [MONO, `${MONO}/tools/gen`, BY_HELPER, BY_NETRC, ...(withSsh ? [BY_SSH] : [])];
    expect(await client.run('get', 'example.test/open', ...modules)).toMatchObject({ code: 0 });
    await client.write(
      'main.go',
      `package main\n\nimport (\n${modules.map((name) => `\t_ "${name}"\n`).join('')})\n\nfunc main() {}\n`,
    );
    expect(await client.run('build', '-o', 'main', '.')).toMatchObject({ code: 0, stderr: '' });
    expect((await client.run('mod', 'verify')).stdout).toContain('all modules verified');
    const sums = await readFile(path.join(client.directory, 'main', 'go.sum'), 'utf8');
    for (const name of modules) expect(sums).toContain(`${name} v`);
  });

  it('a module in a folder, a major version, a branch and a commit that has no tag', async () => {
    expect(version(await go('mod', 'download', '-json', `${MONO}/tools/gen@latest`))).toBe('v0.3.0');
    expect(version(await go('mod', 'download', '-json', `${MONO}/v2@latest`))).toBe('v2.1.0');
    const pseudo = expect.stringMatching(new RegExp(`^v1\\.2\\.1-0\\..*-${later.slice(0, 12)}$`)) as string;
    expect(version(await go('mod', 'download', '-json', `${MONO}@main`))).toEqual(pseudo);
    expect(version(await go('mod', 'download', '-json', `${MONO}@${later.slice(0, 12)}`))).toEqual(pseudo);
  });

  it('the go-import page is asked with the login at once, since a host may answer wrongly without', () => {
    const pages = host.seen.filter(({ target }) => /^gitlab\.corp\.test\/.*go-get=1$/.test(target));
    expect(pages.length).toBeGreaterThan(0);
    expect(pages.filter(({ authorization }) => authorization === undefined)).toEqual([]);
  });

  it('a helper is told the repository', async () => {
    expect(await readFile(path.join(host.directory, 'asked'), 'utf8')).toMatch(
      /^protocol=https\nhost=helper\.corp\.test\npath=org\/lib/m,
    );
  });

  it('a login goes to its own host and folder alone', () => {
    const elsewhere = host.seen.filter(
      ({ target, authorization }) =>
        authorization !== undefined &&
        !/^(?:gitlab|netrc)\.corp\.test\/|^helper\.corp\.test\/org\//.test(target),
    );
    expect(elsewhere).toEqual([]);
  });

  it('a go-import page of a public path leads to no private repository', async () => {
    const answer = await gokeep.get(`/${PUBLIC}/@v/v1.0.0.info`);
    expect(answer.status).toBe(403);
    expect(oneLine(await answer.text())).toContain(
      'for a path that is not private, gokeep shows no credentials',
    );
  });

  it('an expired token is told with the file it lies in, and a new one counts without a restart', async () => {
    host.logins.set('gitlab.corp.test/', `gokeep:${TOKEN}-new`);
    const refused = await gokeep.get(`/${MONO}/@v/v1.2.9.info`);
    expect(refused.status).toBe(403);
    expect(oneLine(await refused.text())).toContain(
      `gitlab.corp.test answered 401 for group/sub/mono: the token in ${tokenFile} may have expired`,
    );
    await rename(await host.file('gitlab.token.new', `${TOKEN}-new\n`), tokenFile);
    expect((await gokeep.get(`/${MONO}/@v/v1.2.9.info`)).status).toBe(404);
    expect((await gokeep.get(`/${MONO}/@v/v2.9.9.info`)).status).toBe(404);
  });

  it('no secret is in an argument or the environment of a process, in the log, or in the data directory', () => {
    expect(commandLines.size).toBeGreaterThan(10);
    expect([...commandLines].some((line) => line.includes('git\0ls-remote'))).toBe(true);
    for (const secret of SECRETS) {
      expect([...commandLines].filter((line) => line.includes(secret))).toEqual([]);
      expect(gokeep.output).not.toContain(secret);
      // Follows no links, so that the netrc file itself is not among what is found.
      const found = execFileSync('sh', ['-c', 'grep -rlF -- "$1" "$2" || true', 'sh', secret, gokeep.data]);
      expect(String(found)).toBe('');
    }
  });
});
