import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { GokeepError } from '../../src/errors.ts';
import { readContent } from '../../src/modzip/content.ts';
import { findDirectory, readDirectory } from '../../src/modzip/directory.ts';
import { verifyModuleZip } from '../../src/modzip/verify.ts';
import { type ZipSource, ZipWindow } from '../../src/modzip/zip-source.ts';
import { DirectSource } from '../../src/upstream/direct.ts';
import type { DirectSettings } from '../../src/upstream/go-command.ts';
import { Places } from '../../src/upstream/places.ts';
import type { Repository } from '../world/git-host.ts';
import { PrivateGitHost } from '../world/private-git-host.ts';

let host: PrivateGitHost;
let instances = 0;
/** A file that nothing may make. */
let marker: string;

beforeAll(async () => {
  host = await PrivateGitHost.start();
  marker = path.join(host.directory, 'ran');
});

beforeEach(() => {
  host.connections.length = 0;
});

afterAll(() => host[Symbol.asyncDispose]());

function source(more: Partial<DirectSettings> = {}): DirectSource & { readonly directory: string } {
  const directory = path.join(host.directory, `direct-${++instances}`);
  const direct = new DirectSource({
    directory,
    path: process.env['PATH'] ?? '',
    deadline: 60_000,
    places: new Places(2),
    maxFile: 2 ** 30,
    diskReserve: 0,
    credentials: { hosts: [] },
    caFile: host.caFile,
    httpsProxy: host.proxy,
    ...more,
  });
  return Object.assign(direct, { directory });
}

/** A repository `git.corp.test/<name>.git` with a go.mod, to which a test adds its own. */
async function repository(name: string): Promise<{ module: string; repo: Repository }> {
  const module = `git.corp.test/${name}.git`;
  const repo = await host.repository(module);
  await repo.commit({ 'go.mod': `module ${module}\n\ngo 1.21\n`, 'a.go': 'package a\n' });
  return { module, repo };
}

interface Zip {
  readonly source: ZipSource;
  readonly names: readonly string[];
  readonly contents: ReadonlyMap<string, string>;
}

async function readZip(bytes: Buffer, module: string): Promise<Zip> {
  const from: ZipSource = {
    size: bytes.length,
    read: async (position, length) => bytes.subarray(position, position + length),
  };
  const directory = await findDirectory(from);
  const contents = new Map<string, string>();
  for await (const entry of readDirectory(from, directory)) {
    const content = await readContent(from, new ZipWindow(from), entry, directory.offset, true);
    contents.set(entry.name.slice(`${module}@v1.0.0/`.length), String(content.bytes));
  }
  return { source: from, names: [...contents.keys()].sort(), contents };
}

/** The zip that comes out, or the error. */
async function zipOf(module: string, direct = source()): Promise<Zip | GokeepError> {
  const name = path.join(host.directory, `${++instances}.zip`);
  await using file = await open(name, 'w+');
  try {
    await direct.fetchZip(module, 'v1.0.0', file, undefined);
  } catch (error) {
    return error as GokeepError;
  }
  return await readZip(await readFile(name), module);
}

/** What no repository may bring about. */
function nothingHappened(): void {
  expect(existsSync(marker)).toBe(false);
  expect(new Set(host.connections)).toEqual(new Set(['git.corp.test:443']));
}

test('a submodule is not fetched, whatever its address', async () => {
  const { module, repo } = await repository('submodule');
  const addresses = [
    `ext::sh -c "touch ${marker}"`,
    '-oProxyCommand=x',
    'https://inside.corp.test/x',
    '/etc',
  ];
  const modules = addresses.map(
    (url, i) =>
      `[submodule "s${i}"]\n\tpath = s${i}\n\turl = ${JSON.stringify(url)}\n\tupdate = !touch ${marker}\n`,
  );
  const commit = await repo.commit({ '.gitmodules': modules.join('') });
  for (const i of addresses.keys()) {
    execFileSync('git', ['update-index', '--add', '--cacheinfo', `160000,${commit},s${i}`], {
      cwd: repo.work,
    });
  }
  await repo.commit({}, { tags: ['v1.0.0'] });
  expect(await zipOf(module)).toMatchObject({ names: ['.gitmodules', 'a.go', 'go.mod'] });
  nothingHappened();
});

test('hooks and filters that a repository brings do not run, and an LFS pointer stays one', async () => {
  const { module, repo } = await repository('filters');
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n';
  await repo.commit(
    {
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs\n*.txt filter=evil ident export-subst\n',
      '.gitconfig': `[filter "evil"]\n\tsmudge = touch ${marker}\n[core]\n\tfsmonitor = touch ${marker}\n`,
      '.lfsconfig': '[lfs]\n\turl = https://inside.corp.test/lfs\n',
      'hooks/post-checkout': `#!/bin/sh\ntouch ${marker}\n`,
      'big.bin': pointer,
      'x.txt': 'text\n',
    },
    { tags: ['v1.0.0'] },
  );
  // As `git lfs install` sets it up for the user who runs gokeep.
  const gitConfigFile = await host.file(
    'lfs-config',
    `[filter "lfs"]\n\tsmudge = touch ${marker}\n\tprocess = touch ${marker}\n\trequired = true\n`,
  );
  const zip = await zipOf(module, source({ credentials: { hosts: [], gitConfigFile } }));
  expect(zip).toMatchObject({
    names: expect.arrayContaining(['big.bin', 'hooks/post-checkout']) as string[],
  });
  expect((zip as Zip).contents.get('big.bin')).toBe(pointer);
  nothingHappened();
});

test('a link is left out, so that it leads nowhere', async () => {
  const { module, repo } = await repository('links');
  await mkdir(path.join(repo.work, 'd'));
  await symlink('/etc/passwd', path.join(repo.work, 'passwd'));
  await symlink('../../../../..', path.join(repo.work, 'd', 'up'));
  await repo.commit({}, { tags: ['v1.0.0'] });
  expect(await zipOf(module)).toMatchObject({ names: ['a.go', 'go.mod'] });
  nothingHappened();
});

test('a go.mod that is a link is no go.mod', async () => {
  const { module, repo } = await repository('linked-mod');
  execFileSync('ln', ['-sf', '/etc/passwd', path.join(repo.work, 'go.mod')]);
  await repo.commit({}, { tags: ['v1.0.0'] });
  const mod = await source()
    .fetch({ kind: 'mod', path: module, version: 'v1.0.0' }, undefined)
    .then(
      (body) => body.toString(),
      (error: GokeepError) => error.message,
    );
  expect(mod).not.toContain('root:');
  nothingHappened();
});

test.each([
  ['a line break', 'a\nb.go'],
  ['a control character', 'a\u001b[31m.go'],
  ['a backslash', 'a\\b.go'],
  ['a name that Windows reserves', 'con.go'],
  ['names that differ by case alone', 'A.go'],
])('a file name with %s is refused in one sentence', async (what, name) => {
  const { module, repo } = await repository(what.replaceAll(' ', '-'));
  await writeFile(path.join(repo.work, name), 'package a\n');
  await repo.commit({}, { tags: ['v1.0.0'] });
  const error = await zipOf(module);
  if ('names' in error) {
    // What go takes, admission judges: nothing unfit is stored.
    await expect(verifyModuleZip(error.source, module, 'v1.0.0')).rejects.toMatchObject({ code: 'bad_zip' });
  } else {
    expect(error).toMatchObject({ code: 'upstream_failed' });
    expect(error.message).toMatch(/^Module .* could not be fetched from its repository: .*\.$/);
    expect(error.message).not.toMatch(/\p{Cc}/u);
  }
  nothingHappened();
});

test.each([
  ['a command', (file: string) => `ext::sh -c touch% ${file}`],
  ['an option', (file: string) => `--upload-pack=touch ${file}`],
  ['an option as a host', (file: string) => `ssh://-oProxyCommand=touch ${file}/x`],
  ['a directory of ours', () => 'file:///etc'],
  ['a host by plain git', () => 'git://git.corp.test/x'],
])('a go-import page that names %s as the repository leads nowhere', async (_what, address) => {
  host.pages.clear();
  host.pages.set('git.corp.test/page', address(marker));
  const error = await source()
    .fetch({ kind: 'list', path: 'git.corp.test/page' }, undefined)
    .then(
      () => undefined,
      (thrown: GokeepError) => thrown,
    );
  expect(error?.message).toMatch(/^Module git\.corp\.test\/page (?:could not be fetched|does not exist)/);
  nothingHappened();
});

test('tags and branches with strange names are no options and no versions', async () => {
  const { module, repo } = await repository('refs');
  const commit = await repo.commit({}, { tags: ['v1.0.0'] });
  const bare = path.join(host.folder('git.corp.test'), 'refs.git');
  for (const ref of [
    'refs/tags/-x',
    'refs/heads/--upload-pack=x',
    `refs/tags/v1.1.0;touch`,
    'refs/tags/v9.9',
  ]) {
    await mkdir(path.dirname(path.join(bare, ref)), { recursive: true });
    await writeFile(path.join(bare, ref), `${commit}\n`);
  }
  const versions = await source().fetch({ kind: 'list', path: module }, undefined);
  expect(String(versions)).toBe('v1.0.0\n');
  nothingHappened();
});

test('a history that is larger than allowed is not fetched, told so, and takes no room', async () => {
  const { module, repo } = await repository('large');
  await writeFile(path.join(repo.work, 'noise'), randomBytes(8 * 2 ** 20));
  await repo.commit({}, { tags: ['v1.0.0'] });
  const direct = source({ maxFile: 4 * 2 ** 20 });
  expect(await zipOf(module, direct)).toMatchObject({
    code: 'upstream_failed',
    message: expect.stringContaining('may be larger than direct.max_repository allows') as string,
  });
  const left = execFileSync('du', ['-sm', direct.directory]).toString();
  expect(Number.parseInt(left, 10)).toBeLessThan(6);
});

test('a fetch that would fill the disk is ended, and what it wrote goes away', async () => {
  const { module, repo } = await repository('endless');
  await writeFile(path.join(repo.work, 'noise'), randomBytes(2 ** 20));
  await repo.commit({}, { tags: ['v1.0.0'] });
  host.onRequest = async ({ target }) => {
    if (target.includes('git-upload-pack')) await new Promise((resolve) => setTimeout(resolve, 3_000));
  };
  const direct = source({ diskReserve: 2 ** 60 });
  const pack = path.join(direct.directory, 'mod/cache/vcs/0/objects/pack');
  const asked = zipOf(module, direct);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await mkdir(pack, { recursive: true });
  await writeFile(path.join(pack, 'tmp_pack_x'), 'half');
  expect(await asked).toMatchObject({ code: 'storage_full' });
  expect(await readdir(pack)).toEqual([]);
  host.onRequest = async () => {};
});
