import { describe, expect, it } from 'vitest';
import { parseWorkFile } from '../../src/modfile/work-file.ts';
import { golden, orNull } from '../module/golden.ts';

interface WorkVector {
  text: string;
  file: { use: string[]; replace: string[][] } | null;
}

describe('a go.work reads as golang.org/x/mod/modfile reads it', () => {
  it.each(golden('workfiles.json') as WorkVector[])('$text', ({ text, file }) => {
    const ours = orNull(() => parseWorkFile(Buffer.from(text)));
    const replace = ours?.replace.map((r) => [r.path, r.version ?? '', r.newPath, r.newVersion ?? '']);
    expect(ours === null ? null : { use: ours.use, replace }).toEqual(file);
  });
});

it('a refusal names the line', () => {
  expect(() => parseWorkFile(Buffer.from('go 1.21\nrequire x.y/z v1.0.0\n'))).toThrow(
    expect.objectContaining({
      code: 'bad_mod_file',
      message: expect.stringMatching(/^go\.work line 2: /),
    }),
  );
});

it('the go and toolchain lines are given as written', () => {
  const { go, toolchain } = parseWorkFile(Buffer.from('go 1.26.0\ntoolchain go1.26.1\n'));
  expect({ go, toolchain }).toEqual({ go: '1.26.0', toolchain: 'go1.26.1' });
  expect(parseWorkFile(Buffer.from('use .\n'))).toMatchObject({ go: undefined, toolchain: undefined });
});
