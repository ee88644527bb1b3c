import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { h1OfGoMod } from '../../src/modzip/dirhash.ts';
import { verifyModuleZip } from '../../src/modzip/verify.ts';
import { moduleZip } from '../../src/publish/module-zip.ts';
import { memorySource } from '../modzip/zip.ts';
import { GitHost, type Repository } from '../world/git-host.ts';
import { GoClient } from '../world/go-client.ts';
import { type CommitCase, commitCases, randomCases } from './commit-cases.ts';

const HOST = 'git.corp.test';
const LIB = `${HOST}/team/lib.git`;

/** What `go mod download -json` says of one version. */
interface Downloaded {
  Path: string;
  Version: string;
  Error?: string;
  Info?: string;
  Sum?: string;
  GoModSum?: string;
  Origin?: { Hash?: string };
}

const cases = [...commitCases, ...randomCases].map((commit, i) => {
  const { subdirectory = '', major = 1 } = commit;
  const version = `v${major}.0.${i}`;
  const suffix = commit.suffix ?? (subdirectory === '' ? '' : `/${subdirectory}`);
  // The directory of a major version has no part in the tag.
  const tag = subdirectory === '' || subdirectory === 'v2' ? version : `${subdirectory}/${version}`;
  return { name: commit.name, commit, path: `${LIB}${suffix}`, version, tag, subdirectory };
});

let host: GitHost;
let lib: Repository;
let scratch = '';
const byGo = new Map<string, Downloaded>();

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'gokeep-publish-'));
  host = await GitHost.start();
  lib = await host.repository(LIB);
  for (const { commit, tag } of cases) await commitTree(lib, commit, tag);
  await lib.git('push', '-q', lib.bare, '--tags');
  for (const answer of await downloadAll()) byGo.set(`${answer.Path}@${answer.Version}`, answer);
}, 240_000);

afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

/** Makes a commit that holds this tree and nothing else, and tags it. */
async function commitTree(repository: Repository, commit: CommitCase, tag: string): Promise<void> {
  const { directory } = repository;
  await repository.git('read-tree', '--empty');
  await repository.git('clean', '-ffdxq');
  const within = async (name: string): Promise<string> => {
    await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
    return path.join(directory, name);
  };
  const replaced = new Set([
    ...Object.keys(commit.symlinks ?? {}),
    ...Object.keys(commit.files).map((name) => path.dirname(name)),
  ]);
  for (const [name, content] of Object.entries(commit.files))
    if (!replaced.has(name)) await writeFile(await within(name), content.replaceAll('LIB', LIB));
  for (const [name, to] of Object.entries(commit.symlinks ?? {})) await symlink(to, await within(name));
  for (const name of commit.executable ?? []) await chmod(path.join(directory, name), 0o755);
  await repository.git('add', '-A', '-f', '.');
  for (const name of commit.submodules ?? [])
    await repository.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},${name}`);
  await repository.git('commit', '-q', '--allow-empty', '-m', commit.name);
  await repository.git('tag', tag);
}

async function downloadAll(): Promise<Downloaded[]> {
  await using client = await GoClient.create({
    GOPROXY: 'direct',
    GOSUMDB: 'off',
    GOVCS: '*:git',
    GOFLAGS: '-mod=mod -modcacherw',
    GIT_CONFIG_GLOBAL: await host.gitconfig(HOST),
    GIT_CONFIG_NOSYSTEM: '1',
  });
  const wanted = cases.map(({ path, version }) => `${path}@${version}`);
  const { stdout } = await client.run('mod', 'download', '-json', ...wanted);
  const answers = stdout
    .split(/(?<=^\})\n/m)
    .filter((text) => text.trim() !== '')
    .map((text) => JSON.parse(text) as Downloaded);
  for (const answer of answers)
    if (answer.Info !== undefined) answer.Info = await readFile(answer.Info, 'utf8');
  return answers;
}

describe('a commit makes the zip that go makes of it, or none where go makes none', () => {
  it.each(cases)('$name ($version)', async ({ path: modulePath, version, tag, subdirectory }) => {
    const go = byGo.get(`${modulePath}@${version}`);
    const output = path.join(scratch, version);
    const git = { searchPath: process.env['PATH'] ?? '', deadline: 60_000 };
    const source = {
      kind: 'git',
      git,
      repository: lib.bare,
      revision: `refs/tags/${tag}`,
      subdirectory,
    } as const;
    const making = moduleZip({ path: modulePath, version, source, scratch }, output);
    if (go?.Sum === undefined) {
      expect(go?.Error).toBeTruthy();
      await expect(making).rejects.toMatchObject({ code: expect.stringMatching(/^bad_(zip|mod_file)$/) });
      return;
    }
    const made = await making;
    expect(made.h1).toBe(go.Sum);
    expect(h1OfGoMod(made.goMod)).toBe(go.GoModSum);
    expect(made.commit?.hash).toBe(go.Origin?.Hash);
    expect(made.commit?.time).toEqual(new Date((JSON.parse(go.Info ?? '') as { Time: string }).Time));
    const facts = await verifyModuleZip(memorySource(await readFile(output)), modulePath, version);
    expect(facts).toMatchObject({ h1: go.Sum, files: made.files.length });
  });
});

it('both happened: go made zips of most, and refused some', () => {
  const sums = [...byGo.values()].filter(({ Sum }) => Sum !== undefined);
  expect(sums.length).toBeGreaterThan(cases.length / 2);
  expect(byGo.size - sums.length).toBeGreaterThan(5);
});
