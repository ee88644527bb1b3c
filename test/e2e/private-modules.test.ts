import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GitHost, type Repository } from '../world/git-host.ts';
import { GoClient, type GoResult } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const HOST = 'git.corp.test';
const LIB = `${HOST}/team/lib.git`;
const UPPER = `${HOST}/Team/Lib.git`;

let world: UpstreamWorld;
let host: GitHost;
let lib: Repository;
let commit: string;
let gokeep: GokeepProcess;

beforeAll(async () => {
  world = await UpstreamWorld.start();
  await world.publish({ path: 'example.test/open', version: 'v1.0.0' });
  host = await GitHost.start();
  lib = await host.repository(LIB);
  const goMod = (path: string) => `module ${path}\n\ngo 1.21\n`;
  await lib.commit(
    {
      'go.mod': goMod(LIB),
      'lib.go': 'package lib\n',
      'deep/er/pkg/pkg.go': 'package pkg\n\nconst Name = "pkg"\n',
      'tool/go.mod': goMod(`${LIB}/tool`),
      'tool/tool.go': 'package tool\n',
    },
    { tags: ['v1.0.0', 'tool/v0.2.0'] },
  );
  await lib.commit({ 'go.mod': goMod(`${LIB}/v2`) }, { tags: ['v2.0.0'] });
  commit = await lib.commit(
    { 'go.mod': goMod(LIB), 'lib.go': 'package lib\n\n// later\n' },
    { branches: ['dev'] },
  );
  const upper = await host.repository(UPPER);
  await upper.commit({ 'go.mod': goMod(UPPER), 'lib.go': 'package lib\n' }, { tags: ['v1.0.0'] });
  gokeep = await GokeepProcess.start({
    toml: [
      'private = ["git.corp.test", "upper.test/Team/*", "exact.test/one/mod", "*.glob.test"]',
      `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"`,
      `[direct]\ngitconfig = "${await host.gitconfig(HOST)}"\nprotocols = ["http", "https"]\n`,
      '[timeouts]\ndirect = "30s"\n',
    ].join('\n'),
  });
});

afterAll(async () => {
  await gokeep[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

/** With our own database, and for private modules through both, as the setup page says. */
async function go(...args: string[]): Promise<GoResult> {
  await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
  return await client.run(...args);
}

const json = ({ stdout }: GoResult): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;

/** Everything the public upstream was asked, unescaped, that names something private. */
function leaks(): string[] {
  return world.upstream.targets.filter((target) =>
    /corp\.test|upper\.test\/(?:!|%21)team|exact\.test\/one\/mod(?:[/@]|$)|[a-z]\.glob\.test/i.test(target),
  );
}

describe('private modules come from their repository, verified by our own database', () => {
  it('tags', async () => {
    expect((await go('list', '-m', '-versions', LIB)).stdout).toBe(`${LIB} v1.0.0\n`);
    const downloaded = await go('mod', 'download', '-json', `${LIB}@v1.0.0`);
    expect(json(downloaded)).toMatchObject({
      Version: 'v1.0.0',
      Sum: expect.stringMatching(/^h1:/) as string,
      Origin: { VCS: 'git', URL: `https://${HOST}/team/lib`, Ref: 'refs/tags/v1.0.0' },
    });
    const record = await gokeep.get(`/sumdb/${gokeep.vkey.split('+')[0]!}/lookup/${LIB}@v1.0.0`);
    expect(record.headers.get('cache-control')).toContain('private');
    expect(await record.text()).toContain(`${LIB} v1.0.0 ${String(json(downloaded)['Sum'])}\n`);
  });

  it('a module in a subdirectory', async () => {
    expect(json(await go('mod', 'download', '-json', `${LIB}/tool@latest`))['Version']).toBe('v0.2.0');
  });

  it('a major version', async () => {
    expect(json(await go('mod', 'download', '-json', `${LIB}/v2@latest`))['Version']).toBe('v2.0.0');
  });

  it('a branch, a commit and the pseudo-version they mean', async () => {
    const branch = json(await go('mod', 'download', '-json', `${LIB}@dev`))['Version'];
    expect(branch).toMatch(new RegExp(`-${commit.slice(0, 12)}$`));
    expect(json(await go('list', '-m', '-json', `${LIB}@${commit.slice(0, 12)}`))['Version']).toBe(branch);
    expect(json(await go('mod', 'download', '-json', `${LIB}@${String(branch)}`))['Version']).toBe(branch);
  });

  it('an upper-case path', async () => {
    expect(json(await go('mod', 'download', '-json', `${UPPER}@v1.0.0`))).toMatchObject({ Path: UPPER });
  });

  it('go get of a package deep inside, while all its parents and sub-paths are probed', async () => {
    const startedAt = performance.now();
    const got = await go('get', `${LIB}/deep/er/pkg`);
    expect(got).toMatchObject({ code: 0 });
    expect(got.stderr).toContain(`added ${LIB} v1.0.0`);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });

  it('beside a public module', async () => {
    await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
    expect(await client.run('get', `${LIB}@v1.0.0`, 'example.test/open')).toMatchObject({ code: 0 });
    expect((await client.run('mod', 'verify')).stdout).toContain('all modules verified');
  });

  it('what the repository does not have is 404, and says so', async () => {
    const missing = await go('list', '-m', `${LIB}@v1.0.9`);
    expect(missing).toMatchObject({ code: 1 });
    expect(missing.stderr.replaceAll(/\s+/g, ' ')).toContain(
      `${LIB}@v1.0.9 does not exist in its repository`,
    );
    expect((await gokeep.get(`/${LIB}/@v/v1.0.9.info`)).status).toBe(404);
  });
});

describe('a private path never leaves', () => {
  const suffixes = ['@v/list', '@latest', '@v/v1.0.0.info', '@v/v1.0.0.mod', '@v/v1.0.0.zip', '@v/main.info'];
  const spellings = [
    `${HOST}/team/none.git`,
    `${HOST}/!team/none.git`,
    `${HOST}/%21team/none.git`,
    HOST,
    `${HOST}/team`,
    'upper.test/!team/lib',
    'upper.test/%21team/lib/sub',
    `${HOST}/team/none.git/sub/path`,
    `${HOST}/team/none.git/v3`,
    'exact.test/one/mod',
    'exact.test/one/mod/v2',
    'exact.test/one/mod/sub',
    'a.glob.test/any',
    'a.glob.test/!any/%21thing',
  ];

  it.each(spellings)('%s, at any address of ours', async (spelled) => {
    const version = spelled.endsWith('/v3') ? 'v3.0.0' : spelled.endsWith('/v2') ? 'v2.0.0' : 'v1.0.0';
    const own = gokeep.vkey.split('+')[0]!;
    const targets = [
      ...suffixes.map((suffix) => `/${spelled}/${suffix.replace('v1.0.0', version)}`),
      `/sumdb/${own}/lookup/${spelled}@${version}`,
      `/sumdb/localhost.localdev/sumdb/lookup/${spelled}@${version}`,
      `/cached-only/${spelled}/@v/list`,
    ];
    const statuses = await Promise.all(targets.map(async (target) => (await gokeep.get(target)).status));
    expect(statuses.filter((status) => status === 200)).toEqual([]);
    expect(leaks()).toEqual([]);
  });

  it('and a path that only looks like one is public', async () => {
    for (const path of ['exact.test/one/modest', 'exact.test/one', 'upper.test/team/lib', 'glob.test']) {
      expect((await gokeep.get(`/${path}/@v/list`)).status).toBe(404);
      expect(world.moduleTargets).toContain(`/${path}/@v/list`);
    }
  });
});

describe('clients of the public database', () => {
  it('are told what to set, and the database is not asked', async () => {
    await using client = await GoClient.create({
      GOPROXY: gokeep.url,
      GOSUMDB: world.vkey,
    });
    const refused = await client.run('mod', 'download', `${LIB}@v1.0.0`);
    expect(refused.code).toBe(1);
    expect(refused.stderr.replaceAll(/\s+/g, ' ')).toContain(
      `${LIB} is private, so localhost.localdev/sumdb is not asked about it. Set GOSUMDB to this gokeep's own database`,
    );
    expect(leaks()).toEqual([]);
  });
});
