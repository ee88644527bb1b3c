import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { setupPage } from '../../src/client/setup/pages.ts';
import { TARGETS } from '../../src/client/setup/targets.ts';
import { gokeep } from '../cli/program.ts';

const PAGE = readFileSync(path.join(import.meta.dirname, '../../docs/setup.md'), 'utf8');
const shell = [...PAGE.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block]) => block!.split('\n'));
const VKEY = /'(sum\.corp\.example\+[^']+)'/.exec(PAGE)![1]!;
const URL = 'https://go.corp.example';

const directory = mkdtempSync(path.join(tmpdir(), 'gokeep-page-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('the page on setting up clients', () => {
  it('types commands that work', async () => {
    const commands = shell.filter((line) => line.startsWith('npx gokeep setup '));
    expect(commands.length).toBeGreaterThanOrEqual(3);
    for (const command of commands) {
      const [, , ...args] = command.replaceAll("'", '').split(' ');
      // Beside the server, both are known.
      const client = args.includes('--url') ? [] : ['--url', URL, '--sumdb', VKEY];
      const output = args.indexOf('--output');
      if (output > 0) args[output + 1] = path.join(directory, args[output + 1]!);
      expect({ command, ...(await gokeep([...args, ...client])) }).toMatchObject({ command, code: 0 });
    }
  });

  it('asks for addresses that are there', () => {
    const settings = { url: URL, vkey: VKEY, credentials: true };
    const asked = PAGE.match(/(?<=https:\/\/go\.corp\.example|`)\/setup[/\w.-]*/g) ?? [];
    expect(asked.length).toBeGreaterThan(5);
    for (const each of asked) expect(setupPage(each, settings)).toContain('SHA-256');
  });

  it('names every target, and no other', () => {
    const rows = [...PAGE.matchAll(/^\| .* \| (`.*) \|$/gm)].map(([, cell]) => cell!);
    const named = rows.flatMap((cell) => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name!));
    expect(new Set(named.filter((name) => name !== '--for'))).toEqual(
      new Set(TARGETS.map(({ name }) => name)),
    );
  });
});
