import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { TRAIL_KINDS } from '../../src/store/trail-entry.ts';
import { gokeep } from '../cli/program.ts';

const read = (name: string) => readFileSync(path.join(import.meta.dirname, '../..', name), 'utf8');
const AUDIT = read('docs/audit.md');
const MIGRATE = read('docs/migrate.md');

/** The options in what a page types of a command. */
const optionsOf = (page: string, command: RegExp) =>
  [...page.matchAll(/^npx gokeep (.*)$/gm)]
    .map(([, typed = '']) => typed)
    .filter((typed) => command.test(typed))
    .flatMap((typed) => [...typed.matchAll(/--[a-z-]+/g)].map(([option]) => option));

describe('the pages on the audit trail and on coming from elsewhere', () => {
  it('name every kind of entry', () => {
    for (const kind of TRAIL_KINDS) expect(AUDIT).toContain(`\`${kind}\``);
  });

  it('type commands of ours, with options that they have', async () => {
    const help = (await gokeep(['audit', 'list', '--help'])).stdout;
    const options = optionsOf(AUDIT, /^audit\b/);
    expect(options.length).toBeGreaterThan(3);
    for (const option of options) expect(help).toContain(option);
    expect((await gokeep(['audit', 'verify', '--help'])).code).toBe(0);
    const imports = optionsOf(MIGRATE, /^import\b/);
    expect(imports).toContain('--dry-run');
    const importHelp = (await gokeep(['import', '--help'])).stdout;
    for (const option of imports) expect(importHelp).toContain(option);
  });
});
