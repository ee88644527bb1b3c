import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateKey } from '../../src/note/signer.ts';
import { gokeep } from '../cli/program.ts';
import { GoClient } from '../world/go-client.ts';
import { makeModule } from '../world/modules.ts';
import { needs } from '../world/programs.ts';
import { UpstreamWorld, WORLD_DATABASE } from '../world/upstream-world.ts';

const GO_MOD = `module main.test/main

go 1.21

require (
	example.test/tree v1.1.0
	example.test/leaf v1.0.0 // indirect
)
`;
const PROGRAM = 'package main\n\nimport _ "example.test/tree"\n\nfunc main() {}\n';
const LEAF_ZIP = 'example.test/leaf/@v/v1.0.0.zip';
const TREE_ZIP = 'example.test/tree/@v/v1.1.0.zip';

let directory: string;
let world: UpstreamWorld;
let vkey: string;
let worldVkey: string;
let goSum: string;

const at = (...names: string[]) => path.join(directory, ...names);

/** git with nobody's settings, so that LFS is on only where a test turns it on. */
function git(cwd: string, ...args: string[]): string {
  const identity = ['-c', 'user.name=made', '-c', 'user.email=made@example.test', '-c', 'gc.auto=0'];
  const env = {
    PATH: process.env['PATH']!,
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
  return execFileSync('git', [...identity, ...args], { cwd, env, encoding: 'utf8', stdio: 'pipe' });
}

/** A client with the program, and with the go.sum of an earlier build unless it is to have none. */
async function client(proxy: string, o: { goSum?: string; env?: Record<string, string> } = {}) {
  const made = await GoClient.create({
    GOPROXY: `file://${proxy}`,
    GOSUMDB: worldVkey,
    GOFLAGS: '-mod=readonly -modcacherw',
    ...o.env,
  });
  await made.write('go.mod', GO_MOD);
  await made.write('main.go', PROGRAM);
  if (o.goSum !== undefined) await made.write('go.sum', o.goSum);
  return made;
}

const verify = (bundle: string) =>
  gokeep(['bundle', 'verify', bundle, '--key', vkey, '--key', worldVkey, '--data', at('none')]);

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-recipes-'));
  world = await UpstreamWorld.start();
  worldVkey = world.vkey;
  await world.publish({ path: 'example.test/leaf', version: 'v1.0.0' });
  await world.publish({
    path: 'example.test/tree',
    version: 'v1.1.0',
    require: { 'example.test/leaf': 'v1.0.0' },
  });
  await using online = await client('', {
    env: { GOPROXY: world.url, GOSUMDB: world.gosumdb, GOFLAGS: '-mod=mod -modcacherw' },
  });
  expect(await online.run('mod', 'download', 'all')).toMatchObject({ code: 0 });
  goSum = await readFile(path.join(online.directory, 'main', 'go.sum'), 'utf8');

  const config = at('gokeep.toml');
  await writeFile(config, `version = 1\n[[upstream]]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`);
  const common = ['--config', config, '--data', at('data')];
  const main = path.join(online.directory, 'main');
  const output = ['--output', at('first.tar')];
  const made = await gokeep(['bundle', 'create', ...common, ...output, main], {
    PATH: process.env['PATH']!,
  });
  expect(made).toMatchObject({ code: 0, stderr: '' });
  vkey = (await gokeep(['key', 'show', '--data', at('data')])).stdout.trim();
  await mkdir(at('unpacked'));
  execFileSync('tar', ['-xf', at('first.tar'), '-C', at('unpacked')]);
});

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

describe.skipIf(!needs('git') || !needs('git-lfs'))('a bundle in a git repository with LFS', () => {
  /** A clone that has the zips but those of this pattern, which stay the pointers that LFS left. */
  function clone(name: string, ...exclude: string[]): string {
    const to = at(name);
    git(directory, 'clone', '--quiet', `file://${at('remote.git')}`, to);
    git(to, 'lfs', 'install', '--local');
    git(to, 'lfs', 'pull', ...exclude);
    return to;
  }

  beforeAll(async () => {
    git(directory, 'init', '--quiet', '--bare', '--initial-branch=main', at('remote.git'));
    const work = at('work');
    await cp(at('unpacked'), work, { recursive: true });
    git(work, 'init', '--quiet', '--initial-branch=main');
    git(work, 'lfs', 'install', '--local');
    git(work, 'lfs', 'track', '*.zip');
    git(work, 'add', '--all');
    git(work, 'commit', '--quiet', '--message=first bundle');
    git(work, 'push', '--quiet', `file://${at('remote.git')}`, 'main');
    const held = git(work, 'cat-file', '-p', `HEAD:${LEAF_ZIP}`);
    expect(held).toMatch(/^version https:\/\/git-lfs/);
  });

  it('is found in order in a clone, beside .git and .gitattributes, and go builds from it', async () => {
    const share = clone('clone');
    const found = await verify(share);
    expect(found.stdout).toContain('all in order');
    expect(found).toMatchObject({ code: 0, stderr: '' });
    await using closed = await client(share, { goSum });
    expect(await closed.run('build', './...')).toMatchObject({ code: 0 });
    expect((await closed.run('mod', 'verify')).stdout).toContain('all modules verified');
    expect(await readFile(path.join(closed.directory, 'main', 'go.sum'), 'utf8')).toBe(goSum);
  });

  it('is refused where a zip is still a pointer, which the gate names, and go does not build', async () => {
    const share = clone('pointers', `--exclude=${TREE_ZIP}`);
    expect(await readFile(path.join(share, TREE_ZIP), 'utf8')).toMatch(/^version https:\/\/git-lfs/);
    const found = await verify(share);
    expect(found.code).toBe(1);
    expect(found.stdout).toContain(TREE_ZIP);
    expect(found.stdout).toContain('this bundle is not to be used');
    expect(found.stdout).not.toContain(LEAF_ZIP);
    await using closed = await client(share, { goSum });
    const built = await closed.run('build', './...');
    expect(built.code).toBe(1);
    // go does not say which one.
    expect(built.stderr).toContain('zip: not a valid zip file');
  });
});

describe('what the page says no Go version reads', () => {
  const unread = (): Record<string, string> => ({
    GOSUMDB_VERIFY: 'off',
    GOSUMDBPUBLICKEY: vkey,
    GONOSUMCHECK: '*',
  });

  it('is not known to go env, nor can it be set there', async () => {
    await using closed = await client(at('unpacked'), { env: unread() });
    expect(await closed.run('env', ...Object.keys(unread()))).toMatchObject({ code: 0, stdout: '\n\n\n' });
    for (const name of Object.keys(unread())) {
      const set = await closed.run('env', '-w', `${name}=off`);
      expect(set.stderr).toContain(`unknown go command variable ${name}`);
      expect(set.code).not.toBe(0);
    }
  });

  const refusedBuild = async (proxy: string, env: Record<string, string>) => {
    await using closed = await client(proxy, { env: { GOFLAGS: '-mod=mod -modcacherw', ...env } });
    const refused = await closed.run('build', './...');
    expect(refused.code).not.toBe(0);
    return refused.stderr;
  };

  it('lets no swapped zip through, and GONOSUMDB, which is read, does', async () => {
    const swapped = at('swapped');
    await cp(at('unpacked'), swapped, { recursive: true });
    const other = await makeModule({
      path: 'example.test/tree',
      version: 'v1.1.0',
      require: { 'example.test/leaf': 'v1.0.0' },
      files: { 'other.go': 'package tree\n\nfunc Other() {}\n' },
    });
    await writeFile(path.join(swapped, TREE_ZIP), other.zip);
    for (const env of [{}, unread()])
      expect(await refusedBuild(swapped, env)).toMatch(/checksum mismatch[^]*SECURITY ERROR/);
    await using trusting = await client(swapped, {
      env: { GOFLAGS: '-mod=mod -modcacherw', GONOSUMDB: '*' },
    });
    expect(await trusting.run('mod', 'download', 'all')).toMatchObject({ code: 0 });
  });

  it('lets no wrong record through', async () => {
    const wrong = at('wrong');
    await cp(at('unpacked'), wrong, { recursive: true });
    const file = path.join(wrong, 'sumdb', WORLD_DATABASE, 'lookup', 'example.test/tree@v1.1.0');
    const record = await readFile(file, 'utf8');
    await writeFile(file, record.replace(/h1:[A-Za-z0-9+/]{43}/, `h1:${'A'.repeat(43)}`));
    for (const env of [{}, unread()])
      expect(await refusedBuild(wrong, env)).toContain('cannot authenticate record data');
  });

  it('makes no other key of GOSUMDB the right one', async () => {
    const GOSUMDB = generateKey(WORLD_DATABASE, Buffer.alloc(32, 9)).vkey;
    for (const more of [{}, { ...unread(), GOSUMDBPUBLICKEY: worldVkey }])
      expect(await refusedBuild(at('unpacked'), { GOSUMDB, ...more })).toContain(
        'note has no verifiable signatures',
      );
  });
});
