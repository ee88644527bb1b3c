import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isNamedFor, SHOWN_SYSTEMS, tagsOn } from '../../src/catalogue/build-constraint.ts';
import { readGoFile } from '../../src/catalogue/go-file.ts';
import type { Documented, PackageDocs } from '../../src/godoc/package-docs.ts';
import { readPackage } from '../../src/godoc/read-package.ts';
import { readSourceFile } from '../../src/godoc/source-file.ts';

/** Whatever machine this runs on, documentation is for Linux on AMD64. */
const env = { ...process.env, GOOS: 'linux', GOARCH: 'amd64', CGO_ENABLED: '1', GOFLAGS: '', GOWORK: 'off' };
const go = (directory: string, ...args: string[]) =>
  execFileSync('go', args, { cwd: directory, env, maxBuffer: 64 * 2 ** 20 }).toString();

const STANDARD = [
  'strings',
  'net/http',
  'encoding/json',
  'go/ast',
  'go/scanner',
  'sort',
  'errors',
  'time',
  'container/list',
  'text/template',
  'debug/elf',
  'crypto',
  'iter',
  'syscall',
];

let goroot: string;
let nasty: string;

beforeAll(() => {
  goroot = go(tmpdir(), 'env', 'GOROOT').trim();
  nasty = mkdtempSync(path.join(tmpdir(), 'gokeep-nasty-'));
  cpSync(new URL('../testdata/godoc/nasty', import.meta.url), nasty, { recursive: true });
  writeFileSync(path.join(nasty, 'go.mod'), 'module example.test/nasty\n\ngo 1.24\n');
});

afterAll(() => rmSync(nasty, { recursive: true }));

function ours(directory: string): PackageDocs {
  const files = readdirSync(directory)
    .filter(
      (name) => name.endsWith('.go') && !name.endsWith('_test.go') && isNamedFor(SHOWN_SYSTEMS[0], name),
    )
    .flatMap((name) => {
      const text = readFileSync(path.join(directory, name), 'utf8');
      const start = readGoFile(text, tagsOn(SHOWN_SYSTEMS[0]));
      return start === undefined || start.ignored ? [] : (readSourceFile(name, text) ?? []);
    });
  return readPackage(files);
}

/** The declarations of `go doc -all`: without comments, which it indents, and the blank lines and headings around them. */
function declarations(text: string): string[] {
  const lines = text.split('\n');
  const shown: string[] = [];
  let isOpen = false;
  const first = lines.findIndex(isHeading);
  for (const line of first < 0 ? [] : lines.slice(first)) {
    if (line.startsWith('BUG: ')) break;
    // Definitions of links stand at the margin.
    if (isHeading(line) || line.startsWith('    ') || /^\[.*\]: /.test(line)) continue;
    if (line === '' && !isOpen) continue;
    if (/^[)}]/.test(line)) isOpen = false;
    else if (/[({]$/.test(line) && !line.startsWith('\t')) isOpen = true;
    shown.push(line);
  }
  return shown;
}

const isHeading = (line: string) => /^(?:CONSTANTS|VARIABLES|FUNCTIONS|TYPES)$/.test(line);

function code(docs: PackageDocs): string[] {
  const { consts, vars, funcs, types } = docs;
  const all: Documented[] = [
    ...consts,
    ...vars,
    ...funcs,
    ...types.flatMap((type) => [type, ...type.consts, ...type.vars, ...type.funcs, ...type.methods]),
  ];
  return all.flatMap((each) => each.code.split('\n')).filter((line) => !line.startsWith('    '));
}

describe('declarations', () => {
  it.each(STANDARD)('of %s are those of go doc -all, character for character', (name) => {
    const directory = path.join(goroot, 'src', name);
    const docs = ours(directory);
    expect(code(docs)).toEqual(declarations(go(directory, 'doc', '-all', '.')));
    expect(docs.whole).toBe(true);
  });

  it('of a package made to be hard to read are those of go doc -all', () => {
    const docs = ours(nasty);
    expect(code(docs)).toEqual(declarations(go(nasty, 'doc', '-all', '.')));
    expect(docs.whole).toBe(true);
    expect(docs.doc).toContain('Deprecated: nobody should.');
    expect(docs.doc).toContain('documented twice');
  });

  it('on one line are those of go doc -short', () => {
    for (const directory of [nasty, path.join(goroot, 'src/net/http'), path.join(goroot, 'src/go/ast')]) {
      const { funcs, types } = ours(directory);
      const shown = [
        ...funcs.map(({ short }) => short),
        ...types.flatMap((type) => [type.short, ...type.funcs.map(({ short }) => `    ${short}`)]),
      ];
      const lines = go(directory, 'doc', '-short', '.').split('\n');
      expect(shown).toEqual(lines.filter((line) => /^ *(?:func|type) /.test(line)));
    }
  });

  it('stand on the line that is told', () => {
    const docs = ours(path.join(goroot, 'src/strings'));
    const builder = docs.types.find(({ name }) => name === 'Builder');
    const text = readFileSync(path.join(goroot, 'src/strings', builder!.file), 'utf8').split('\n');
    expect(text[builder!.line - 1]).toBe('type Builder struct {');
    const method = builder!.methods.find(({ name }) => name === 'WriteString')!;
    expect(text[method.line - 1]).toContain(method.code);
  });
});

describe('what somebody made to be hard to read', () => {
  const letters = Array.from({ length: 10 }, (_, n) => String.fromCharCode(65 + n));
  const EVIL = [
    'type T struct {',
    'type T struct { A [',
    'func F(',
    'func F() {',
    'const (',
    'var X = `',
    'var X = "',
    "var X = '",
    '/*',
    '(',
    'type T ' + '[]'.repeat(50),
    'type T ' + 'func('.repeat(50),
    'type T ' + 'struct{A '.repeat(50),
    'type T [A [B [',
    'type T interface{ ~',
    'var X = 1 +',
    'import (',
    '//',
    '\u202e\0',
    'x, ',
    '[',
    '{',
    'func (a b) ',
  ];

  it.each(EVIL)('takes little time and memory, and throws nothing: %j', (piece) => {
    const size = 300_000;
    const before = process.cpuUsage();
    for (const between of ['', '\n'])
      for (const head of ['package p\n', 'package p\ntype T struct {\n', 'package p\nfunc ('])
        readPackage(
          [readSourceFile('a.go', head + `${piece}${between}`.repeat(size / piece.length))].filter(
            (file) => file !== undefined,
          ),
        );
    const { user } = process.cpuUsage(before);
    expect(user / 1e6).toBeLessThan(4);
  });

  it.each([
    ['tabs', `type T struct {\n\tA func(\n${`${'\t'.repeat(4_000)}a int,\n`.repeat(50)}) int\n}\n`],
    ['very many tabs', `type T struct {\n\tA func(\n${'\t'.repeat(40_000)}a int,\n) int\n}\n`],
    [
      'types that embed each other',
      letters.map((a) => `type ${a} struct { ${letters.map((b) => `${b}\n`).join('')} }\n`).join(''),
    ],
  ])('costs little where there are %s', (_, code) => {
    const before = process.cpuUsage();
    const docs = readPackage([readSourceFile('a.go', `package p\n\n${code}`)!]);
    expect(docs.types.length).toBeGreaterThan(0);
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(1.5);
  });

  it('costs what 50,000 declarations cost: less than seconds', () => {
    const lines = Array.from(
      { length: 50_000 },
      (_, n) => `// F${n} does.\nfunc F${n}(a int) error { return nil }\n`,
    );
    const before = process.cpuUsage();
    const docs = readPackage([readSourceFile('a.go', `package p\n\n${lines.join('\n')}`)!]);
    expect(docs.funcs).toHaveLength(50_000);
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(4);
  });

  it('hides no declaration after it, however deeply what was left was nested', () => {
    const deep = `type T ${'*'.repeat(70)})\n`.repeat(3);
    const { types } = readPackage([readSourceFile('a.go', `package p\n\n${deep}type B int\n`)!]);
    expect(types.map(({ name }) => name)).toEqual(['B']);
  });

  it('hides no declaration after it', () => {
    const docs = readPackage([
      readSourceFile(
        'a.go',
        'package p\n\ntype A struct { $ }\n\n// B is read.\nfunc B() {}\n\nfunc C( {\n\nvar D int\n',
      )!,
    ]);
    expect([docs.funcs.map(({ name }) => name), docs.vars.map(({ names }) => names)]).toEqual([
      ['B'],
      [['D']],
    ]);
    expect(docs.whole).toBe(false);
  });
});
