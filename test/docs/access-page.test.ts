import { readFileSync } from 'node:fs';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isToken } from '../../src/access/token.ts';
import { loadConfig } from '../../src/config/load.ts';
import { gokeep } from '../cli/program.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const PAGE = readFileSync(path.join(ROOT, 'docs/access.md'), 'utf8');

const blocks = (language: string) =>
  [...PAGE.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(([, block]) => block!);
const shell = blocks('sh').flatMap((block) => block.split('\n'));

/** Words of a command line, as sh has them: the page quotes by ' and " alone. */
const words = (command: string): string[] =>
  [...command.matchAll(/'([^']*)'|"([^"]*)"|([^\s]+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare!,
  );

let data: string;
beforeAll(() => {
  data = mkdtempSync(path.join(tmpdir(), 'gokeep-page-'));
});
afterAll(() => rmSync(data, { recursive: true }));

describe('the page on access', () => {
  it('types commands about tokens that work, one after the other', async () => {
    const commands = shell.filter((line) => line.startsWith('npx gokeep token '));
    expect(commands.length).toBeGreaterThanOrEqual(5);
    for (const command of commands) {
      const [, , ...args] = words(command);
      const { code, stdout } = await gokeep([...args, '--data', data]);
      expect(`${command}: ${code}`).toBe(`${command}: 0`);
      if (args[1] === 'create') expect(isToken(stdout.trim())).toBe(true);
    }
    expect((await gokeep(['token', 'list', '--data', data])).stdout).toMatch(/ alice {2}revoked /);
  });

  it('sets a GOAUTH that answers as go wants', async () => {
    const line = shell.find((each) => each.startsWith('export GOAUTH='))!;
    const [, , ...args] = words(line.slice('export GOAUTH='.length))[0]!.split(' ');
    const file = path.join(data, 'token');
    writeFileSync(file, 'gokeep_x');
    const { code, stdout } = await gokeep(args.map((arg) => (arg === '/run/secrets/gokeep' ? file : arg)));
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'https://go.corp.example\n\nAuthorization: Bearer gokeep_x\n\n',
    });
  });

  it('shows configuration that loads', () => {
    for (const [at, toml] of blocks('toml').entries()) {
      const file = path.join(data, `page-${at}.toml`);
      writeFileSync(file, `version = 1\n${toml}`);
      expect(loadConfig({ env: { GOPROXY: 'off' }, cwd: '/', configFile: file }).access.oidc).toHaveLength(1);
    }
    for (const [, example] of PAGE.matchAll(/`(config\/[a-z-]+\.toml)`/g))
      expect(readFileSync(path.join(ROOT, example!), 'utf8')).toContain('[access]');
  });
});
