import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Script } from 'node:vm';
import { validate } from 'dockerfile-utils';
import { describe, expect, it } from 'vitest';
import { Language, Parser } from 'web-tree-sitter';
import { parseDocument } from 'yaml';
import { checkedSettings } from '../../../src/client/setup/settings.ts';
import { TARGETS } from '../../../src/client/setup/targets.ts';
import { needs } from '../../world/programs.ts';
import { FILES, filesNamed, PLAIN, SETTINGS } from './made-settings.ts';

const below = (text: string): string => text.slice(text.indexOf('\n') + 1);

describe('every text', () => {
  it.each(FILES)('%s names its checksum in its first line', (_, { text, sha256 }) => {
    expect(text.split('\n')[0]).toContain(sha256);
    expect(createHash('sha256').update(below(text)).digest('hex')).toBe(sha256);
  });

  it.each(FILES)('%s is plain ASCII, and ends its last line', (_, { text }) => {
    expect(text).toMatch(/^[\n\r\t\x20-\x7e]*\n$/);
  });

  it.each(FILES)('%s never lets go fall through to anything else', (_, { text }) => {
    expect(text.replaceAll('append ",direct"', '')).not.toMatch(/[,|]direct|GOSUMDB=off,|GOFLAGS=-insecure/);
  });

  it('names no variable of go that go does not know', () => {
    const known = new Set(
      Object.keys(JSON.parse(execFileSync('go', ['env', '-json'], { encoding: 'utf8' }))),
    );
    // What runners and the tools around go have: none is told to go.
    for (const name of ['GO_VERSION', 'GO_TARGET', 'GOENV', 'GOKEEP']) known.add(name);
    for (const [name, { text }] of FILES) {
      const used = text.match(/\bGO[A-Z_]+\b/g) ?? [];
      const unknown = used.filter((each) => !known.has(each) && !/^GOKEEP_[A-Z_]+$/.test(each));
      expect(`${name}: ${unknown.join(' ')}`).toBe(`${name}: `);
    }
  });

  it.each(TARGETS)('says how $name is undone', (target) => {
    for (const [, settings] of SETTINGS) {
      expect(target.undo(settings).length).toBeGreaterThan(10);
      const texts = target.drafts(settings).map(({ body }) => body);
      expect(texts.join('')).toMatch(/undo|takes it back|removal/i);
    }
  });

  it('is the same each time it is made', () => {
    for (const [, settings] of SETTINGS)
      for (const target of TARGETS) expect(target.drafts(settings)).toEqual(target.drafts(settings));
  });
});

describe('settings', () => {
  const { vkey } = PLAIN;
  it.each([
    ['https://user:secret@go.test', vkey],
    ['https://go.test/?a=b', vkey],
    ["https://go.test/'; rm -rf /'", vkey],
    ['https://go.test/$(id)', vkey],
    ['https://go.test/%PATH%', vkey],
    ['https://go.test/`id`', vkey],
    ['https://go.test/\nexport X=1', vkey],
    ['ftp://go.test', vkey],
    ['https://go.test,direct', vkey],
    ['https://go.test', 'sum.test+8268832e'],
    ['https://go.test', `${vkey} https://elsewhere.test`],
    ['https://go.test', 'off'],
    ['https://go.test', `sum'test+8268832e+AAAA`],
    ['https://go.test', `sum.test+8268832e+AA"AA`],
  ])('are refused where a script would read them as more than a word: %j %j', (url, key) => {
    expect(() => checkedSettings({ ...PLAIN, url, vkey: key })).toThrow(
      expect.objectContaining({ code: 'bad_config' }),
    );
  });

  it('take certificates out of a PEM file, and nothing that stands beside them', () => {
    const [, , [, { ca = '' }]] = SETTINGS as never as [unknown, unknown, [string, { ca?: string }]];
    const mixed = `Bag Attributes\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n${ca}`;
    expect(checkedSettings({ ...PLAIN, ca: mixed }).ca).toBe(ca);
    expect(() => checkedSettings({ ...PLAIN, ca: 'nothing' })).toThrow(/no PEM certificate/);
  });
});

describe.skipIf(!needs('shellcheck'))('shellcheck', () => {
  /** What it says of all these texts. */
  const said = async (texts: readonly (readonly [string, string])[]): Promise<string> => {
    const directory = await mkdtemp(path.join(tmpdir(), 'gokeep-shellcheck-'));
    try {
      const names = texts.map(([name]) => name.replaceAll(/[^a-z]/g, '-'));
      await Promise.all(texts.map(([, text], at) => writeFile(path.join(directory, names[at]!), text)));
      return spawnSync('shellcheck', ['--shell=sh', ...names], { cwd: directory, encoding: 'utf8' }).stdout;
    } finally {
      await rm(directory, { recursive: true });
    }
  };

  it('finds nothing in any script for sh', async () => {
    const scripts = filesNamed('.sh');
    expect(scripts.length).toBeGreaterThan(20);
    expect(await said(scripts.map(([name, { text }]) => [name, text]))).toBe('');
    expect(await said([['broken', 'echo $1']])).toContain('SC2086');
  });

  it('finds nothing in the steps of workflows', async () => {
    const scripts: [string, string][] = [];
    for (const [name, { text }] of filesNamed('go.yml', 'config.yml'))
      JSON.stringify(parseDocument(text).toJS(), (key, value: unknown) => {
        if ((key === 'run' || key === 'command') && typeof value === 'string')
          scripts.push([`${name}-${'x'.repeat(scripts.length)}`, `${value}\n`]);
        return value;
      });
    expect(scripts.length).toBeGreaterThan(15);
    expect(await said(scripts)).toBe('');
  });

  it('finds nothing in what Jenkins hands to sh', async () => {
    // Groovy reads the escapes of its strings first.
    const scripts = filesNamed('Jenkinsfile').map(
      ([name, { text }]) => [name, /'''([^]*?)'''/.exec(text)![1]!.replaceAll('\\\\', '\\')] as const,
    );
    expect(await said(scripts)).toBe('');
  });
});

describe('formats', () => {
  it.each(filesNamed('.yml', '.yaml'))('%s is YAML without a warning', (_, { text }) => {
    const { errors, warnings } = parseDocument(text, { strict: true, uniqueKeys: true });
    expect([...errors, ...warnings]).toEqual([]);
  });

  it.each(filesNamed('.yml', '.yaml'))(
    '%s has the settings as strings of exactly these characters',
    (name, { text }) => {
      const values = JSON.stringify(parseDocument(text).toJS());
      if (name.startsWith('dependabot')) return;
      expect(values).toContain(`"GOSUMDB":${JSON.stringify(PLAIN.vkey)}`);
      expect(values).toContain('"GONOSUMDB":"none"');
    },
  );

  it.each(filesNamed('devcontainer.json'))('%s is JSON with comments', (_, { text }) => {
    const json = JSON.parse(text.replaceAll(/^\/\/.*$/gm, '')) as { containerEnv: Record<string, string> };
    expect(json.containerEnv['GOSUMDB']).toBe(PLAIN.vkey);
  });

  it.each(filesNamed('.js'))('%s is JavaScript', (_, { text }) => {
    expect(() => new Script(text)).not.toThrow();
  });

  it.each(filesNamed('Dockerfile'))('%s passes the linter', (_, { text }) => {
    expect(validate(text).map(({ message }) => message)).toEqual([]);
    expect(validate(text.replace('WORKDIR /src', 'WORKDIRECTORY /src'))).not.toEqual([]);
    const last = text.slice(text.indexOf('FROM scratch'));
    expect(last).not.toMatch(/GOPROXY|GOSUMDB|netrc|secret|gokeep/);
  });

  it.each(filesNamed('.env'))('%s has one unquoted assignment a line', (_, { text }) => {
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines).toContain(`GOSUMDB=${PLAIN.vkey}`);
    for (const line of lines) expect(line).toMatch(/^[A-Z]+=[^"' ]+$/);
  });

  it.each(filesNamed('.cmd'))('%s ends its lines as cmd wants them', (_, { text }) => {
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(text).toContain(`set "GOSUMDB=${PLAIN.vkey}"\r\n`);
  });
});

describe('PowerShell', () => {
  it('is what its grammar allows, and the grammar refuses what is none', async () => {
    await Parser.init();
    const require = createRequire(import.meta.url);
    const parser = new Parser();
    parser.setLanguage(
      await Language.load(require.resolve('tree-sitter-powershell/tree-sitter-powershell.wasm')),
    );
    const errors = (text: string) => {
      const root = parser.parse(text)?.rootNode;
      const wrong = root?.descendantsOfType('ERROR') ?? [];
      return root?.hasError === true
        ? [root.toString().slice(0, 100), ...wrong.map((node) => node?.text)]
        : [];
    };
    const scripts = filesNamed('.ps1');
    expect(scripts.length).toBeGreaterThan(10);
    for (const [name, { text }] of scripts)
      expect({ name, errors: errors(text) }).toEqual({ name, errors: [] });
    expect(errors('if ($x { }')).not.toEqual([]);
    expect(errors("$a = 'one")).not.toEqual([]);
  });

  it('expands nothing in a value', () => {
    for (const [, { text }] of filesNamed('.ps1')) expect(text).toContain(`'GOSUMDB' = '${PLAIN.vkey}'`);
  });
});

describe.skipIf(!needs('nix-instantiate'))('Nix', () => {
  it('parses', () => {
    for (const [, { text }] of filesNamed('.nix'))
      expect(spawnSync('nix-instantiate', ['--parse', '-'], { input: text, encoding: 'utf8' })).toMatchObject(
        {
          status: 0,
        },
      );
  });
});
