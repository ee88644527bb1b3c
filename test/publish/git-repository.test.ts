import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { inspectModule, type ModuleZip, moduleZip } from '../../src/publish/module-zip.ts';
import { GitHost, type Repository } from '../world/git-host.ts';

let host: GitHost;
let scratch = '';
let work = '';
/** One commit, tagged v1.0.0, that attributes would change. */
let lib: Repository;
let wanted: ModuleZip;

const searchPath = process.env['PATH'] ?? '';
const files = {
  'go.mod': 'module x.y/Z\n',
  'a.go': 'package a // $Format:%H$\n',
  '.gitattributes': '*.dat filter=touch\n',
  'a.dat': 'data\n',
  'sub/go.mod': 'module x.y/Z/sub\n',
};

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'gokeep-publish-'));
  scratch = path.join(work, 'scratch');
  await mkdir(scratch);
  host = await GitHost.start();
  lib = await host.repository('git.corp.test/team/lib.git');
  await lib.commit(files, { tags: ['v1.0.0'] });
  wanted = await make({ repository: lib.bare });
});

afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await rm(work, { recursive: true, force: true });
});

afterEach(async () => {
  // Whatever happens, nothing temporary stays.
  expect(await readdir(scratch)).toEqual([]);
});

interface Wish {
  repository: string;
  revision?: string;
  subdirectory?: string;
  path?: string;
  searchPath?: string;
  deadline?: number;
  signal?: AbortSignal;
}

let number = 0;

function make(wish: Wish): Promise<ModuleZip> {
  const { repository, revision = 'refs/tags/v1.0.0', subdirectory = '', path: modulePath = 'x.y/Z' } = wish;
  const git = { searchPath: wish.searchPath ?? searchPath, deadline: wish.deadline ?? 60_000 };
  const source = { kind: 'git', git, repository, revision, subdirectory } as const;
  const signal = wish.signal === undefined ? {} : { signal: wish.signal };
  const request = { path: modulePath, version: 'v1.0.0', source, scratch, ...signal };
  return moduleZip(request, path.join(work, `${number++}.zip`));
}

/** A repository of its own, to be spoilt. */
async function clone(...options: string[]): Promise<string> {
  const directory = path.join(work, `clone ${number++}`);
  await lib.git('clone', '-q', ...options, lib.bare, directory);
  return directory;
}

describe('the zip is the same', () => {
  it.each<[string, () => Promise<string>]>([
    ['from a bare repository', async () => lib.bare],
    ['from a working tree', async () => clone()],
    ['from a directory within a working tree', async () => path.join(await clone(), 'sub')],
    ['from a mirror', async () => clone('--mirror')],
    ['from a clone that borrows its objects', async () => clone('--shared')],
    ['from a shallow clone', async () => clone('--depth=1', '--branch=v1.0.0', '--no-local')],
    ['from packed objects', async () => clone('--no-local')],
    [
      'from a linked working tree',
      async () => {
        const linked = path.join(work, `linked ${number++}`);
        await lib.git('-C', await clone(), 'worktree', 'add', '-q', '--detach', linked);
        return linked;
      },
    ],
    [
      'when the working tree has changes that are not committed',
      async () => {
        const directory = await clone();
        await writeFile(path.join(directory, 'a.go'), 'package changed\n');
        await writeFile(path.join(directory, '.gitattributes'), '* export-ignore\n');
        await writeFile(path.join(directory, 'new.go'), 'package a\n');
        return directory;
      },
    ],
    [
      'when the directory is named by a link',
      async () => {
        const link = path.join(work, `link ${number++}`);
        execFileSync('ln', ['-s', await clone(), link]);
        return link;
      },
    ],
    [
      'when the commit was replaced',
      async () => {
        const directory = await clone();
        await writeFile(path.join(directory, 'a.go'), 'package evil\n');
        await lib.git('-C', directory, 'commit', '-qam', 'evil');
        await lib.git('-C', directory, 'replace', 'v1.0.0', 'HEAD');
        return directory;
      },
    ],
    [
      'when the tag was replaced',
      async () => {
        const directory = await clone();
        await lib.git('-C', directory, 'tag', '-am', 'good', 'good');
        await lib.git('-C', directory, 'tag', '-f', 'v1.0.0', 'good');
        await writeFile(path.join(directory, 'a.go'), 'package evil\n');
        await lib.git('-C', directory, 'commit', '-qam', 'evil');
        await lib.git('-C', directory, 'tag', '-am', 'evil', 'evil');
        await lib.git('-C', directory, 'replace', 'good', 'evil');
        return directory;
      },
    ],
  ])('%s', async (_, repository) => {
    expect(await make({ repository: await repository() })).toMatchObject({
      h1: wanted.h1,
      commit: wanted.commit,
      files: wanted.files,
    });
  });

  // Only root can give a file away. Git as such would refuse, for fear of what the configuration makes it run.
  it.runIf(process.getuid?.() === 0)('from a repository that belongs to another user', async () => {
    const directory = await clone();
    execFileSync('chown', ['-R', '12345', directory]);
    expect(() => execFileSync('git', ['-C', directory, 'status'], { stdio: 'pipe' })).toThrow(/dubious/);
    expect(await make({ repository: directory })).toMatchObject({ h1: wanted.h1 });
  });

  it('from a repository whose hashes are SHA-256', async () => {
    const directory = path.join(work, `sha256 ${number++}`);
    await lib.git('init', '-q', '--object-format=sha256', directory);
    for (const [name, content] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
      await writeFile(path.join(directory, name), content);
    }
    await lib.git('-C', directory, 'add', '.');
    await lib.git('-C', directory, 'commit', '-qm', 'x');
    const made = await make({ repository: directory, revision: 'HEAD' });
    expect(made.h1).toBe(wanted.h1);
    expect(made.commit?.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('byte for byte from a commit and from a directory, whose files come in another order', async () => {
    const directory = await clone();
    for (const name of ['order/a', 'order.b', 'order-c']) {
      await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
      await writeFile(path.join(directory, name), name);
    }
    await lib.git('-C', directory, 'add', '.');
    await lib.git('-C', directory, 'commit', '-qm', 'x');
    const fromCommit = await make({ repository: directory, revision: 'HEAD' });
    const source = { kind: 'directory', directory } as const;
    const request = { path: 'x.y/Z', version: 'v1.0.0', source, scratch };
    const fromDirectory = await moduleZip(request, path.join(work, `${number++}.zip`));
    expect(await readFile(fromDirectory.file)).toEqual(await readFile(fromCommit.file));
  });

  it.each(['HEAD', 'main', 'v1.0.0', 'refs/heads/main'])('by the name %s', async (revision) => {
    expect(await make({ repository: lib.bare, revision })).toMatchObject({ h1: wanted.h1 });
  });
});

describe('a repository that means harm', () => {
  it('runs nothing, and changes nothing in the zip', async () => {
    const directory = await clone();
    const mark = path.join(work, `mark-${number++}`);
    const command = `touch '${mark}'; cat`;
    const script = path.join(work, `script ${number++}`);
    await writeFile(script, `#!/bin/sh\ntouch '${mark}'\n`);
    await chmod(script, 0o755);
    for (const [key, value] of [
      ['filter.touch.smudge', command],
      ['filter.touch.clean', command],
      ['filter.touch.process', script],
      ['filter.touch.required', 'true'],
      ['core.fsmonitor', script],
      ['core.hooksPath', path.dirname(script)],
      ['core.pager', script],
      ['core.sshCommand', script],
      ['core.editor', script],
      ['core.alternateRefsCommand', script],
      ['core.autocrlf', 'true'],
      ['core.eol', 'crlf'],
      ['core.attributesFile', path.join(directory, 'attributes')],
      ['credential.helper', `!${script}`],
      ['gpg.program', script],
      ['log.showSignature', 'true'],
      ['alias.archive', `!${script}`],
      ['alias.rev-parse', `!${script}`],
      ['tar.zip.command', script],
      ['trace2.eventTarget', mark],
    ] as const)
      await lib.git('-C', directory, 'config', key, value);
    await writeFile(path.join(directory, 'attributes'), '* export-ignore export-subst\n');
    await writeFile(path.join(directory, '.git/info/attributes'), '*.go export-ignore\n* text eol=crlf\n');
    for (const hook of await readdir(path.join(directory, '.git/hooks')))
      await writeFile(
        path.join(directory, '.git/hooks', hook.replace('.sample', '')),
        `#!/bin/sh\n${script}\n`,
      );
    const before = await readdir(path.join(directory, '.git'));

    expect(await make({ repository: directory })).toMatchObject({ h1: wanted.h1 });
    await expect(readFile(mark)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(path.join(directory, '.git'))).toEqual(before);
  });

  it('is not asked for what it lacks', async () => {
    const directory = await clone();
    const mark = path.join(work, `mark-${number++}`);
    const blob = (await lib.git('rev-parse', 'v1.0.0:a.go')).trim();
    for (const [key, value] of [
      ['core.repositoryFormatVersion', '1'],
      ['extensions.partialClone', 'origin'],
      ['remote.origin.promisor', 'true'],
      ['remote.origin.url', `ext::touch ${mark}`],
      ['remote.origin.uploadpack', `touch '${mark}'`],
      ['protocol.allow', 'always'],
      ['protocol.ext.allow', 'always'],
    ] as const)
      await lib.git('-C', directory, 'config', key, value);
    const object = (hash: string) => path.join(directory, '.git/objects', hash.slice(0, 2), hash.slice(2));
    await rm(object(blob));
    await expect(make({ repository: directory })).rejects.toMatchObject({ code: 'bad_source' });
    await rm(object((await lib.git('rev-parse', 'v1.0.0^{commit}')).trim()));
    await expect(make({ repository: directory })).rejects.toMatchObject({
      code: expect.stringMatching(/^(not_found|bad_source)$/),
    });
    await expect(readFile(mark)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('gets no module with names that lead out of it', async () => {
    const directory = await clone();
    const blob = (await lib.git('rev-parse', 'v1.0.0:a.go')).trim();
    for (const name of ['..', '.', '.git', 'a\\b', 'a\u0001b']) {
      const entry = Buffer.concat([Buffer.from(`100644 ${name}\0`), Buffer.from(blob, 'hex')]);
      const run = (args: string[], input: Buffer | string) =>
        execFileSync('git', ['-C', directory, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
          input,
        })
          .toString()
          .trim();
      const tree = run(['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], entry);
      const revision = run(['commit-tree', tree, '-m', 'x'], '');
      const made = await make({ repository: directory, revision }).catch((error: unknown) => error);
      expect(made, name).toMatchObject({ code: expect.stringMatching(/^bad_(zip|source)$/) });
    }
  });

  it('gets no module with a name that is not UTF-8', async () => {
    const directory = await clone();
    await writeFile(Buffer.concat([Buffer.from(`${directory}/a`), Buffer.from([0xff])]), 'x');
    await lib.git('-C', directory, 'add', '.');
    await lib.git('-C', directory, 'commit', '-qm', 'x');
    await expect(make({ repository: directory, revision: 'HEAD' })).rejects.toMatchObject({
      code: 'bad_zip',
    });
  });
});

describe('words that mean something to git', () => {
  it.each([
    'nothing',
    '-x',
    '--output=owned',
    '--help',
    '',
    ' ',
    'v1.0.0..main',
    '^main',
    'main\0x',
    'v1.0.0:a.go',
    'a b',
  ])('revision %j names no commit', async (revision) => {
    await expect(make({ repository: lib.bare, revision })).rejects.toMatchObject({ code: 'not_found' });
  });

  it.each([
    ['nothing', 'not_found'],
    ['su[b]', 'not_found'],
    ['-x', 'not_found'],
    ['--output=owned', 'not_found'],
    ['a.go', 'bad_mod_file'],
    ['../sub', 'bad_source'],
    ['/sub', 'bad_source'],
    ['sub/', 'bad_source'],
    ['su*', 'bad_source'],
    [':(glob)**', 'bad_source'],
    ['sub\n', 'bad_source'],
  ])('directory %j is taken as a name', async (subdirectory, code) => {
    await expect(make({ repository: lib.bare, subdirectory })).rejects.toMatchObject({ code });
  });

  it('nothing of it wrote a file', async () => {
    expect((await readdir(process.cwd())).filter((name) => name.includes('owned'))).toEqual([]);
    expect((await readdir(lib.bare)).filter((name) => name.includes('owned'))).toEqual([]);
  });
});

it('what is no repository is said to be none', async () => {
  for (const repository of [work, path.join(work, 'nothing'), path.join(lib.directory, 'a.go')])
    await expect(make({ repository })).rejects.toMatchObject({
      code: 'bad_source',
      message: expect.stringMatching(/^The source of x\.y\/Z@v1\.0\.0 is no git repository/),
    });
});

it('a directory for temporary files that cannot be used is named as trouble with the disk', async () => {
  const git = { searchPath, deadline: 60_000 };
  const source = { kind: 'git', git, repository: lib.bare, revision: 'v1.0.0', subdirectory: '' } as const;
  const request = { path: 'x.y/Z', version: 'v1.0.0', source, scratch: path.join(work, 'nothing') };
  await expect(inspectModule(request)).rejects.toMatchObject({ code: 'storage_failed' });
});

it('a dry run says which files there would be, and leaves nothing', async () => {
  const git = { searchPath, deadline: 60_000 };
  const source = { kind: 'git', git, repository: lib.bare, revision: 'v1.0.0', subdirectory: '' } as const;
  expect(await inspectModule({ path: 'x.y/Z', version: 'v1.0.0', source, scratch })).toMatchObject({
    files: wanted.files,
    omitted: [{ path: 'sub/go.mod', reason: expect.stringContaining('another module') }],
    invalid: [],
    problem: undefined,
  });
});

describe('a git that', () => {
  /** A search path with a `git` that runs this instead, or else, given `archive` only, the real one. */
  async function fakeGit(script: string, only = ''): Promise<string> {
    const directory = path.join(work, `bin ${number++}`);
    await mkdir(directory);
    const real = execFileSync('sh', ['-c', 'command -v git']).toString().trim();
    const otherwise = only === '' ? '' : `case " $* " in *" ${only} "*) ;; *) exec ${real} "$@";; esac\n`;
    await writeFile(path.join(directory, 'git'), `#!/bin/sh\n${otherwise}${script}\n`);
    await chmod(path.join(directory, 'git'), 0o755);
    return `${directory}:${searchPath}`;
  }

  it('is not there is asked for', async () => {
    await expect(make({ repository: lib.bare, searchPath: scratch })).rejects.toMatchObject({
      code: 'no_go',
      message: expect.stringMatching(/there is no usable git on this machine/),
    });
  });

  it.each(['rev-parse', 'archive', 'cat-file'])('hangs in %s is ended at the deadline', async (command) => {
    const hanging = {
      repository: lib.bare,
      searchPath: await fakeGit('exec sleep 60', command),
      deadline: 700,
    };
    await expect(make(hanging)).rejects.toMatchObject({
      code: 'upstream_timeout',
      message: expect.stringMatching(/git took more than 0\.7 seconds/),
    });
  });

  it.each(['rev-parse', 'archive'])('hangs in %s is ended when the caller gives up', async (command) => {
    const hanging = { repository: lib.bare, searchPath: await fakeGit('exec sleep 60', command) };
    const signal = AbortSignal.timeout(700);
    await expect(make({ ...hanging, signal })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('floods us is ended at the largest size of a module', async () => {
    const flooding = { repository: lib.bare, searchPath: await fakeGit('exec yes', 'archive') };
    await expect(make(flooding)).rejects.toMatchObject({
      code: 'bad_zip',
      message: /packed, is larger than/,
    });
  });

  it.each([
    ['says nothing', 'exit 0'],
    ['talks nonsense', 'echo hello'],
    ['fails', 'echo fatal: no >&2; exit 128'],
    ['is killed', 'kill -9 $$'],
  ])('%s is not believed', async (_, script) => {
    for (const command of ['rev-parse', 'archive', 'cat-file', 'ls-tree']) {
      const outcome = await make({ repository: lib.bare, searchPath: await fakeGit(script, command) }).catch(
        (error: unknown) => error,
      );
      expect(outcome, command).toMatchObject({ code: expect.stringMatching(/^bad_|^not_found$/) });
    }
  });
});
