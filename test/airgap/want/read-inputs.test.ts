import { symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readInputFile } from '../../../src/airgap/want/input-file.ts';
import { readInputs } from '../../../src/airgap/want/read-inputs.ts';
import { h1OfGoMod } from '../../../src/modzip/dirhash.ts';
import { Tree } from './made-graph.ts';

const SUM = `m.test/a v1.0.0 ${h1OfGoMod(Buffer.from(''))}\n`;

async function kinds(files: Readonly<Record<string, string>>, ...args: string[]): Promise<string[]> {
  await using tree = await Tree.write(files);
  const inputs = await readInputs(args, tree.directory);
  return inputs.map((input) => `${input.kind} ${input.name}`);
}

describe('a directory', () => {
  test('is searched for module files, but not where go does not look, and not through links', async () => {
    const mod = 'module x\n';
    await using tree = await Tree.write({
      'go.mod': mod,
      'go.sum': SUM,
      'deep/er/go.mod': mod,
      'vendor/go.mod': mod,
      'deep/testdata/go.mod': mod,
      'node_modules/x/go.mod': mod,
      '.git/go.mod': mod,
      '_old/go.mod': mod,
      'deep/notes.mod': mod,
    });
    await using other = await Tree.write({ 'go.mod': mod });
    await symlink(other.directory, path.join(tree.directory, 'link'));
    await symlink(path.join(other.directory, 'go.mod'), path.join(tree.directory, 'deep', 'go.mod'));
    const names = (await readInputs(['.'], tree.directory)).map(({ name }) => name);
    expect(names).toEqual(['deep/er/go.mod', 'go.mod', 'go.sum']);
  });

  test('without any is refused', async () => {
    await expect(kinds({ 'x/readme': '' }, 'x')).rejects.toMatchObject({
      code: 'bad_request',
      message: 'x has no go.mod, go.sum or go.work in it.',
    });
  });

  test('whose go.work uses modules gives them once, as they are, with the workspace', async () => {
    const files = {
      'go.work': 'use ./a\n',
      'a/go.mod': 'module a\n',
      'b/go.mod': 'module b\n',
      'go.work.sum': SUM,
    };
    expect((await kinds(files, '.', 'a/go.mod', 'go.work')).sort()).toEqual([
      'main a/go.mod',
      'main b/go.mod',
      'sum go.work.sum',
      'workspace go.work',
    ]);
  });

  test('names in it cannot play with the terminal', async () => {
    await expect(kinds({ 't/\u001b[2J/go.mod': 'nonsense\n' }, 't')).rejects.toMatchObject({
      code: 'bad_mod_file',
      message: expect.stringMatching(/^"t\/\\u\{1b\}\[2J\/go\.mod": /),
    });
  });
});

describe('a file', () => {
  test('is what its base name says, or its ending and its content, or a list', async () => {
    const files = {
      'tools.mod': 'module x\n',
      'tools.sum': SUM,
      'dev.work': 'go 1.21\n',
      'list.mod': 'm.test/a@v1.0.0\n',
      list: '\uFEFFm.test/a@latest # newest\r\n? m.test/b@main\n#m.test/c@v1\n',
      'x@v1.0.0': 'm.test/d@v1\n',
    };
    expect(await kinds(files, 'tools.mod', 'tools.sum', 'dev.work', 'list.mod', 'list', 'x@v1.0.0')).toEqual([
      'main tools.mod',
      'sum tools.sum',
      'workspace dev.work',
      'query list.mod line 1',
      'query list line 1',
      'query list line 2',
      'query x@v1.0.0 line 1',
    ]);
  });

  test('that is none of the inputs is refused by name', async () => {
    await expect(kinds({ 'a.zip': 'PK\u0003\u0004\0\0' }, 'a.zip')).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringMatching(/^a\.zip is neither/),
    });
    await expect(kinds({ list: 'm.test/a@v1\nhello world\n' }, 'list')).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringMatching(/^list line 2: "hello world" is not module@version/),
    });
    await expect(kinds({ 'go.sum': 'hello\n' }, 'go.sum')).rejects.toMatchObject({
      code: 'bad_record',
      message: expect.stringMatching(/^go\.sum: go\.sum line 1/),
    });
    await expect(kinds({ 'go.work': 'use ./gone\n' }, 'go.work')).rejects.toMatchObject({
      code: 'bad_request',
      message: 'gone/go.mod cannot be read.',
    });
  });

  test('that is too large is refused before it is all in memory', async () => {
    await using tree = await Tree.write({ big: 'x'.repeat(101) });
    const file = path.join(tree.directory, 'big');
    await expect(readInputFile(file, 'big', 100)).rejects.toMatchObject({
      code: 'bad_request',
      message: 'big is larger than 100 bytes.',
    });
    expect(await readInputFile(file, 'big', 101)).toHaveLength(101);
  });
});

describe('an argument that is no file', () => {
  test('is module@query', async () => {
    expect(await kinds({}, 'm.test/a@latest', 'm.test/a@feature/x', 'm.test/a@v1.2')).toEqual([
      'query The argument m.test/a@latest',
      'query The argument m.test/a@feature/x',
      'query The argument m.test/a@v1.2',
    ]);
  });

  for (const arg of [
    'm.test/a',
    'nofile.txt',
    'nodot@v1.0.0',
    'm.test/a@',
    'm.test/a@-x',
    'm.test/a@upgrade',
    'm.test/a@none',
    'm.test/a@<v1.2',
    'm.test/a@a..b',
    'm.test/a@a b',
    'm.test/a@v1@v2',
    'm.test/a@x\0y',
  ]) {
    test(`${JSON.stringify(arg)} is refused`, async () => {
      const refusal = {
        code: 'bad_request',
        message: expect.stringMatching(/^The argument ".*" cannot be used: /),
      };
      await using tree = await Tree.write({});
      await expect(readInputs([arg], tree.directory)).rejects.toMatchObject(refusal);
    });
  }
});
