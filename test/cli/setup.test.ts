import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gokeep } from './program.ts';

const VKEY = 'sum.test+8268832e+AWrHNDtjb8+WBPSrCel6yS76EKRwKIOtx+PEL91qFoF9';
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-setup-'));
});
afterEach(() => rm(directory, { recursive: true }));

const setup = (...args: string[]) => gokeep(['setup', ...args]);
const client = ['--url', 'https://go.test', '--sumdb', VKEY];

describe('gokeep setup', () => {
  it('takes address, key and access from the configuration and the key beside it', async () => {
    const config = path.join(directory, 'gokeep.toml');
    await writeFile(config, `version = 1\nurl = "https://go.corp.test"\ndata = "${directory}"\n`);
    const key = path.join(directory, 'sumdb.key');
    const { stdout: vkey } = await gokeep(['key', 'generate', '--name', 'sum.corp.test', '--output', key]);
    const { code, stdout } = await setup('--for', 'zsh', '--config', config);
    expect(code).toBe(0);
    expect(stdout).toContain(`export GOPROXY='https://go.corp.test'\nexport GOSUMDB='${vkey.trim()}'\n`);
    expect(stdout).toContain('machine go.corp.test login token password <token>');
    const open = await setup('--for', 'zsh', '--config', config, '--anonymous');
    expect(open.stdout).not.toContain('<token>');
  });

  it('writes all files of a target, the same again, and nothing over what differs', async () => {
    const output = path.join(directory, 'ci');
    const first = await setup('--for', 'gpo', ...client, '--output', output);
    expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining('Undo: ADMX: ') });
    expect(first.stdout.trim().split('\n')).toHaveLength(3);
    expect(await setup('--for', 'gpo', ...client, '--output', output)).toEqual(first);
    const file = path.join(output, 'en-US', 'gokeep.adml');
    await writeFile(file, 'mine');
    const again = await setup('--for', 'gpo', ...client, '--output', output);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing was overwritten') });
    expect(await readFile(file, 'utf8')).toBe('mine');
  });

  it.each([
    [['--for', 'nothing', ...client], 'choose one of bash, zsh'],
    [['--for', 'gpo', ...client], '--output DIRECTORY'],
    [['--for', 'bash', '--url', "https://go.test/';id;'", '--sumdb', VKEY], 'no plain http or https URL'],
    [['--for', 'bash', ...client, '--ca', '/nowhere'], '--ca: /nowhere cannot be read'],
    [['--for', 'bash', '--url', 'https://go.test', '--data', '/nowhere'], 'sumdb.key'],
  ])('refuses %j and says what to do', async (args, words) => {
    const { code, stdout, stderr } = await setup(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
  });

  it('says how to undo what is undone by hand', async () => {
    const { code, stdout } = await setup('--for', 'gitlab-ci', ...client, '--undo');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'Remove "id_tokens", "variables" and "before_script" from .gitlab-ci.yml.\n',
    });
  });
});
