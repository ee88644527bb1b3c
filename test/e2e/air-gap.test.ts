import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gokeep } from '../cli/program.ts';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { publishTree } from '../world/published-tree.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const PRIVATE = 'corp.test/lib';
const PROGRAM = `package main

import _ "example.test/tree/v2"
import _ "corp.test/lib"

func main() {}
`;

let directory: string;
let world: UpstreamWorld;
let own: UpstreamWorld;
let config: string;
let data: string;
let vkey: string;
let worldVkey: string;
let first: string;
let second: string;

const at = (name: string) => path.join(directory, name);

/** The program in a directory of its own, its go.mod as the first or as the second bundle is for. */
const WITH_NEW = PROGRAM.replace('import _ "corp', 'import _ "example.test/new"\nimport _ "corp');

async function project(name: string, more: string): Promise<string> {
  const to = at(name);
  await mkdir(to, { recursive: true });
  await writeFile(
    path.join(to, 'go.mod'),
    `module main.test/main\n\ngo 1.21\n\nrequire (\n\tcorp.test/lib v1.0.0\n\texample.test/tree/v2 v2.1.0\n\texample.test/leaf v1.0.0 // indirect\n\texample.test/Upper/letter v0.3.0-RC.1 // indirect\n${more})\n`,
  );
  return to;
}

/** A vulnerability database of one entry, as the real ones are laid out. */
async function madeVulndb(): Promise<string> {
  const base = at('vulndb');
  const modified = '2024-02-03T04:05:06Z';
  const id = 'GO-2024-0001';
  await mkdir(path.join(base, 'index'), { recursive: true });
  await mkdir(path.join(base, 'ID'));
  const put = (name: string, value: unknown) => writeFile(path.join(base, name), JSON.stringify(value));
  await put('index/db.json', { modified });
  await put('index/modules.json', [{ path: 'example.test/leaf', vulns: [{ id, modified, fixed: '1.1.0' }] }]);
  await put('index/vulns.json', [{ id, modified }]);
  await put(`ID/${id}.json`, {
    schema_version: '1.3.1',
    id,
    modified,
    published: modified,
    details: 'made',
    affected: [
      { package: { name: 'example.test/leaf', ecosystem: 'Go' }, ranges: [], ecosystem_specific: {} },
    ],
  });
  return base;
}

const create = (output: string, ...args: string[]) =>
  gokeep(['bundle', 'create', '--config', config, '--data', data, '--output', output, ...args], {
    PATH: process.env['PATH']!,
  });

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-airgap-'));
  world = await UpstreamWorld.start();
  own = await UpstreamWorld.start();
  worldVkey = world.vkey;
  await own.publish({ path: PRIVATE, version: 'v1.0.0' }, { inDatabase: false });
  for (let n = 0; n < 300; n++)
    world.database.add(`example.test/other${n}`, 'v1.0.0', Buffer.from(`other ${n}\n`));
  await publishTree(world);
  data = at('connected');
  config = at('connected.toml');
  await writeFile(
    config,
    [
      'version = 1',
      'private = ["corp.test"]',
      `[[upstream]]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"`,
      `[[upstream]]\nmatch = ["corp.test"]\nprivate = true\nproxy = "${own.url}"\n`,
    ].join('\n'),
  );
  first = at('first.tar');
  const made = await create(first, await project('one', ''), '--vulndb', await madeVulndb());
  expect(made).toMatchObject({ code: 0, stderr: '' });
  await world.publish({ path: 'example.test/new', version: 'v1.0.0' });
  second = at('second.tar');
  const more = await create(second, await project('two', '\texample.test/new v1.0.0\n'), '--since', first);
  expect(more).toMatchObject({ code: 0, stderr: '' });
  vkey = (await gokeep(['key', 'show', '--data', data])).stdout.trim();
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await own[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** A client that knows nothing builds the program, and the database that it trusts vouches for every module. */
async function build(client: GoClient, goMod: string, program = PROGRAM): Promise<void> {
  await client.write('go.mod', await readFile(path.join(goMod, 'go.mod'), 'utf8'));
  await client.write('main.go', program);
  await rm(path.join(client.directory, 'main', 'go.sum'), { force: true });
  const built = await client.run('build', '-mod=mod', '-o', 'program', '.');
  expect(built.stderr).not.toContain('SECURITY');
  expect(built, built.stderr).toMatchObject({ code: 0 });
  expect((await client.run('mod', 'verify')).stdout).toContain('all modules verified');
}

describe('a bundle', () => {
  it('unpacks with tar to a directory that go builds from, verified by our database, with no server', async () => {
    await mkdir(at('unpacked'));
    execFileSync('tar', ['-xf', first, '-C', at('unpacked')]);
    await using client = await GoClient.create({ GOPROXY: `file://${at('unpacked')}`, GOSUMDB: vkey });
    await build(client, at('one'));
  });

  it('is the same to the byte when it is made again', async () => {
    const again = at('again.tar');
    expect(await create(again, at('two'), '--since', first)).toMatchObject({ code: 0 });
    expect((await readFile(again)).equals(await readFile(second))).toBe(true);
  });

  it('is found in order by verify, which needs the public keys only', async () => {
    for (const bundle of [first, at('unpacked')]) {
      const found = await gokeep([
        'bundle',
        'verify',
        bundle,
        '--key',
        vkey,
        '--key',
        worldVkey,
        '--for',
        at('one'),
        '--data',
        at('none'),
      ]);
      expect(found.stdout).toContain('all in order');
      expect(found.stdout).toMatch(
        new RegExp(`1 module versions are proven by \\S+ alone, such as ${PRIVATE}@v1.0.0`),
      );
      expect(found.code).toBe(0);
    }
  });
});

const trust = (modules = 'private = ["corp.test"]\n') =>
  `${modules}offline = true\n[bundles]\ntrust = ["${vkey}"]\n[[upstream]]\nsumdb = "${worldVkey}"\n`;
const replica = () =>
  `replica = true\n[bundles]\ntrust = ["${vkey}"]\n[[upstream]]\nsumdb = "${worldVkey}"\n`;

/** A site without network, empty, and how to run commands in its data directory. */
async function site(name: string, toml: string) {
  const siteData = at(name);
  const file = at(`${name}.toml`);
  await mkdir(siteData, { recursive: true });
  await writeFile(file, `version = 1\n${toml}`);
  const run = (...args: string[]) =>
    gokeep([...args, '--config', file, '--data', siteData], { PATH: process.env['PATH']! });
  return { data: siteData, toml, run, serve: () => GokeepProcess.start({ data: siteData, toml }) };
}

describe.each([
  ['a keyless replica', replica],
  ['a site with a log of its own', () => trust()],
])('%s', (kind, toml) => {
  const name = kind.replaceAll(' ', '-');

  it('imports a bundle, with the server stopped, and serves the build; a second time changes nothing', async () => {
    const closed = await site(name, toml());
    const imported = await closed.run('bundle', 'import', first);
    expect(imported).toMatchObject({ code: 0, stderr: '' });
    expect(imported.stdout).toContain('imported: 4 zips');
    expect((await closed.run('bundle', 'import', first)).stdout).toContain('had been imported before');
    await using server = await closed.serve();
    expect(existsSync(path.join(closed.data, 'sumdb.key'))).toBe(kind !== 'a keyless replica');
    expect(server.vkey === vkey).toBe(kind === 'a keyless replica');
    await using client = await GoClient.create({ GOPROXY: server.url, GOSUMDB: server.vkey });
    await build(client, at('one'));
    const list = await client.run('list', '-m', '-versions', 'example.test/leaf');
    expect(list.stdout).toContain('v1.0.0');
    const vulns = await server.get('/vulndb/ID/GO-2024-0001.json');
    expect(await vulns.json()).toMatchObject({ id: 'GO-2024-0001' });
    expect((await server.get('/vulndb/index/modules.json.gz')).status).toBe(200);
    expect((await client.run('mod', 'download', 'example.test/new@v1.0.0')).stderr).toContain(
      'bundle wishlist',
    );
  });

  it('takes the next bundle beside the running server, for a client that remembers its head', async () => {
    const closed = await site(name, toml());
    await using server = await closed.serve();
    await using client = await GoClient.create({ GOPROXY: server.url, GOSUMDB: server.vkey });
    await build(client, at('one'));
    const { run } = await onPort(closed, server);
    const imported = await run('bundle', 'import', second);
    expect(imported).toMatchObject({ code: 0, stderr: '' });
    await client.run('clean', '-modcache');
    await build(client, at('two'), WITH_NEW);
    const fsck = await closed.run('fsck');
    expect(fsck.stdout).toContain('all in order');
  });

  it('names the bundle that is missing when they come in the wrong order, and takes nothing', async () => {
    const closed = await site(`${name}-order`, toml());
    const refused = await closed.run('bundle', 'import', second);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/follows on bundle [0-9a-f]{32}, which has not been imported here/);
    expect(existsSync(path.join(closed.data, 'bundles'))).toBe(false);
  });
});

it('a site with a log of its own takes nothing where only the maker of the bundle vouches for a public module', async () => {
  const closed = await site('unsaid', trust(''));
  const refused = await closed.run('bundle', 'import', first);
  expect(refused.code).toBe(1);
  expect(refused.stdout).toContain(`${PRIVATE}@v1.0.0 is a public module here, and the bundle proves it by `);
  expect(refused.stdout).toContain('add its path to private if it is yours');
  expect(existsSync(path.join(closed.data, 'bundles'))).toBe(false);
  expect((await closed.run('log', 'head')).stdout).not.toContain('records: 1');
});

/** Commands that find the running server at the port that it got. */
async function onPort(closed: { data: string; toml: string }, server: GokeepProcess) {
  const file = `${closed.data}-port.toml`;
  await writeFile(file, `version = 1\nlisten = "${new URL(server.url).host}"\n${closed.toml}`);
  return { run: (...args: string[]) => gokeep([...args, '--config', file, '--data', closed.data]) };
}

describe('bundles of one chain', () => {
  it('are small when little is new, and unpacked over each other serve a client that remembers the first head', async () => {
    const sizes = await Promise.all([first, second].map(async (file) => (await readFile(file)).length));
    expect(sizes[1]!).toBeLessThan(sizes[0]!);
    const directory = at('both');
    await mkdir(directory);
    execFileSync('tar', ['-xf', first, '-C', directory]);
    await using client = await GoClient.create({ GOPROXY: `file://${directory}`, GOSUMDB: vkey });
    await build(client, at('one'));
    execFileSync('tar', ['-xf', second, '-C', directory]);
    await client.run('clean', '-modcache');
    await build(client, at('two'), WITH_NEW);
    const keys = ['--key', vkey, '--key', worldVkey, '--for', at('two'), '--data', at('none')];
    const verified = await gokeep(['bundle', 'verify', directory, ...keys]);
    expect(verified.stdout).toContain('2 bundles lie here over each other');
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('all in order') });
  });

  it('are verified one after the other, and the second is not complete without the first', async () => {
    const keys = ['--key', vkey, '--key', worldVkey, '--for', at('two'), '--data', at('none')];
    const alone = await gokeep(['bundle', 'verify', second, ...keys]);
    expect(alone.stdout).toContain('is in none of the bundles given');
    expect(alone.code).toBe(1);
    const both = await gokeep([
      'bundle',
      'verify',
      second,
      ...keys,
      '--after',
      at('both-first'),
      '--after',
      first,
    ]);
    expect(both.code).not.toBe(0);
  });
});
