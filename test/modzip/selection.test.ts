import { expect, it } from 'vitest';
import { MAX_ZIP } from '../../src/modzip/file-rules.ts';
import { type ListedFile, REASONS, selectFiles } from '../../src/modzip/selection.ts';

// What Go says of whole directories is held against this in publish/module-zip and publish/commit; here is what no
// directory can hold, since a list of files may come from anywhere.

const file = (path: string, size = 1, kind: ListedFile['kind'] = 'regular'): ListedFile => ({
  path,
  kind,
  size,
});

it('files may have 500 MiB together, and no byte more; what stays out does not count', () => {
  const half = MAX_ZIP / 2;
  const fits = [file('a', half), file('b', half), file('vendor/x/c', half), file('l', half, 'symlink')];
  expect(selectFiles(fits, undefined)).toMatchObject({ isTooLarge: false, invalid: [] });
  expect(selectFiles([...fits, file('c', 1)], undefined)).toMatchObject({ isTooLarge: true });
});

it.each(['', '/a', 'a/', 'a//b', './a', 'a/./b', 'a/../b', '../a', '..', '.', '/', 'a/..'])(
  'path %j is refused',
  (path) => {
    expect(selectFiles([file(path)], undefined)).toMatchObject({ valid: [], invalid: [{ path }] });
  },
);

it('a path that is not clean is refused even where it would stay out', () => {
  const paths = ['vendor/x/../y/z', 'sub/./a', '/vendor/x/y'];
  const { invalid } = selectFiles([file('sub/go.mod'), ...paths.map((path) => file(path))], undefined);
  expect(invalid.map(({ path }) => path)).toEqual(paths);
});

it('a file listed twice is refused, once', () => {
  const { valid, invalid } = selectFiles([file('a'), file('a'), file('a')], undefined);
  expect(valid).toHaveLength(1);
  expect(invalid).toEqual([{ path: 'a', reason: 'it is there twice' }]);
});

it('a path gets one verdict, the first', () => {
  const { omitted, invalid } = selectFiles([file('a', 1, 'symlink'), file('a')], undefined);
  expect(omitted).toEqual([{ path: 'a', reason: REASONS.symlink }]);
  expect(invalid).toEqual([]);
});

it('a path that is a file and a directory is refused', () => {
  const { invalid } = selectFiles([file('a'), file('a/b')], undefined);
  expect(invalid).toEqual([{ path: 'a/b', reason: '"a" is both a file and a directory' }]);
});

it.each(['go.mod', 'GO.MOD'])('a link named %s makes no other module, and a file does', (name) => {
  const others = (kind: ListedFile['kind']) => [file(`sub/${name}`, 1, kind), file('sub/a/b.go')];
  expect(selectFiles(others('symlink'), undefined).valid).toMatchObject([{ path: 'sub/a/b.go' }]);
  expect(selectFiles(others('regular'), undefined).valid).toEqual([]);
});

it('more than a million files and directories are too many', () => {
  const many = function* () {
    for (let i = 0; i <= 500_000; i++) yield file(`${i}/a`);
  };
  expect(() => selectFiles(many(), undefined)).toThrow(/more than 1000000 files and directories/);
});
