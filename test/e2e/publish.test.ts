import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gokeep as runProgram, type ProgramResult } from '../cli/program.ts';
import { moduleZipOf, uncompressedZipOf } from '../publish/publishing-site.ts';
import { GitHost, type Repository } from '../world/git-host.ts';
import { GoClient, type GoResult } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { needs } from '../world/programs.ts';

/** Nobody but gokeep has these. */
const CORP = 'corp.test/Team/App';
const HOST = 'git.corp.test';
const LIB = `${HOST}/team/lib.git`;
const PLAIN = `${HOST}/team/plain.git`;

let host: GitHost;
let lib: Repository;
let app: Repository;
let scratch: string;
let gokeep: GokeepProcess;
let toml: string;

const goMod = (module: string, more = '') => `module ${module}\n\ngo 1.21\n${more}`;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'gokeep-publish-e2e-'));
  host = await GitHost.start();
  lib = await host.repository(LIB);
  app = await host.repository('elsewhere/app.git');
  toml = [
    `private = ["corp.test", "${HOST}"]`,
    '[[upstream]]\nmatch = ["corp.test"]\nprivate = true\nproxy = "off"',
    '[[upstream]]\nproxy = "off"\nsumdb = "off"',
    `[direct]\ngitconfig = "${await host.gitconfig(HOST)}"\nprotocols = ["http", "https"]`,
    '[refresh]\nttl = "1h"\n',
  ].join('\n');
  gokeep = await GokeepProcess.start({ toml });
});

afterAll(async () => {
  await gokeep[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

/** A new machine: with our own database, and without GOPRIVATE or GONOSUMDB. */
const client = () => GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });

async function go(...args: string[]): Promise<GoResult> {
  await using fresh = await client();
  return await fresh.run(...args);
}

const cli = (...args: string[]): Promise<ProgramResult> =>
  runProgram(args, { PATH: process.env['PATH'] ?? '', GOPROXY: gokeep.url });

const versions = async (module: string) =>
  (await go('list', '-m', '-versions', module)).stdout.trim().split(' ').slice(1);

/** What go finds when it fetches the module itself. */
async function direct(module: string): Promise<Record<string, unknown>> {
  await using own = await GoClient.create({
    GOPROXY: 'direct',
    GOSUMDB: 'off',
    GOVCS: '*:git',
    GIT_CONFIG_GLOBAL: await host.gitconfig(HOST),
  });
  return JSON.parse((await own.run('mod', 'download', '-json', module)).stdout) as Record<string, unknown>;
}

describe('a module that only gokeep has', () => {
  beforeAll(async () => {
    await app.commit(
      {
        'go.mod': goMod(CORP),
        'app.go': 'package app\n\nconst Name = "one"\n',
        'deep/er/deep.go': 'package er\n\nconst Depth = 2\n',
        'sub/go.mod': goMod(`${CORP}/sub`),
        'sub/sub.go': 'package sub\n',
        LICENSE: 'licence\n',
      },
      { tags: ['v1.0.0', 'sub/v0.1.0'] },
    );
  });

  it('is published from the tag that is checked out', async () => {
    const published = await cli('publish', app.directory, 'v1.0.0');
    expect(published).toMatchObject({ code: 0, stderr: '' });
    expect(published.stdout).toContain(`${CORP}@v1.0.0 published`);
  });

  it('builds with an unmodified go that verifies it, in a package deep inside', async () => {
    await using machine = await client();
    await machine.write(
      'main.go',
      `package main\n\nimport er "${CORP}/deep/er"\n\nfunc main() { println(er.Depth) }\n`,
    );
    const got = await machine.run('get', `${CORP}/deep/er`);
    expect(got).toMatchObject({ code: 0 });
    expect(await machine.run('mod', 'tidy')).toMatchObject({ code: 0 });
    expect(await machine.run('run', '.')).toMatchObject({ code: 0, stderr: '2\n' });
    expect(await readFile(path.join(machine.directory, 'main', 'go.sum'), 'utf8')).toContain(
      `${CORP} v1.0.0 h1:`,
    );
    expect((await machine.run('mod', 'verify')).stdout).toContain('all modules verified');
  });

  it('says of which commit it is', async () => {
    const said = JSON.parse((await go('list', '-m', '-json', `${CORP}@v1.0.0`)).stdout) as object;
    expect(said).toMatchObject({
      Version: 'v1.0.0',
      Time: '2024-01-02T03:04:05Z',
      Origin: { VCS: 'git', Hash: (await app.git('rev-parse', 'v1.0.0')).trim(), Ref: 'refs/tags/v1.0.0' },
    });
  });

  it('may lie in a subdirectory with tags of its own', async () => {
    expect(await cli('publish', path.join(app.directory, 'sub'), 'v0.1.0')).toMatchObject({ code: 0 });
    expect(await versions(`${CORP}/sub`)).toEqual(['v0.1.0']);
  });

  it('is listed at once, though a list was given a moment before', async () => {
    expect(await versions(CORP)).toEqual(['v1.0.0']);
    await app.commit({ 'app.go': 'package app\n\nconst Name = "two"\n' }, { tags: ['v1.1.0'] });
    expect(await cli('publish', app.directory, 'v1.1.0')).toMatchObject({ code: 0 });
    expect(await versions(CORP)).toEqual(['v1.0.0', 'v1.1.0']);
    expect((await go('list', '-m', `${CORP}@latest`)).stdout).toBe(`${CORP} v1.1.0\n`);
    const query = await gokeep.get('/corp.test/!team/!app/@v/v1.info');
    expect(await query.json()).toMatchObject({ Version: 'v1.1.0' });
    expect((await fetch(`${gokeep.url}/corp.test/!team/!app/@v/v1.1.0.zip`, { method: 'HEAD' })).status).toBe(
      200,
    );
  });

  it('has major versions', async () => {
    await app.commit({ 'go.mod': goMod(`${CORP}/v2`) }, { tags: ['v2.0.0'] });
    expect(await cli('publish', app.directory, 'v1.2.0')).toMatchObject({ code: 2 });
    expect(await cli('publish', app.directory, 'v2.0.0')).toMatchObject({ code: 0 });
    expect((await go('list', '-m', `${CORP}/v2@latest`)).stdout).toBe(`${CORP}/v2 v2.0.0\n`);
  });

  it('is retracted by its go.mod, as in Go', async () => {
    const retract = goMod(`${CORP}/v2`, '\nretract v2.0.0 // it loses data\n');
    await app.commit({ 'go.mod': retract }, { tags: ['v2.0.1'] });
    expect(await cli('publish', app.directory, 'v2.0.1')).toMatchObject({ code: 0 });
    const listed = await go(
      'list',
      '-m',
      '-retracted',
      '-f',
      '{{.Version}} {{.Retracted}}',
      `${CORP}/v2@v2.0.0`,
    );
    expect(listed.stdout).toBe('v2.0.0 [it loses data]\n');
    expect(await versions(`${CORP}/v2`)).toEqual(['v2.0.1']);
  });

  it('once yanked is named by no list, and builds where it was pinned, after a restart too', async () => {
    const yanked = await cli('yank', `${CORP}@v1.1.0`, '--reason', 'it loses data');
    expect(yanked).toMatchObject({ code: 0, stderr: '' });
    for (const restart of [false, true]) {
      if (restart) {
        const { data } = gokeep;
        expect(await gokeep.stop()).toBe(0);
        gokeep = await GokeepProcess.start({ toml, data });
      }
      expect(await versions(CORP)).toEqual(['v1.0.0']);
      expect((await go('list', '-m', `${CORP}@latest`)).stdout).toBe(`${CORP} v1.0.0\n`);
      expect(await go('mod', 'download', `${CORP}@v1.1.0`)).toMatchObject({ code: 0, stderr: '' });
    }
    const why = await runProgram(['why', `${CORP}@v1.1.0`, '--data', gokeep.data]);
    expect(why.stdout).toMatch(
      / {2}source: published here.*\n {2}published: .*\n {2}yanked: .*: it loses data\n/,
    );
    expect(await cli('unyank', `${CORP}@v1.1.0`)).toMatchObject({ code: 0 });
    expect(await versions(CORP)).toEqual(['v1.0.0', 'v1.1.0']);
  });

  it('is whole by fsck', async () => {
    expect(await runProgram(['fsck', '--data', gokeep.data])).toMatchObject({ code: 0 });
  });
});

describe('a site without network', () => {
  it('takes publishes into its own log, and go builds with them', async () => {
    await using site = await GokeepProcess.start({ toml: 'offline = true\nprivate = ["corp.test"]\n' });
    const args = ['publish', app.directory, 'v1.0.0', '--from', 'tag', '--module', CORP, '--url', site.url];
    expect(await cli(...args)).toMatchObject({ code: 0, stderr: '' });
    await using machine = await GoClient.create({ GOPROXY: site.url, GOSUMDB: site.vkey });
    expect((await machine.run('list', '-m', '-versions', CORP)).stdout).toBe(`${CORP} v1.0.0\n`);
    expect(await machine.run('get', `${CORP}/deep/er`)).toMatchObject({ code: 0 });
    expect(await cli('yank', `${CORP}@v1.0.0`, '--reason', 'x', '--url', site.url)).toMatchObject({
      code: 0,
    });
    expect(await (await site.get('/corp.test/!team/!app/@v/list')).text()).toBe('');
    expect((await site.get('/corp.test/!team/!app/@latest')).status).toBe(404);
  });
});

describe('two publishes of one version at once', () => {
  it('with other bytes: one wins, the other is told, and it is an incident', async () => {
    const zips = ['1', '2', '3'].map((text) =>
      moduleZipOf('corp.test/race', 'v1.0.0', { 'a.go': `package a // ${text}\n` }),
    );
    const answers = await Promise.all(
      zips.map((body) =>
        fetch(`${gokeep.url}/corp.test/race/@v/v1.0.0.zip`, { method: 'PUT', body: new Uint8Array(body) }),
      ),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409, 409]);
    const won = zips[answers.findIndex(({ status }) => status === 201)]!;
    const served = await gokeep.get('/corp.test/race/@v/v1.0.0.zip');
    expect(Buffer.from(await served.arrayBuffer()).equals(won)).toBe(true);
    const why = await runProgram(['why', 'corp.test/race@v1.0.0', '--data', gokeep.data]);
    expect(why.code).toBe(1);
    expect(why.stdout).toContain('SECURITY');
  });
});

describe('a module that its repository has too', () => {
  beforeAll(async () => {
    await lib.commit(
      {
        'go.mod': goMod(LIB),
        'lib.go': 'package lib\n',
        '.gitattributes': '*.txt text eol=crlf\nx.go export-ignore\n',
        'a.txt': 'a\nb\n',
        'x.go': 'package lib\n',
      },
      { tags: ['v1.0.0'] },
    );
  });

  it('is published with the hashes that go finds when it fetches the tag itself', async () => {
    const published = await cli('publish', lib.directory, 'v1.0.0', '--json');
    expect(published).toMatchObject({ code: 0, stderr: '' });
    const { h1, goModH1, files } = JSON.parse(published.stdout) as Record<string, unknown>;
    const found = await direct(`${LIB}@v1.0.0`);
    expect({ h1, goModH1 }).toEqual({ h1: found['Sum'], goModH1: found['GoModSum'] });
    expect(files).toHaveLength(5);
  });

  it('has what was tagged and what was published in one list', async () => {
    await lib.commit({ 'lib.go': 'package lib // 2\n' }, { tags: ['v1.1.0'] });
    expect(await versions(LIB)).toEqual(['v1.0.0', 'v1.1.0']);
    const dev = await mkdtemp(path.join(scratch, 'dev-'));
    await writeFile(path.join(dev, 'go.mod'), goMod(LIB));
    await writeFile(path.join(dev, 'lib.go'), 'package lib // dev\n');
    const published = await cli('publish', dev, 'v1.2.0-rc.1', '--from', 'directory');
    expect(published).toMatchObject({ code: 0, stderr: '' });
    expect(await versions(LIB)).toEqual(['v1.0.0', 'v1.1.0', 'v1.2.0-rc.1']);
    expect((await go('list', '-m', `${LIB}@latest`)).stdout).toBe(`${LIB} v1.1.0\n`);
  });

  it.skipIf(!needs('curl'))(
    'once go has fetched it is published by curl, packed by another program, and its zip stays what it was (needs curl)',
    async () => {
      const plain = await host.repository(PLAIN);
      await plain.commit({ 'go.mod': goMod(PLAIN), 'a.go': 'package a\n' }, { tags: ['v1.0.0'] });
      expect(await go('mod', 'download', `${PLAIN}@v1.0.0`)).toMatchObject({ code: 0, stderr: '' });
      const target = `/${PLAIN}/@v/v1.0.0`;
      const served = async (kind: string) =>
        Buffer.from(await (await gokeep.get(`${target}.${kind}`)).arrayBuffer());
      const before = [await served('zip'), await served('info')];
      const zip = uncompressedZipOf(PLAIN, 'v1.0.0');
      expect(zip.equals(before[0]!)).toBe(false);
      const file = path.join(scratch, 'plain.zip');
      await writeFile(file, zip);
      for (const to of [`${target}.zip`, '/api/v1/upload']) {
        const args = ['--silent', '--noproxy', '*', '--write-out', '%{http_code}', '--upload-file', file];
        const { stdout } = await promisify(execFile)('curl', [...args, gokeep.url + to]);
        expect(stdout).toMatch(/"added":false\}\n200$/);
      }
      expect([await served('zip'), await served('info')]).toEqual(before);
      expect(await go('mod', 'download', `${PLAIN}@v1.0.0`)).toMatchObject({ code: 0, stderr: '' });
      const other = uncompressedZipOf(PLAIN, 'v1.0.0', { 'a.go': 'package other\n' });
      const answer = await fetch(`${gokeep.url}${target}.zip`, {
        method: 'PUT',
        body: new Uint8Array(other),
      });
      expect(answer.status).toBe(409);
    },
  );

  it('keeps what was published when its host goes away', async () => {
    const gone = `[url "http://127.0.0.1:1/"]\n\tinsteadOf = https://${HOST}/\n`;
    await writeFile(await host.gitconfig(HOST), gone);
    const { data } = gokeep;
    await gokeep.stop();
    await rm(path.join(data, 'upstream.db'));
    gokeep = await GokeepProcess.start({ toml, data });
    expect(await versions(LIB)).toEqual(['v1.0.0', 'v1.1.0', 'v1.2.0-rc.1']);
    expect(await go('mod', 'download', `${LIB}@v1.2.0-rc.1`)).toMatchObject({ code: 0, stderr: '' });
  });
});
