import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WantedSet } from '../../../src/airgap/want/wanted.ts';
import { parseModuleRequest } from '../../../src/module/request-path.ts';
import { GoClient } from '../../world/go-client.ts';
import type { ModuleSource } from '../../world/modules.ts';
import { UpstreamWorld } from '../../world/upstream-world.ts';
import { collect, MadeAnswers } from './made-graph.ts';

/** Versions by path; each is tidy, as published modules are. */
const published: Record<string, Record<string, Omit<ModuleSource, 'path' | 'version'>>> = {
  'p.test/a': { 'v1.0.0': { require: { 'p.test/b': 'v1.0.0', 'p.test/c': 'v1.0.0' } } },
  'p.test/b': { 'v1.0.0': { require: { 'p.test/c': 'v1.0.0' } } },
  'p.test/c': {
    'v1.0.0': {},
    'v1.1.0': { require: { 'p.test/d': 'v1.0.0' } },
    'v1.2.0': { require: { 'p.test/d': 'v1.1.0' } },
  },
  'p.test/d': { 'v1.0.0': {}, 'v1.1.0': {} },
  'p.test/needsc': { 'v1.0.0': { require: { 'p.test/c': 'v1.2.0', 'p.test/d': 'v1.1.0' } } },
  // Before pruning.
  'u.test/a': { 'v1.0.0': { go: '1.16', require: { 'u.test/b': 'v1.0.0' } } },
  'u.test/b': { 'v1.0.0': { go: '1.16', require: { 'u.test/c': 'v1.0.0', 'p.test/a': 'v1.0.0' } } },
  'u.test/c': { 'v1.0.0': { go: '1.13' }, 'v1.5.0': { go: '1.13' } },
  'u.test/c5': { 'v1.0.0': { go: '1.16', require: { 'u.test/c': 'v1.5.0' } } },
  // Each requires the other.
  'u.test/x': {
    'v1.0.0': { go: '1.16' },
    'v1.1.0': { go: '1.16', require: { 'u.test/y': 'v1.0.0' }, files: { 'x.go': 'package x\n' } },
  },
  'u.test/y': { 'v1.0.0': { go: '1.16', require: { 'u.test/x': 'v1.0.0' } } },
  // What they require for their tests is not named by those who use them.
  'p.test/wide': { 'v1.0.0': { require: { 'p.test/deep': 'v1.0.0' } } },
  'p.test/deep': { 'v1.0.0': { require: { 'p.test/far': 'v1.0.0' }, files: { 'd.go': 'package deep\n' } } },
  'p.test/far': { 'v1.0.0': {} },
  'u.test/wide': {
    'v1.0.0': { go: '1.16', require: { 'u.test/deep': 'v1.0.0' }, files: { 'w.go': 'package wide\n' } },
  },
  'u.test/deep': { 'v1.0.0': { go: '1.16', require: { 'p.test/wide': 'v1.0.0' } } },
  'u.test/cycle': { 'v1.0.0': { go: '1.16' } },
  'u.test/back': {
    'v1.0.0': { go: '1.16', require: { 'u.test/cycle': 'v1.0.0' }, files: { 'b.go': 'package back\n' } },
  },
  // Only its test needs another module.
  't.test/a': {
    'v1.0.0': {
      require: { 't.test/check': 'v1.0.0', 't.test/diff': 'v1.0.0' },
      files: { 'a.go': 'package a\n', 'a_test.go': 'package a\n\nimport _ "t.test/check"\n' },
    },
  },
  't.test/check': { 'v1.0.0': { require: { 't.test/diff': 'v1.0.0' } } },
  't.test/diff': { 'v1.0.0': {} },
  'r.test/Fork': { 'v1.4.0': { require: { 'p.test/d': 'v1.1.0' }, files: { 'c.go': 'package c\n' } } },
  'i.test/tool': {
    'v1.0.0': {
      require: { 'p.test/a': 'v1.0.0', 'p.test/b': 'v1.0.0', 'p.test/c': 'v1.1.0', 'p.test/d': 'v1.0.0' },
      files: { 'main.go': 'package main\n\nimport _ "p.test/a"\n\nfunc main() {}\n' },
    },
    'v1.1.0': {
      go: '1.16',
      require: { 'u.test/a': 'v1.0.0' },
      files: { 'main.go': 'package main\n\nimport _ "u.test/a"\n\nfunc main() {}\n' },
    },
  },
};

let world: UpstreamWorld;
let answers: MadeAnswers;

beforeAll(async () => {
  world = await UpstreamWorld.start();
  const mods: Record<string, string> = {};
  for (const [path, versions] of Object.entries(published)) {
    for (const [version, source] of Object.entries(versions)) {
      const { mod } = await world.publish({ path, version, ...source });
      mods[`${path}@${version}`] = mod.slice(mod.indexOf('\n') + 1);
    }
  }
  answers = new MadeAnswers(mods);
});

afterAll(() => world[Symbol.asyncDispose]());

type Files = Readonly<Record<string, string>>;

/** What the real go, with nothing in its cache, asks its proxy for: `path@version`, sorted. */
async function asked(files: Files, ...commands: string[][]): Promise<{ mod: string[]; zip: string[] }> {
  await using client = await GoClient.create({ GOPROXY: world.url, GOSUMDB: world.vkey });
  for (const [name, content] of Object.entries(files)) await client.write(name, content);
  const seen = { mod: new Set<string>(), zip: new Set<string>() };
  for (const command of commands) {
    await client.forget();
    const before = world.moduleTargets.length;
    const { code, stderr } = await client.run(...command);
    expect(code, `go ${command.join(' ')}: ${stderr}`).toBe(0);
    for (const target of world.moduleTargets.slice(before)) {
      const { kind, path, ...request } = parseModuleRequest(target);
      if ((kind === 'mod' || kind === 'zip') && 'version' in request && path in published)
        seen[kind].add(`${path}@${request.version}`);
    }
  }
  return { mod: [...seen.mod].sort(), zip: [...seen.zip].sort() };
}

function mods(set: WantedSet): string[] {
  return set.wanted.map(({ path, version }) => `${path}@${version}`).sort();
}

function zips(set: WantedSet): string[] {
  return mods({ ...set, wanted: set.wanted.filter(({ zip }) => zip) });
}

function goMod(go: string, require: Readonly<Record<string, string>>, rest = '', module = 'main.test/main') {
  const lines = Object.entries(require).map(([path, version]) => `require ${path} ${version}\n`);
  return `module ${module}\n\ngo ${go}\n\n${lines.join('')}${rest}`;
}

function importing(...paths: string[]): string {
  return `package main\n\n${paths.map((path) => `import _ "${path}"\n`).join('')}\nfunc main() {}\n`;
}

const pruned = { 'p.test/a': 'v1.0.0', 'p.test/b': 'v1.0.0', 'p.test/c': 'v1.0.0' };

/** This one is not tidy: go updates it first, and may then need whatever it selects. */
const untidy = 'a pruned module that requires less than is required of it';

const shapes: Record<string, Files> = {
  'a pruned module': { 'go.mod': goMod('1.21', pruned), 'main.go': importing('p.test/a') },
  'a pruned module below which a version was raised': {
    'go.mod': goMod('1.21', { ...pruned, 'p.test/c': 'v1.1.0', 'p.test/d': 'v1.0.0' }),
    'main.go': importing('p.test/a', 'p.test/c'),
  },
  [untidy]: {
    'go.mod': goMod('1.21', { ...pruned, 'p.test/needsc': 'v1.0.0' }),
    'main.go': importing('p.test/a', 'p.test/needsc'),
  },
  'an unpruned module, with a diamond': {
    'go.mod': goMod('1.16', { 'u.test/a': 'v1.0.0', 'u.test/c5': 'v1.0.0' }),
    'main.go': importing('u.test/a', 'u.test/c5'),
  },
  'an unpruned module, with a cycle': {
    'go.mod': goMod('1.16', { 'u.test/x': 'v1.1.0' }),
    'main.go': importing('u.test/x', 'u.test/y'),
  },
  'a pruned module with unpruned requirements': {
    'go.mod': goMod('1.21', { ...pruned, 'u.test/a': 'v1.0.0', 'u.test/b': 'v1.0.0', 'u.test/c': 'v1.0.0' }),
    'main.go': importing('u.test/a'),
  },
  'an unpruned module with pruned requirements': {
    'go.mod': goMod('1.16', { 'p.test/wide': 'v1.0.0' }),
    'main.go': importing('p.test/wide'),
  },
  'a pruned module whose unpruned requirements reach further than it names': {
    'go.mod': goMod('1.21', {
      'u.test/wide': 'v1.0.0',
      'p.test/a': 'v1.0.0',
      'p.test/b': 'v1.0.0',
      'p.test/c': 'v1.0.0',
    }),
    'main.go': importing('u.test/wide', 'p.test/a'),
  },
  'a module that is required by what it requires': {
    'go.mod': goMod('1.16', { 'u.test/back': 'v1.0.0' }, '', 'u.test/cycle'),
    'main.go': importing('u.test/back'),
  },
  'a module replaced by another': {
    'go.mod': goMod(
      '1.21',
      { ...pruned, 'p.test/d': 'v1.1.0' },
      'replace p.test/c => r.test/Fork v1.4.0\nreplace p.test/d v1.0.0 => ./nowhere\n',
    ),
    'main.go': importing('p.test/a', 'p.test/d'),
  },
  'a module replaced by a directory': {
    'go.mod': goMod('1.21', { ...pruned, 'p.test/d': 'v1.1.0' }, 'replace p.test/c v1.0.0 => ./c\n'),
    'main.go': importing('p.test/a'),
    'c/go.mod': goMod('1.16', { 'p.test/d': 'v1.1.0', 'u.test/c5': 'v1.0.0' }, '', 'p.test/c'),
    'c/c.go': 'package c\n\nimport _ "p.test/d"\n',
  },
  'an excluded version': {
    'go.mod': goMod('1.16', { 'u.test/a': 'v1.0.0', 'u.test/c': 'v1.0.0' }, 'exclude u.test/b v1.0.0\n'),
    'main.go': importing('u.test/c'),
  },
  'a workspace': {
    'go.work': 'go 1.21\n\nuse ./one\nuse ./two\nuse ./three\nreplace p.test/b v1.0.0 => ./b\n',
    'one/go.mod': goMod('1.21', pruned, '', 'w.test/one'),
    'one/main.go': importing('p.test/a'),
    'two/go.mod': goMod('1.21', { 'p.test/c': 'v1.1.0', 'p.test/d': 'v1.0.0' }, '', 'w.test/two'),
    'two/main.go': importing('p.test/c'),
    'three/go.mod': goMod('1.16', { 'u.test/c5': 'v1.0.0' }, '', 'w.test/three'),
    'three/main.go': importing('u.test/c5'),
    'b/go.mod': goMod('1.21', { 'p.test/needsc': 'v1.0.0', 'p.test/c': 'v1.2.0' }, '', 'p.test/b'),
    'b/b.go': 'package b\n\nimport _ "p.test/needsc"\n',
  },
};

describe('what the unmodified go asks for with an empty cache is wanted', () => {
  for (const [name, files] of Object.entries(shapes)) {
    const root = 'go.work' in files ? 'go.work' : 'go.mod';
    const isWorkspace = root === 'go.work';

    test(`go mod download, in ${name}: those zips and no others`, { timeout: 120_000 }, async () => {
      const { mod, zip } = await asked(files, ['mod', 'download']);
      const wanted = await collect(files, [root], answers);
      // Beside the workspace, each of its modules is wanted as it is outside.
      if (isWorkspace || name === untidy) expect(zips(wanted)).toEqual(expect.arrayContaining(zip));
      else expect(zips(wanted)).toEqual(zip);
      expect(mods(wanted)).toEqual(expect.arrayContaining(mod));
      expect(zip.length).toBeGreaterThan(0);
    });

    test(`go list, in ${name}`, { timeout: 120_000 }, async () => {
      const packages = isWorkspace ? ['./one', './two', './three'] : ['./...'];
      const { mod, zip } = await asked(
        files,
        ...(isWorkspace
          ? [
              ['mod', 'download'],
              ['build', ...packages],
              ['list', '-m', 'all'],
              ['list', '-deps', ...packages],
            ]
          : [
              ['list', '-mod=mod', '-m', 'all'],
              ['list', '-mod=mod', '-deps', './...'],
              ['mod', 'graph'],
            ]),
      );
      const wanted = await collect(files, [root], answers);
      expect(zips(wanted)).toEqual(expect.arrayContaining(zip));
      expect(mods(wanted)).toEqual(isWorkspace ? expect.arrayContaining(mod) : mod);
    });
  }

  test('the tests of a dependency, when tests are asked for and only then', {
    timeout: 120_000,
  }, async () => {
    const files = { 'go.mod': goMod('1.21', { 't.test/a': 'v1.0.0' }), 'main.go': importing('t.test/a') };
    const { mod, zip } = await asked(files, ['list', '-mod=mod', '-deps', '-test', 't.test/a']);
    expect(zip).toEqual(['t.test/a@v1.0.0', 't.test/check@v1.0.0', 't.test/diff@v1.0.0']);
    const wanted = await collect(files, ['go.mod'], answers, { tests: true });
    expect(zips(wanted)).toEqual(zip);
    expect(mods(wanted)).toEqual(expect.arrayContaining(mod));
    expect(zips(await collect(files, ['go.mod'], answers))).toEqual(['t.test/a@v1.0.0']);
  });

  for (const query of [
    'i.test/tool@v1.0.0',
    'i.test/tool@v1.1.0',
    'p.test/needsc@v1.0.0',
    'u.test/a@v1.0.0',
  ]) {
    test(`go get ${query} in a new module`, { timeout: 120_000 }, async () => {
      const { mod, zip } = await asked({ 'go.mod': goMod('1.21', {}) }, ['get', query]);
      const wanted = await collect({}, [query], answers);
      expect(zips(wanted)).toEqual(expect.arrayContaining(zip));
      expect(mods(wanted)).toEqual(expect.arrayContaining(mod.filter((m) => !isNewest(m))));
      expect(zip).toContain(query);
    });
  }

  test('go build, in a pruned module', { timeout: 120_000 }, async () => {
    const files = shapes['a pruned module']!;
    const { mod, zip } = await asked(files, ['build', '-mod=mod', '-o', '/dev/null', './...']);
    const wanted = await collect(files, ['go.mod'], answers);
    expect(zips(wanted)).toEqual(zip);
    expect(mods(wanted)).toEqual(expect.arrayContaining(mod));
  });

  for (const query of ['i.test/tool@v1.0.0', 'i.test/tool@v1.1.0']) {
    test(`go install ${query}`, { timeout: 120_000 }, async () => {
      const { mod, zip } = await asked({}, ['install', query]);
      const wanted = await collect({}, [query], answers);
      expect(zips(wanted)).toEqual(expect.arrayContaining(zip));
      expect(mods(wanted)).toEqual(expect.arrayContaining(mod.filter((m) => !isNewest(m))));
      expect(zip).toContain(query);
    });
  }
});

/** The go.mod of a module's newest version is asked for to see what is retracted; behind the gap that is another. */
function isNewest(module: string): boolean {
  const [path = '', version] = module.split('@');
  return Object.keys(published[path] ?? {}).at(-1) === version;
}
