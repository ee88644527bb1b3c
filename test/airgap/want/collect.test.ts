import { describe, expect, test } from 'vitest';
import { h1OfGoMod } from '../../../src/modzip/dirhash.ts';
import { brief, collect, MadeAnswers } from './made-graph.ts';

const ONE = h1OfGoMod(Buffer.from('one'));
const TWO = h1OfGoMod(Buffer.from('two'));

describe('go.sum', () => {
  test('wants exactly the files that its lines name, with their hashes', async () => {
    const sum = `m.test/a v1.2.0 ${ONE}\nm.test/a v1.2.0/go.mod ${TWO}\nm.test/b v1.10.0/go.mod ${ONE}\nm.test/b v1.9.0/go.mod ${TWO}\n`;
    const answers = new MadeAnswers({});
    const { wanted } = await collect({ 'go.sum': sum }, ['go.sum'], answers);
    expect(wanted).toEqual([
      { path: 'm.test/a', version: 'v1.2.0', zip: true, expected: { zip: ONE, mod: TWO } },
      { path: 'm.test/b', version: 'v1.9.0', zip: false, expected: { mod: TWO } },
      { path: 'm.test/b', version: 'v1.10.0', zip: false, expected: { mod: ONE } },
    ]);
    expect(answers.asked).toEqual([]);
  });

  test('two that disagree about a hash are a mismatch that names both', async () => {
    const files = {
      'x/go.sum': `m.test/a v1.0.0/go.mod ${ONE}\n`,
      'y/go.sum': `m.test/a v1.0.0/go.mod ${TWO}\n`,
    };
    await expect(collect(files, ['x/go.sum', 'y/go.sum'], new MadeAnswers({}))).rejects.toMatchObject({
      code: 'mismatch',
      message: expect.stringMatching(/x\/go\.sum and y\/go\.sum .* the go\.mod of m\.test\/a@v1\.0\.0/),
    });
  });

  test('one that disagrees with itself is a mismatch as well', async () => {
    const sum = `m.test/a v1.0.0 ${ONE}\nm.test/a v1.0.0 ${TWO}\n`;
    await expect(collect({ 'go.sum': sum }, ['go.sum'], new MadeAnswers({}))).rejects.toMatchObject({
      code: 'mismatch',
    });
  });

  test('what it says stands beside what a go.mod wants', async () => {
    const { wanted } = await collect(
      {
        'go.mod': 'module x\ngo 1.21\nrequire m.test/a v1.0.0\n',
        'go.sum': `m.test/a v1.0.0/go.mod ${ONE}\n`,
      },
      ['.'],
      new MadeAnswers({ 'm.test/a@v1.0.0': 'go 1.21\n' }),
    );
    expect(wanted).toEqual([{ path: 'm.test/a', version: 'v1.0.0', zip: true, expected: { mod: ONE } }]);
  });
});

describe('the graph', () => {
  test('each go.mod is asked for once, whoever needs it, and never more at once than allowed', async () => {
    const mods: Record<string, string> = {};
    let all = '';
    for (let i = 0; i < 40; i++) {
      all += `require m.test/m${i} v1.0.0\n`;
      // Everything requires everything, itself included.
      mods[`m.test/m${i}@v1.0.0`] = 'go 1.16\n';
    }
    for (const key of Object.keys(mods)) mods[key] += all;
    const answers = new MadeAnswers(mods);
    const files = { 'a/go.mod': `module a\n${all}`, 'b/go.mod': `module b\n${all}` };
    const done: number[] = [];
    const { wanted } = await collect(files, ['.', 'm.test/m1@v1.0.0'], answers, {
      concurrency: 3,
      progress: (n) => done.push(n),
    });
    expect(wanted).toHaveLength(40);
    expect([...answers.asked].sort()).toEqual(Object.keys(mods).sort());
    expect(answers.busiest).toBe(3);
    expect(done).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });

  test('go and toolchain as modules, and a path that nobody can fetch, are read over as long as nobody needs them', async () => {
    const mod = 'module x\ngo 1.21\nrequire (\n  go v1.21.0\n  toolchain v1.0.0\n  m.test/a v1.0.0\n)\n';
    const answers = new MadeAnswers({
      'm.test/a@v1.0.0': 'go 1.21\nrequire nodot v1.0.0\nrequire go v1.0.0\n',
    });
    expect(brief(await collect({ 'go.mod': mod }, ['go.mod'], answers, { tests: true }))).toEqual([
      'm.test/a@v1.0.0+',
    ]);
  });

  test('a path that nobody can fetch, where its go.mod is needed, is refused with the input named', async () => {
    const answers = new MadeAnswers({ 'm.test/a@v1.0.0': 'go 1.16\nrequire "no\\ndot" v1.0.0\n' });
    const work = collect({ 'go.mod': 'module x\nrequire m.test/a v1.0.0\n' }, ['go.mod'], answers);
    await expect(work).rejects.toMatchObject({
      code: 'bad_path',
      message: expect.stringMatching(/^go\.mod needs "no\\u\{a\}dot@v1\.0\.0": /),
    });
    expect(answers.asked).toEqual(['m.test/a@v1.0.0']);
  });

  test('a go.mod that cannot be read, and one that is not there, name the input and the module', async () => {
    const files = { 'sub/go.mod': 'module x\ngo 1.21\nrequire m.test/a v1.0.0\n' };
    await expect(
      collect(files, ['sub'], new MadeAnswers({ 'm.test/a@v1.0.0': 'require (\n' })),
    ).rejects.toMatchObject({
      code: 'bad_mod_file',
      message: expect.stringMatching(/^sub\/go\.mod needs "m\.test\/a@v1\.0\.0": go\.mod line/),
    });
    await expect(collect(files, ['sub'], new MadeAnswers({}))).rejects.toMatchObject({
      code: 'not_found',
      message: 'sub/go.mod needs "m.test/a@v1.0.0": Nobody knows m.test/a@v1.0.0.',
    });
  });

  test('a pruned go.mod that go would have to update names too little: all that is selected is wanted', async () => {
    const requiring = (c: string) => `module x\ngo 1.21\nrequire m.test/c ${c}\nrequire m.test/u v1.0.0\n`;
    const mods = {
      'm.test/c@v1.0.0': 'go 1.21\n',
      'm.test/c@v1.5.0': 'go 1.21\n',
      'm.test/u@v1.0.0': 'go 1.16\nrequire m.test/c v1.5.0\nrequire m.test/more v1.0.0\n',
      'm.test/more@v1.0.0': 'go 1.16\n',
    };
    const behind = await collect({ 'go.mod': requiring('v1.0.0') }, ['go.mod'], new MadeAnswers(mods));
    expect(brief(behind)).toEqual([
      'm.test/c@v1.0.0',
      'm.test/c@v1.5.0+',
      'm.test/more@v1.0.0+',
      'm.test/u@v1.0.0+',
    ]);
    const tidy = await collect({ 'go.mod': requiring('v1.5.0') }, ['go.mod'], new MadeAnswers(mods));
    expect(brief(tidy)).toEqual(['m.test/c@v1.5.0+', 'm.test/more@v1.0.0', 'm.test/u@v1.0.0+']);
  });

  test('the replace lines of a dependency do not count', async () => {
    const answers = new MadeAnswers({
      'm.test/a@v1.0.0': 'go 1.16\nrequire m.test/b v1.0.0\nreplace m.test/b => m.test/evil v1.0.0\n',
      'm.test/b@v1.0.0': '',
    });
    const files = { 'go.mod': 'module x\nrequire m.test/a v1.0.0\n' };
    expect(brief(await collect(files, ['go.mod'], answers))).toEqual([
      'm.test/a@v1.0.0+',
      'm.test/b@v1.0.0+',
    ]);
  });

  test('a replacement for one version wins over one for all, and that of the workspace over that of a module', async () => {
    const answers = new MadeAnswers({
      'm.test/one@v1.0.0': '',
      'm.test/all@v1.0.0': '',
      'm.test/work@v1.0.0': '',
    });
    const files = {
      'a/go.mod':
        'module a\nrequire m.test/x v1.0.0\nrequire m.test/y v1.0.0\nreplace m.test/x v1.0.0 => m.test/one v1.0.0\nreplace m.test/x => m.test/all v1.0.0\nreplace m.test/y => m.test/all v1.0.0\n',
      'go.work': 'use ./a\nreplace m.test/y => m.test/work v1.0.0\n',
    };
    expect(brief(await collect(files, ['a/go.mod'], answers))).toEqual([
      'm.test/all@v1.0.0+',
      'm.test/one@v1.0.0+',
    ]);
    expect(brief(await collect(files, ['go.work'], answers))).toEqual([
      'm.test/all@v1.0.0+',
      'm.test/one@v1.0.0+',
      'm.test/work@v1.0.0+',
    ]);
  });

  test('a directory in place of a module that is not there is skipped with a reason', async () => {
    const mod = 'module x\nrequire m.test/a v1.0.0\nreplace m.test/a => ../gone\nreplace m.test/b => /abs\n';
    const { wanted, skipped } = await collect({ 'sub/go.mod': mod }, ['sub/go.mod'], new MadeAnswers({}));
    expect(wanted).toEqual([]);
    expect(skipped).toEqual([
      {
        what: 'what "../gone" requires, which replaces a module in sub/go.mod',
        why: 'gone/go.mod cannot be read',
      },
    ]);
  });

  test('a module of a workspace that cannot stand alone is skipped, unless it was named itself', async () => {
    const files = {
      'go.work': 'use ./a\nuse ./b\nreplace w.test/b v0.0.0 => ./b\n',
      'a/go.mod': 'module w.test/a\nrequire w.test/b v0.0.0\nrequire m.test/a v1.0.0\n',
      'b/go.mod': 'module w.test/b\n',
    };
    const answers = new MadeAnswers({ 'm.test/a@v1.0.0': '' });
    for (const args of [['.'], ['go.work'], ['go.work', 'b/go.mod']]) {
      const { skipped, ...set } = await collect(files, args, answers);
      expect(brief({ ...set, skipped })).toEqual(['m.test/a@v1.0.0+']);
      expect(skipped).toEqual([
        {
          what: 'a/go.mod outside its workspace',
          why: expect.stringContaining('Nobody knows w.test/b@v0.0.0.'),
        },
      ]);
    }
    await expect(collect(files, ['go.work', 'a/go.mod'], answers)).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('nothing more is asked for after a failure or an abort', async () => {
    const mods = Object.fromEntries(
      Array.from({ length: 50 }, (_, i) => [`m.test/m${i}@v1.0.0`, 'go 1.21\n']),
    );
    const args = Object.keys(mods);
    const failing = new MadeAnswers(mods);
    await expect(collect({}, ['m.test/gone@v1.0.0', ...args], failing)).rejects.toMatchObject({
      code: 'not_found',
    });
    const before = failing.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(failing.asked).toHaveLength(before);
    expect(before).toBeLessThan(20);

    const abort = new AbortController();
    const aborted = new MadeAnswers(mods);
    const reason = new Error('enough');
    const progress = () => abort.abort(reason);
    await expect(collect({}, args, aborted, { signal: abort.signal, progress })).rejects.toBe(reason);
    expect(aborted.asked.length).toBeLessThan(20);
  });
});

describe('module@query', () => {
  const mods = {
    'm.test/tool@v1.4.0': 'go 1.21\ntoolchain go1.24.1\nrequire m.test/a v1.0.0\n',
    'm.test/a@v1.0.0': 'go 1.21\nrequire m.test/b v1.0.0\n',
  };
  const versions = {
    'm.test/tool@latest': 'v1.4.0',
    'm.test/tool@v1': 'v1.4.0',
    'm.test/tool@main': 'v1.4.0',
    'm.test/tool@v1.4.0+meta': 'v1.4.0',
    'm.test/tool@odd': 'main',
  };

  test('wants the version and the graph below it, and remembers the query only where go would send it', async () => {
    for (const query of ['latest', 'v1', 'v1.4.0', 'main', 'v1.4.0+meta']) {
      const set = await collect({}, [`m.test/tool@${query}`], new MadeAnswers(mods, versions));
      expect(brief(set)).toEqual(['m.test/a@v1.0.0+', 'm.test/b@v1.0.0', 'm.test/tool@v1.4.0+']);
      const isSent = query === 'main' || query === 'v1.4.0+meta';
      expect(set.queries).toEqual(isSent ? [{ path: 'm.test/tool', query, version: 'v1.4.0' }] : []);
      expect(set.goVersions).toEqual(['go1.24.1']);
    }
  });

  test('an answer that is no version is an upstream failure', async () => {
    const work = collect({}, ['m.test/tool@odd'], new MadeAnswers(mods, versions));
    await expect(work).rejects.toMatchObject({ code: 'upstream_failed' });
  });

  test('a wish that is unknown, or whose graph is, is skipped whole; anything else in the list fails', async () => {
    const answers = () =>
      new MadeAnswers(
        { ...mods, 'm.test/half@v1.0.0': 'require m.test/a v1.0.0\nrequire m.test/gone v1.0.0\n' },
        versions,
      );
    const list = '# tools\n?m.test/gone@latest\n? m.test/half@v1.0.0 # a wish\n\n';
    const { wanted, skipped } = await collect({ 'l.txt': list }, ['l.txt'], answers());
    expect(wanted).toEqual([]);
    expect(skipped).toEqual([
      { what: 'm.test/gone@latest', why: expect.stringMatching(/^l\.txt line 2 needs .* Nobody knows/) },
      {
        what: 'm.test/half@v1.0.0',
        why: expect.stringMatching(/^l\.txt line 3 needs "m\.test\/gone@v1\.0\.0"/),
      },
    ]);
    await expect(collect({ 'l.txt': 'm.test/gone@latest\n' }, ['l.txt'], answers())).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringMatching(/^l\.txt line 1 needs/),
    });
  });
});

test('toolchains come from the go and toolchain lines of the inputs: whole versions since go1.21, each once', async () => {
  const files = {
    'a/go.mod': 'module a\ngo 1.26.9\ntoolchain go1.26.10\n',
    'b/go.mod': 'module b\ngo 1.23\n',
    'c/go.mod': 'module c\ngo 1.20.3\ntoolchain default\n',
    'd/go.mod': 'module d\ngo 1.21rc2\ntoolchain go1.22.1-custom\n',
    'e/go.mod': 'module e\ngo 1.26.9\n',
    'go.work': 'go 1.25.0\nuse ./a\n',
  };
  const { goVersions } = await collect(files, ['.'], new MadeAnswers({}));
  expect(goVersions).toEqual(['go1.21rc2', 'go1.25.0', 'go1.26.9', 'go1.26.10']);
});
