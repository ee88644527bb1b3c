import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { releaseSource } from '../../src/publish/release-source.ts';
import { GitHost, type Repository } from '../world/git-host.ts';

const git = { searchPath: process.env['PATH'] ?? '', deadline: 60_000 };
const APP = 'corp.test/app';

let host: GitHost;
let app: Repository;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'gokeep-release-'));
  host = await GitHost.start();
  app = await host.repository('app.git');
  await app.commit(
    {
      'go.mod': `module ${APP}\n`,
      'a.go': 'package a\n',
      'sub/go.mod': `module ${APP}/sub\n`,
      'v2/go.mod': `module ${APP}/v2\n`,
      'sub/v3/go.mod': `module ${APP}/sub/v3\n`,
      '.gitignore': '*.o\n',
    },
    { tags: ['v0.9.0'] },
  );
  await app.commit(
    { 'a.go': 'package a // 1\n' },
    { tags: ['v1.0.0', 'sub/v0.1.0', 'v2.0.0', 'sub/v3.0.0'] },
  );
});

afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

const find = (
  version: string,
  o: { sub?: string; from?: 'tag' | 'directory'; module?: string; directory?: string } = {},
) =>
  releaseSource({
    directory: o.directory ?? path.join(app.directory, o.sub ?? ''),
    version,
    path: o.module,
    from: o.from,
    git,
    scratch,
  });

describe('the source of a version is', () => {
  it.each([
    ['', 'v1.0.0', APP, 'v1.0.0'],
    ['sub', 'v0.1.0', `${APP}/sub`, 'sub/v0.1.0'],
    ['v2', 'v2.0.0', `${APP}/v2`, 'v2.0.0'],
    ['sub/v3', 'v3.0.0', `${APP}/sub/v3`, 'sub/v3.0.0'],
  ])('of the module in "%s" at %s its tag', async (sub, version, modulePath, tag) => {
    expect(await find(version, { sub })).toMatchObject({
      path: modulePath,
      ref: `refs/tags/${tag}`,
      source: { kind: 'git', revision: `refs/tags/${tag}`, subdirectory: sub },
    });
  });

  it('another tag only when asked for', async () => {
    await expect(find('v0.9.0')).rejects.toMatchObject({
      code: 'bad_source',
      message:
        'Tag "v0.9.0" is not what is checked out: check it out, or publish what it holds with --from tag.',
    });
    expect(await find('v0.9.0', { from: 'tag' })).toMatchObject({ ref: 'refs/tags/v0.9.0' });
  });

  it('no tag that does not exist', async () => {
    await expect(find('v1.0.1')).rejects.toMatchObject({
      code: 'bad_source',
      message: expect.stringMatching(/no tag "v1\.0\.1".*--from directory/) as string,
    });
    await expect(find('v1.0.1', { from: 'tag' })).rejects.toMatchObject({ code: 'bad_source' });
  });

  it('no tag that a changed or unknown file hides, but ignored ones are fine', async () => {
    const file = path.join(app.directory, 'new.o');
    await writeFile(file, 'x');
    expect(await find('v1.0.0')).toMatchObject({ ref: 'refs/tags/v1.0.0' });
    for (const [name, was] of [
      ['new.go', undefined],
      ['a.go', 'package a // 1\n'],
    ] as const) {
      await writeFile(path.join(app.directory, name), 'package a // changed\n');
      await expect(find('v1.0.0')).rejects.toMatchObject({
        code: 'bad_source',
        message: expect.stringContaining(`"${name}" is not as it is in tag "v1.0.0"`) as string,
      });
      expect(await find('v1.0.0', { from: 'tag' })).toMatchObject({ ref: 'refs/tags/v1.0.0' });
      // What lies beside the module is not in it.
      expect(await find('v0.1.0', { sub: 'sub' })).toMatchObject({ ref: 'refs/tags/sub/v0.1.0' });
      if (was === undefined) await rm(path.join(app.directory, name));
      else await writeFile(path.join(app.directory, name), was);
    }
  });

  it('the directory only when asked for', async () => {
    const directory = await mkdtemp(path.join(scratch, 'plain-'));
    await writeFile(path.join(directory, 'go.mod'), `module ${APP}\n`);
    await expect(find('v1.0.0', { directory })).rejects.toMatchObject({
      code: 'bad_source',
      message: expect.stringMatching(/not in a git repository.*--from directory/) as string,
    });
    expect(await find('v1.0.0', { directory, from: 'directory' })).toEqual({
      path: APP,
      source: { kind: 'directory', directory },
      ref: undefined,
    });
  });

  it('named where there is no go.mod', async () => {
    const directory = await mkdtemp(path.join(scratch, 'bare-'));
    await expect(find('v1.0.0', { directory, from: 'directory' })).rejects.toMatchObject({
      message: expect.stringContaining('--module') as string,
    });
    const named = await find('v1.0.0', { directory, from: 'directory', module: APP });
    expect(named).toMatchObject({ path: APP });
    expect(await find('v1.0.0', { directory: app.bare, from: 'tag', module: APP })).toMatchObject({
      path: APP,
    });
  });
});
