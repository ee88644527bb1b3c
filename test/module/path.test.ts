import { describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import {
  checkPath,
  checkPathMajor,
  filePathProblem,
  matchPathMajor,
  splitPathVersion,
} from '../../src/module/path.ts';
import { accepts, golden } from './golden.ts';

interface PathVector {
  path: string;
  module: boolean;
  file: boolean;
  split: [string, string] | null;
}

const paths = golden('paths.json') as PathVector[];

describe('paths agree with golang.org/x/mod/module', () => {
  it.each(paths)('$path', ({ path, module, file, split }) => {
    expect(accepts(() => checkPath(path))).toBe(module);
    expect(filePathProblem(path) === undefined).toBe(file);
    const ours = splitPathVersion(path);
    expect(ours === undefined ? null : [ours.prefix, ours.pathMajor]).toEqual(split);
  });

  it('in which characters are letters, for all of Unicode', () => {
    const letters = new Set<number>();
    for (const [first, last] of golden('letters.json') as [number, number][])
      for (let c = first; c <= last; c++) letters.add(c);
    const wrong: number[] = [];
    for (let c = 128; c <= 0x10ffff; c++) {
      const ours = filePathProblem(String.fromCodePoint(c)) === undefined;
      if (ours !== letters.has(c)) wrong.push(c);
    }
    expect(wrong).toEqual([]);
  });
});

it('a refusal names the path and the reason in one sentence, without control characters', () => {
  const path = 'example.com/a\u001b[31m\u202e\n';
  try {
    checkPath(path);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(GokeepError);
    expect(error).toMatchObject({
      code: 'bad_path',
      message: String.raw`"example.com/a\u{1b}[31m\u{202e}\u{a}" is not a module path: "\u{1b}" is not allowed in it.`,
    });
  }
});

it('a version must fit the major version suffix of its path', () => {
  expect(matchPathMajor('v2.0.0', '/v2')).toBe(true);
  expect(matchPathMajor('v2.0.0', '')).toBe(false);
  expect(matchPathMajor('v2.0.0+incompatible', '')).toBe(true);
  expect(matchPathMajor('v0.0.0-20161208181325-20d25e280405', '.v1')).toBe(true);
  expect(matchPathMajor('v3.1.0', '.v3-unstable')).toBe(true);
  expect(() => checkPathMajor('v2.0.0', '/v3')).toThrow(
    expect.objectContaining({
      code: 'bad_version',
      message: 'Version "v2.0.0" is invalid here: it should be v3, not v2.',
    }),
  );
});
