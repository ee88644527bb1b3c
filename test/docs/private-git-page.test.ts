import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Config, loadConfig } from '../../src/config/load.ts';
import { gokeep } from '../cli/program.ts';

const WHOLE = readFileSync(path.join(import.meta.dirname, '../../docs/private-modules.md'), 'utf8');
const [PAGE = ''] = /^## Fetch from git\n[^]*?(?=^## |(?![^]))/m.exec(WHOLE) ?? [];
const SOURCE = [
  'upstream/git-answer',
  'upstream/direct-verdict',
  'upstream/failing-hosts',
  'upstream/go-command',
  'proxy/incidents',
]
  .map((name) => readFileSync(path.join(import.meta.dirname, `../../src/${name}.ts`), 'utf8'))
  .join('\n');

const blocks = (language: string): string[] =>
  [...PAGE.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map(([, block]) => block!);

const directory = mkdtempSync(path.join(tmpdir(), 'gokeep-page-'));
afterAll(() => rmSync(directory, { recursive: true }));

function load(text: string): Config {
  writeFileSync(path.join(directory, 'gokeep.toml'), `version = 1\n${text}`);
  return loadConfig({ env: { GOPROXY: 'off' }, cwd: directory });
}

describe('the page on private modules, on fetching from git', () => {
  it.each(blocks('toml'))('shows a configuration that loads: %s', (text) => {
    expect(() => load(text)).not.toThrow();
  });

  it('all of them make one configuration', () => {
    expect(blocks('toml').length).toBeGreaterThanOrEqual(5);
    expect(load(blocks('toml').join('\n')).git.length).toBeGreaterThanOrEqual(3);
  });

  it('types commands of ours that exist', async () => {
    const commands = blocks('sh').flatMap((block) => block.match(/^npx gokeep \S+/gm) ?? []);
    expect(commands.length).toBeGreaterThan(0);
    for (const command of new Set(commands)) {
      expect(await gokeep([command.split(' ')[2]!, '--help'])).toMatchObject({ code: 0 });
    }
  });

  it('quotes what gokeep says in its own words', () => {
    const section = PAGE.slice(PAGE.indexOf('### When it does not work'), PAGE.indexOf('### What is safe'));
    const quoted = [...section.matchAll(/^\| (.+?) \| /gm)].flatMap(([, cell]) =>
      [...cell!.matchAll(/`([^`]+)`/g)].map(([, text]) => text!),
    );
    const phrases = quoted.flatMap((text) =>
      text
        .split(/…|group\/app|300 s|refused /)
        .map((part) => part.replaceAll(/^[\s:]+|[\s:]+$/g, ''))
        .filter((part) => part.length > 12),
    );
    expect(phrases.length).toBeGreaterThan(8);
    expect(phrases.filter((phrase) => !SOURCE.includes(phrase))).toEqual([]);
  });
});
