import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answeringGoproxy } from '../../world/host-goproxy.ts';
import { needs } from '../../world/programs.ts';
import { FILES, filesNamed } from './made-settings.ts';

/** What their users run, and nothing else carries: programs in Go, compiled here, of a fixed version. */
const ACTIONLINT = 'github.com/rhysd/actionlint/cmd/actionlint@v1.7.12';
const BUILDIFIER = 'github.com/bazelbuild/buildtools/buildifier@v0.0.0-20260904073137-eaa4d125b423';

const upstream = answeringGoproxy('linters.test.ts');

describe.skipIf(upstream === undefined)('what ecosystems check their own files with', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'gokeep-linters-'));
    const env = { ...process.env, GOBIN: directory, GOPROXY: upstream!, GOFLAGS: '-mod=mod' };
    for (const program of [ACTIONLINT, BUILDIFIER])
      execFileSync('go', ['install', program], { env, cwd: directory, stdio: 'pipe' });
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  async function lint(text: string, name: string, program: string, ...args: string[]) {
    const file = path.join(directory, name);
    await writeFile(file, text);
    const { status, stdout, stderr } = spawnSync(path.join(directory, program), [...args, file], {
      encoding: 'utf8',
    });
    return { status, said: stdout + stderr };
  }

  it.each(FILES.filter(([name]) => name.startsWith('github-actions/') && /\.ya?ml /.test(name)))(
    'actionlint has nothing to say of %s',
    async (_, { text }) => {
      // Shell steps are held against shellcheck where the texts are.
      expect(await lint(text, 'workflow.yml', 'actionlint', '-shellcheck=', '-pyflakes=')).toEqual({
        status: 0,
        said: '',
      });
    },
  );

  it('actionlint would have', async () => {
    const text =
      'on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ nothing.here }}\n';
    expect((await lint(text, 'workflow.yml', 'actionlint', '-shellcheck=', '-pyflakes=')).status).toBe(1);
  });

  it.each(filesNamed('.MODULE.bazel'))('buildifier would leave %s as it is', async (_, { text }) => {
    const checked = await lint(
      text,
      'gokeep.MODULE.bazel',
      'buildifier',
      '-mode=check',
      '-type=module',
      '-lint=warn',
    );
    expect(checked).toEqual({ status: 0, said: '' });
  });

  it('buildifier would not leave what is no Starlark', async () => {
    const checked = await lint(
      'go_deps.config(',
      'broken.MODULE.bazel',
      'buildifier',
      '-mode=check',
      '-type=module',
    );
    expect(checked.status).not.toBe(0);
  });
});

/** Has the schemas that the systems themselves publish for their files, so that nothing else is fetched. */
const CHECK_JSONSCHEMA = 'check-jsonschema==0.39.0';
const SCHEMAS: Readonly<Record<string, string>> = {
  'github-actions': 'github-workflows',
  'gitlab-ci': 'gitlab-ci',
  circleci: 'circle-ci',
  dependabot: 'dependabot',
  compose: 'compose-spec',
};

/** Where it was installed; undefined where no index of the host's pip answers. */
function installed(): string | undefined {
  if (!needs('python3') || !needs('pip3')) return undefined;
  const directory = mkdtempSync(path.join(tmpdir(), 'gokeep-schemas-'));
  const pip = ['-m', 'pip', 'install', '-q', '--retries', '1', '--target', directory, CHECK_JSONSCHEMA];
  const { status } = spawnSync('python3', pip, { stdio: 'ignore', timeout: 60_000 });
  if (status === 0) return directory;
  rmSync(directory, { recursive: true, force: true });
  process.stderr.write('linters.test.ts: pip could not install check-jsonschema; its tests are skipped\n');
  return undefined;
}

const schemas = installed();

describe.skipIf(schemas === undefined)('the schemas that CI systems and bots publish', () => {
  afterAll(() => rm(schemas!, { recursive: true, force: true }));

  function problems(target: string, text: string): string {
    const file = path.join(schemas!, 'checked.yml');
    writeFileSync(file, text);
    const args = ['-m', 'check_jsonschema', '--builtin-schema', `vendor.${SCHEMAS[target]}`];
    if (target === 'gitlab-ci') args.push('--data-transform', 'gitlab-ci');
    const env = { ...process.env, PYTHONPATH: schemas! };
    const { status, stdout, stderr } = spawnSync('python3', [...args, file], { encoding: 'utf8', env });
    return status === 0 ? '' : stdout + stderr;
  }

  it.each(Object.keys(SCHEMAS))('%s: allow our files, and not everything', (target) => {
    const files = FILES.filter(([name]) => name.startsWith(`${target}/`) && /\.ya?ml /.test(name));
    expect(files.length).toBeGreaterThan(0);
    for (const [name, { text }] of files) expect([name, problems(target, text)]).toEqual([name, '']);
    expect(problems(target, 'jobs: 3\nservices: 3\nversion: nothing\n')).not.toBe('');
  });
});
