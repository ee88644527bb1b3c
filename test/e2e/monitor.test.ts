import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gokeep as program } from '../cli/program.ts';
import type { Repository } from '../world/git-host.ts';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { PrivateGitHost } from '../world/private-git-host.ts';

const TOKEN = 'glpat-Secret.Token_1';
const WEBHOOK_TOKEN = 'webhook-secret-token';
const WEBHOOK_KEY = 'webhook-secret-key';
const HOST = 'gitlab.corp.test';
const LIB = `${HOST}/group/lib.git`;
const MONO = `${HOST}/group/mono.git`;
const GONE = `${HOST}/group/gone.git`;
const SILENT = 'silent.corp.test/team/lib.git';
const goMod = (name: string) => `module ${name}\n\ngo 1.21\n`;

interface Message {
  readonly incidents: readonly Record<string, unknown>[];
}

let host: PrivateGitHost;
let lib: Repository;
let first: string;
let moved: string;
let hook: Server;
const messages: { body: string; authorization: string | undefined; signature: string | undefined }[] = [];
/** What the webhook says next; 200 after that. */
const answers: number[] = [];
let toml: string;
let gokeep: GokeepProcess;
let config: string;

const origin = (name: string) => `https://${name.replace(/\.git$/, '')}`;
const told = () => messages.flatMap(({ body }) => (JSON.parse(body) as Message).incidents);

/** Waits until a round that began after now has ended. */
async function nextRound(): Promise<void> {
  const rounds = () => gokeep.output.split('private repositories compared with the log').length;
  for (let wanted = rounds() + 2, n = 0; rounds() < wanted; n++) {
    if (n > 600) throw new Error(`no round ended:\n${gokeep.output}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

async function download(module: string): Promise<{ Sum: string; Dir: string }> {
  await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
  const { code, stdout, stderr } = await client.run('mod', 'download', '-json', module);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const json = JSON.parse(stdout) as { Sum: string; Dir: string };
  return { ...json, Dir: await readFile(path.join(json.Dir, 'lib.go'), 'utf8') };
}

async function monitor(...args: string[]) {
  return await program(['monitor', '--config', config, '--data', gokeep.data, ...args], {
    PATH: process.env['PATH'],
    HTTPS_PROXY: host.proxy,
    NO_PROXY: '127.0.0.1',
  });
}

beforeAll(async () => {
  host = await PrivateGitHost.start();
  host.logins.set(`${HOST}/`, `gokeep:${TOKEN}`);
  lib = await host.repository(LIB);
  first = await lib.commit(
    { 'go.mod': goMod(LIB), 'lib.go': 'package lib\n\n// first\n' },
    { tags: ['v1.0.0', 'v1.1.0'] },
  );
  execFileSync(
    'git',
    ['-c', 'user.name=a', '-c', 'user.email=a@example.com', 'tag', '-a', '-m', 'x', 'v1.2.0'],
    {
      cwd: lib.work,
    },
  );
  await lib.commit({ 'lib.go': 'package lib\n\n// second\n' });
  const mono = await host.repository(MONO);
  await mono.commit(
    {
      'go.mod': goMod(MONO),
      'lib.go': 'package mono\n',
      'tools/go.mod': goMod(`${MONO}/tools`),
      'tools/lib.go': 'package tools\n',
    },
    { tags: ['v1.0.0', 'tools/v0.1.0'] },
  );
  for (const name of [GONE, SILENT]) {
    const other = await host.repository(name);
    await other.commit({ 'go.mod': goMod(name), 'lib.go': 'package lib\n' }, { tags: ['v1.0.0'] });
  }
  hook = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { authorization, 'gokeep-signature': signature } = request.headers;
      const status = answers.shift() ?? 200;
      if (status === 200)
        messages.push({
          body: Buffer.concat(chunks).toString(),
          authorization,
          signature: String(signature),
        });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => {
    hook.listen(0, '127.0.0.1', resolve);
  });
  const { port } = hook.address() as AddressInfo;
  toml = `
private = ["*.corp.test"]
[upstream]
proxy = "off"
sumdb = "off"
[direct]
ca = "${host.caFile}"
[timeouts]
direct = "20s"
[[git]]
host = "${HOST}"
user = "gokeep"
token_file = "${await host.file('token', TOKEN)}"
[monitor]
every = "1s"
webhook = "http://127.0.0.1:${port}/secret-path"
webhook_key_file = "${await host.file('hook.key', `${WEBHOOK_KEY}\n`)}"
`;
  gokeep = await GokeepProcess.start({ env: { HTTPS_PROXY: host.proxy }, toml });
  config = await host.file('gokeep.toml', `version = 1\n${toml}`);
  for (const version of ['v1.0.0', 'v1.1.0', 'v1.2.0']) await download(`${LIB}@${version}`);
  await download(`${LIB}@main`);
  for (const module of [MONO, `${MONO}/tools`, GONE]) await download(`${module}@latest`);
}, 120_000);

afterAll(async () => {
  await gokeep?.[Symbol.asyncDispose]();
  hook?.close();
  await host?.[Symbol.asyncDispose]();
});

describe('private repositories are watched', () => {
  it('a round asks each repository once, with the login, however many versions it has', async () => {
    await nextRound();
    host.seen.length = 0;
    const { code, stdout } = await monitor('--json');
    expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({
      code: 0,
      repositories: 3,
      same: 6,
      untagged: 1,
      unknown: 0,
      incidents: [],
    });
    await nextRound();
    const asked = host.seen.filter(({ target }) => target.includes('info/refs'));
    const rounds = asked.filter(
      ({ target, authorization }) => target.startsWith(origin(LIB).slice(8)) && authorization !== undefined,
    );
    for (const name of [MONO, GONE]) {
      const others = asked.filter(
        ({ target, authorization }) =>
          target.startsWith(origin(name).slice(8)) && authorization !== undefined,
      );
      // The server's rounds go on meanwhile; one may be under way.
      expect(Math.abs(others.length - rounds.length)).toBeLessThanOrEqual(1);
    }
  });

  it('a tag that moved is logged, counted, shown and told, and an unmodified go gets the original bytes', async () => {
    const before = await download(`${LIB}@v1.0.0`);
    answers.push(503);
    moved = await lib.commit(
      { 'go.mod': `${goMod(LIB)}\n// other\n`, 'lib.go': 'package lib\n\n// third\n' },
      { tags: ['v1.0.0'] },
    );
    await nextRound();
    const incident = {
      kind: 'tag',
      path: LIB,
      version: 'v1.0.0',
      recorded: first,
      seen: moved,
      source: origin(LIB),
    };
    expect(told()).toMatchObject([incident, { kind: 'mod', path: LIB, version: 'v1.0.0' }]);
    await nextRound();
    expect(told().length).toBe(2);
    expect(gokeep.output).toContain(`"seen":"${moved}"`);
    const metrics = await (await gokeep.get('/metrics')).text();
    expect(metrics).toMatch(/gokeep_incidents_total\{kind="tag"\} 1\n/);
    expect(metrics).toMatch(/gokeep_monitor_versions\{state="differ"\} 1\n/);
    expect(metrics).toMatch(/gokeep_monitor_round_seconds \d{10}/);
    const why = await program(['why', `${LIB}@v1.0.0`, '--config', config, '--data', gokeep.data]);
    expect(why.code).toBe(1);
    expect(why.stdout).toContain(
      `v1.0.0: its tag in ${origin(LIB)} names ${moved} now; it named ${first} when it was recorded, and that is what is served`,
    );
    expect(await download(`${LIB}@v1.0.0`)).toMatchObject({
      Sum: before.Sum,
      Dir: 'package lib\n\n// first\n',
    });
  });

  it('the message is signed with the key, and no secret is in it or in the log', () => {
    for (const { body, signature } of messages) {
      expect(signature).toBe(`sha256=${createHmac('sha256', WEBHOOK_KEY).update(body).digest('hex')}`);
    }
    for (const secret of [TOKEN, WEBHOOK_KEY, WEBHOOK_TOKEN, 'secret-path']) {
      expect(gokeep.output + JSON.stringify(messages)).not.toContain(secret);
    }
  });

  it('the command finds the same beside a running server, which alone records it', async () => {
    const { code, stdout } = await monitor();
    expect(code).toBe(1);
    expect(stdout).toContain(`${LIB}@v1.0.0: its tag in ${origin(LIB)} names ${moved} now`);
    expect(stdout).toContain('(known)');
    expect(stdout).toMatch(/1 differ, 0 of them new\n$/);
  });

  it('a repository that its host no longer shows is an incident, and still served', async () => {
    const folder = path.join(host.folder(HOST), 'group/gone.git');
    await rename(folder, `${folder}.away`);
    await nextRound();
    expect(told().at(-1)).toMatchObject({ kind: 'repository', path: GONE, version: '' });
    const { stdout } = await program(['why', `${GONE}@v1.0.0`, '--config', config, '--data', gokeep.data]);
    expect(stdout).toContain(`${GONE}: ${origin(GONE)} shows no such repository any more`);
    expect((await download(`${GONE}@v1.0.0`)).Dir).toBe('package lib\n');
    await rename(`${folder}.away`, folder);
  });

  it('a refused login and a host that does not answer are trouble and no incident', async () => {
    const known = told().length;
    host.logins.set(`${HOST}/`, 'gokeep:another');
    await nextRound();
    expect(told().length).toBe(known);
    expect(gokeep.output).toContain('answered 401 for group/lib');
    host.logins.set(`${HOST}/`, `gokeep:${TOKEN}`);
    expect((await monitor()).code).toBe(1);
  });

  it('without a server the command records what it finds, and tells the webhook', async () => {
    await download(`${SILENT}@v1.0.0`);
    await gokeep.stop();
    messages.length = 0;
    await lib.commit({}, { tags: ['v1.1.0'] });
    await writeFile(config, `version = 1\n${toml.replace('webhook_key_file', '# ')}`);
    const found = await monitor();
    expect(found.code).toBe(1);
    expect(found.stdout).toMatch(/v1\.1\.0: its tag in .*(?<!known\))\n/);
    expect(found.stdout).toMatch(/3 differ, 2 of them new\n$/);
    expect(told()).toMatchObject([
      { kind: 'tag', version: 'v1.1.0' },
      { kind: 'mod', version: 'v1.1.0' },
    ]);
    host.seen.length = 0;
    host.silent.add('silent.corp.test');
    await writeFile(config, `version = 1\n${toml.replace('direct = "20s"', 'direct = "2s"')}`);
    const again = await monitor();
    expect(again.stdout).toContain('2 differ, 0 of them new');
    expect(again.stdout).toMatch(
      /^not compared: https:\/\/silent\.corp\.test\/team\/lib: .* took longer than 2 s/m,
    );
    expect(told().length).toBe(2);
    const asked = host.seen
      .filter(({ target, authorization }) => target.includes('info/refs') && authorization !== undefined)
      .map(({ target }) => target.replace(/\/info\/refs.*/, ''));
    expect(asked.sort()).toEqual([GONE, LIB, MONO].map((name) => origin(name).slice('https://'.length)));
    await rm(config);
  });
});
