import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { gokeep } from '../cli/program.ts';

const PAGE = readFileSync(path.join(import.meta.dirname, '../../docs/air-gap.md'), 'utf8');

/** What the page tells to type: in its sh blocks, and in its text. */
const commands = [
  ...[...PAGE.matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block]) => block!.split('\n')),
  ...[...PAGE.matchAll(/`(npx gokeep [^`\n]+)`/g)].map(([, command]) => command!),
].filter((line) => line.startsWith('npx gokeep '));

/** Options that the page names by themselves, such as `--tests`, each of some command below `bundle`. */
const options = [...PAGE.matchAll(/`(--[a-z-]+)/g)].map(([, option]) => option!);

const words = (command: string): string[] => command.split(/\s+/).slice(2);
const help = async (...command: string[]): Promise<string> => {
  const { code, stdout, stderr } = await gokeep([...command, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};
const offers = (text: string): string[] =>
  [...text.matchAll(/^ +(?:-\w, )?(--[a-z-]+)/gm)].map(([, o]) => o!);

describe('the page on the air gap', () => {
  it('names commands', () => {
    expect(commands.length).toBeGreaterThanOrEqual(6);
    expect(options.length).toBeGreaterThanOrEqual(8);
  });

  it.each(commands)('types %s, which exists with these options', async (command) => {
    const [group, sub, ...rest] = words(command);
    const text = await help(group!, sub!);
    expect(text).toContain(`Usage: gokeep ${group} ${sub} `);
    const named = rest.filter((word) => word.startsWith('--'));
    expect(offers(text)).toEqual(expect.arrayContaining(named));
  });

  it('names no option that none of these commands has', async () => {
    const all = await Promise.all(
      ['create', 'verify', 'import', 'manifest', 'wishlist'].map(async (sub) =>
        offers(await help('bundle', sub)),
      ),
    );
    expect(new Set(all.flat())).toEqual(new Set([...all.flat(), ...options]));
  });
});
