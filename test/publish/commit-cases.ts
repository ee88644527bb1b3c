import {
  type Arbitrary,
  array,
  boolean,
  constantFrom,
  dictionary,
  option,
  record,
  sample,
  tuple,
} from 'fast-check';

/** A commit, and the module in it. */
export interface CommitCase {
  readonly name: string;
  /** By path; see `layDown` for the kinds. */
  readonly files: Readonly<Record<string, string>>;
  readonly symlinks?: Readonly<Record<string, string>>;
  readonly executable?: readonly string[];
  /** Paths at which there is a submodule. */
  readonly submodules?: readonly string[];
  /** The module's directory; empty for the root. */
  readonly subdirectory?: string;
  /** The module path behind that of the repository, and the major version. By default the subdirectory, and 1. */
  readonly suffix?: string;
  readonly major?: number;
}

/** Where `LIB` stands in a file, the repository's module path is put. */
const mod = (suffix = '', go = '1.21') => `module LIB${suffix}\n\ngo ${go}\n`;

const root = { 'go.mod': mod(), 'a.go': 'package a\n', LICENSE: 'root licence\n' };
const sub = { ...root, 'sub/go.mod': mod('/sub'), 'sub/b.go': 'package b\n' };

export const commitCases: readonly CommitCase[] = [
  { name: 'a plain module', files: root },
  { name: 'without a go.mod', files: { 'a.go': 'package a\n' } },
  {
    name: 'export-ignore does not count',
    files: {
      ...root,
      '.gitattributes': 'a.go export-ignore\ntest export-ignore\n',
      'test/x.go': 'package x\n',
    },
  },
  {
    name: 'export-subst does not count',
    files: { ...root, '.gitattributes': '* export-subst\n', 'v.go': 'package a // $Format:%H$\n' },
  },
  {
    name: 'export-ignore in a macro and below the root does not count',
    files: {
      ...root,
      '.gitattributes': '[attr]gone export-ignore\nx.go gone\n',
      'x.go': 'x',
      'd/.gitattributes': '* export-ignore export-subst\n',
      'd/y.go': '$Format:%h$',
    },
  },
  {
    name: 'line endings as the attributes say',
    files: {
      ...root,
      '.gitattributes': '* text=auto\n*.bat text eol=crlf\n*.sh text eol=lf\n*.raw -text\n',
      'a.bat': 'a\nb\n',
      'b.bat': 'a\r\nb\r\n',
      'a.sh': 'a\r\nb\n',
      'a.raw': 'a\r\nb\n',
      'a.txt': 'a\r\nb\n',
      'nul.txt': 'a\r\n\0b\n',
    },
  },
  { name: 'line endings without attributes', files: { ...root, 'a.txt': 'a\r\nb\n', 'b.txt': 'a\rb' } },
  {
    name: 'the go.mod has line endings of its own',
    files: { ...root, '.gitattributes': 'go.mod text eol=crlf\n' },
  },
  {
    name: 'another encoding in the working tree',
    files: { ...root, '.gitattributes': '*.u16 working-tree-encoding=UTF-16LE\n', 'a.u16': 'a\0b\0' },
  },
  {
    name: 'ident is expanded',
    files: { ...root, '.gitattributes': '*.go ident\n', 'id.go': 'package a // $Id$\n' },
  },
  {
    name: 'a filter that is configured nowhere',
    files: { ...root, '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n', 'a.bin': 'pointer\n' },
  },
  {
    name: 'vendor before Go 1.24',
    files: {
      'go.mod': mod('', '1.23'),
      'vendor/modules.txt': 'x',
      'vendor/x.y/z/z.go': 'package z\n',
      'p/vendor/v.go': 'package v\n',
      'p/vendor/w/w.go': 'package w\n',
    },
  },
  {
    name: 'vendor from Go 1.24 on',
    files: {
      'go.mod': mod('', '1.24'),
      'vendor/modules.txt': 'x',
      'vendor/x.y/z/z.go': 'package z\n',
      'vendor/x.y/go.mod': 'module x.y\n',
      'p/vendor/v.go': 'package v\n',
      'p/vendor/w/w.go': 'package w\n',
    },
  },
  { name: 'another module below', files: sub },
  { name: 'a module in a subdirectory takes the LICENSE of the root', files: sub, subdirectory: 'sub' },
  {
    name: 'a module in a subdirectory with a LICENSE of its own',
    files: { ...sub, 'sub/LICENSE': 'own licence\n' },
    subdirectory: 'sub',
  },
  {
    name: 'a module in a subdirectory, and no LICENSE anywhere',
    files: { 'sub/go.mod': mod('/sub'), 'sub/b.go': 'package b\n', 'license.txt': 'x' },
    subdirectory: 'sub',
  },
  {
    name: 'the LICENSE of the root is taken as it is stored',
    files: { ...sub, '.gitattributes': '* text eol=crlf\nLICENSE ident\n', LICENSE: '$Id$\nroot\n' },
    subdirectory: 'sub',
  },
  {
    name: 'the LICENSE of the root is a link',
    files: { ...sub, LICENSE: '', COPYING: 'x' },
    symlinks: { LICENSE: 'COPYING' },
    subdirectory: 'sub',
  },
  {
    name: 'the LICENSE of the subdirectory is a link',
    files: sub,
    symlinks: { 'sub/LICENSE': '../LICENSE' },
    subdirectory: 'sub',
  },
  {
    name: 'the LICENSE of the root is a directory',
    files: { ...sub, LICENSE: '', 'LICENSE/MIT': 'x' },
    subdirectory: 'sub',
  },
  {
    name: 'a module in a subdirectory, and a directory whose name begins like it',
    files: { ...sub, 'sub2/c.go': 'package c\n', 'subway/d.go': 'package d\n' },
    subdirectory: 'sub',
  },
  {
    name: 'a module in a deep subdirectory',
    files: { ...root, 'x/y/go.mod': mod('/x/y'), 'x/y/z.go': 'package y\n', 'x/LICENSE': 'not the root\n' },
    subdirectory: 'x/y',
  },
  { name: 'version 2 in the root', files: { ...root, 'go.mod': mod('/v2') }, suffix: '/v2', major: 2 },
  {
    name: 'version 2 in a directory of its own',
    files: { ...root, 'v2/go.mod': mod('/v2'), 'v2/a.go': 'package a\n' },
    subdirectory: 'v2',
    major: 2,
  },
  { name: 'a submodule', files: root, submodules: ['dep'] },
  { name: 'a submodule in a subdirectory', files: sub, submodules: ['sub/dep'], subdirectory: 'sub' },
  { name: 'links', files: root, symlinks: { b: 'a.go', 'd/c': '../a.go', e: '/etc/passwd' } },
  { name: 'executable files', files: { ...root, 'run.sh': '#!/bin/sh\n' }, executable: ['run.sh', 'a.go'] },
  {
    name: 'names in Unicode',
    files: { ...root, 'ä/日本.go': 'package a\n', '\u{10400}.txt': 'x', '\uff41.txt': 'y', 'a b.txt': 'z' },
  },
  { name: 'an empty file and a NUL', files: { ...root, 'zero.bin': '\0', 'sp ace': ' ' } },
  { name: '.hg_archival.txt', files: { ...root, '.hg_archival.txt': 'x', 'd/.hg_archival.txt': 'y' } },
  { name: 'directories of other version control systems', files: { ...root, '.hg/x': 'x', '.svn/y': 'y' } },
  { name: 'ignored files that were committed', files: { ...root, '.gitignore': '*.o\n', 'a.o': 'x' } },
  { name: 'a file of a megabyte', files: { ...root, big: 'big\n'.repeat(300_000) } },
  // What go refuses.
  { name: 'names that differ in case', files: { ...root, 'b.go': 'x', 'B.go': 'y' } },
  { name: 'a name that Windows reserves', files: { ...root, 'aux.go': 'package a\n' } },
  { name: 'a name with a colon', files: { ...root, 'a:b': 'x' } },
  { name: 'go.mod in upper case', files: { 'GO.MOD': mod(), 'a.go': 'package a\n' } },
  { name: 'a go.mod without a module line', files: { 'go.mod': 'go 1.21\n' } },
  { name: 'a go.mod of version 2 at version 1', files: { 'go.mod': mod('/v2') } },
  { name: 'go.mod is a link', files: { 'x.mod': mod() }, symlinks: { 'go.mod': 'x.mod' } },
  {
    name: 'a subdirectory without a go.mod',
    files: { ...root, 'sub/b.go': 'package b\n' },
    subdirectory: 'sub',
  },
];

// biome-ignore format: a list
const names = [
  'a.go', 'b.txt', 'c.bat', 'go.mod', 'GO.MOD', 'LICENSE', 'modules.txt', '.hidden', 'ü.go', 'x y', 'd', 'vendor', '.hg_archival.txt',
];
const directories = [
  '',
  'd/',
  'e/',
  'vendor/',
  'vendor/x/',
  'd/vendor/',
  'd/vendor/y/',
  'D/',
  'sub/',
  'sub/d/',
];
const contents = ['', 'a\n', 'a\r\nb\n', '$Id$ $Format:%H$\n', 'a\0b\r\n', 'module LIB/sub\n', '\ufeffa\n'];
// biome-ignore format: a list
const attributes = [
  '* text=auto', '* text', '*.bat text eol=crlf', '*.txt -text', '*.go ident', '* export-subst', 'd export-ignore',
  '*.txt export-ignore', 'vendor/** export-ignore', '*.bat working-tree-encoding=ISO-8859-1', '* binary', 'go.mod eol=crlf',
];

const randomCase: Arbitrary<CommitCase> = record({
  go: constantFrom('1.13', '1.23', '1.24', '1.26'),
  files: dictionary(
    tuple(constantFrom(...directories), constantFrom(...names)).map((parts) => parts.join('')),
    constantFrom(...contents),
    { maxKeys: 8 },
  ),
  lines: array(constantFrom(...attributes), { maxLength: 4 }),
  linked: option(constantFrom('l', 'sub/LICENSE', 'd/l', 'vendor/x/l', 'sub/go.sum')),
  isSub: boolean(),
}).map(({ go, files, lines, linked, isSub }) => ({
  name: 'random',
  files: withoutClashes(
    {
      ...files,
      '.gitattributes': lines.map((line) => `${line}\n`).join(''),
      'go.mod': mod('', go),
      ...(isSub ? { 'sub/go.mod': mod('/sub', go) } : {}),
    },
    linked ?? '',
  ),
  symlinks: linked === null || linked in files ? {} : { [linked]: 'a.go' },
  subdirectory: isSub ? 'sub' : '',
}));

/** Without files that are directories of others, which no file system holds. */
function withoutClashes(files: Record<string, string>, link: string): Record<string, string> {
  const paths = [...Object.keys(files), link];
  return Object.fromEntries(
    Object.entries(files).filter(([path]) => !paths.some((other) => other.startsWith(`${path}/`))),
  );
}

/** Trees made of what the rules are about; the same in every run. */
export const randomCases: readonly CommitCase[] = sample(randomCase, { seed: 20261124, numRuns: 60 }).map(
  (made, i) => ({ ...made, name: `random ${i}` }),
);
