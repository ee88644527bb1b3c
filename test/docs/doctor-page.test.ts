import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { HARMS } from '../../src/client/doctor/finding.ts';
import { gokeep } from '../cli/program.ts';

const PAGE = readFileSync(path.join(import.meta.dirname, '../../docs/doctor.md'), 'utf8');
const offered = (text: string): string[] => [...text.matchAll(/--[a-z]+/g)].map(([option]) => option);

describe('the page on the doctor', () => {
  it('names the options that the command has, and all of them', async () => {
    const { code, stdout } = await gokeep(['doctor', '--help']);
    expect(code).toBe(0);
    const [, table = ''] = /\n\| option [^]*?\n((?:\|.*\n)+)/.exec(PAGE) ?? [];
    const inHelp = new Set(offered(stdout).filter((option) => option !== '--help'));
    expect(new Set(offered(table))).toEqual(inHelp);
    for (const [command] of PAGE.matchAll(/npx gokeep doctor .*/g))
      for (const option of offered(command)) expect(inHelp).toContain(option);
  });

  it('names every harm that a finding can do', () => {
    for (const harm of HARMS) expect(PAGE).toContain(`| \`${harm}\` |`);
  });

  it('explains the error that it shows', async () => {
    const [, text = ''] = /--explain '([^']+)'/.exec(PAGE) ?? [];
    expect((await gokeep(['doctor', '--explain', text])).code).toBe(0);
  });
});
