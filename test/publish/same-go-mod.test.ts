import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { moduleZip } from '../../src/publish/module-zip.ts';
import { checkSameGoMod } from '../../src/publish/same-go-mod.ts';
import { GitHost, type Repository } from '../world/git-host.ts';

const APP = 'corp.test/app';

let host: GitHost;
let app: Repository;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'gokeep-same-'));
  host = await GitHost.start();
  app = await host.repository('app.git');
  await app.commit(
    { 'go.mod': `module ${APP}\n`, '.gitattributes': 'go.mod text eol=crlf\n' },
    { tags: ['v1.0.0'] },
  );
  await app.commit({ '.gitattributes': '*.txt text eol=crlf\n' }, { tags: ['v1.0.2'] });
});

afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

async function check(version: string): Promise<void> {
  const git = { searchPath: process.env['PATH'] ?? '', deadline: 60_000 };
  const source = {
    kind: 'git',
    git,
    repository: app.bare,
    revision: `refs/tags/${version}`,
    subdirectory: '',
  } as const;
  const made = await moduleZip({ path: APP, version, source, scratch }, path.join(scratch, version));
  await checkSameGoMod(made, APP, version);
}

describe('a commit whose go.mod is another in its zip', () => {
  it('is refused, with what to do', async () => {
    await expect(check('v1.0.0')).rejects.toMatchObject({
      code: 'bad_source',
      message: expect.stringContaining('"go.mod text eol=lf"') as string,
    });
  });

  it('is no other where the attributes are about other files', () =>
    expect(check('v1.0.2')).resolves.toBeUndefined());
});
