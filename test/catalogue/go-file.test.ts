import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readGoFile } from '../../src/catalogue/go-file.ts';
import { synopsisOf } from '../../src/catalogue/synopsis.ts';

interface Vector {
  readonly file: string;
  readonly name: string | null;
  readonly doc: string;
  readonly synopsis: string;
  readonly built: boolean;
}

const vectors = JSON.parse(
  readFileSync(new URL('../testdata/golden/catalogue/files.json', import.meta.url), 'utf8'),
) as readonly Vector[];

describe('the beginning of a Go file', () => {
  it('is read as go/parser, go/doc and go/build read it', () => {
    expect(vectors.length).toBeGreaterThan(250);
    const ours = vectors.map(({ file }) => {
      const read = readGoFile(file);
      if (read === undefined) return { file, name: null, doc: '', synopsis: '', built: false };
      const { name, doc, ignored } = read;
      return { file, name, doc, synopsis: synopsisOf(doc), built: !ignored };
    });
    expect(ours).toEqual(vectors);
  });

  it('costs little time whatever stands in it', () => {
    const size = 64 * 1024;
    const before = process.cpuUsage();
    for (const piece of [
      ' ',
      '\t',
      '\n',
      '// x\n',
      '//\n',
      '/**/',
      '/**/\n',
      '// ' + ' '.repeat(1000) + 'x\n',
      '//go:build (',
      '//go:build !',
      '// +build !,\n',
      '// [a/b] ',
      '// [',
      '// ]',
      '// - x\n',
      "// ''",
      '// `',
      '// A. ',
      '// .\n',
      '// {\n//\tx\n',
      '\r',
      '\ufeff',
    ]) {
      for (const text of [
        piece.repeat(size / piece.length),
        `//${piece.replace(/^\/\//, '').repeat(size / piece.length)}`,
      ])
        for (const file of [`${text}\npackage p\n`, `/*${text.replaceAll('*/', '')}*/\npackage p\n`])
          synopsisOf(readGoFile(file)?.doc ?? '');
    }
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(3000);
  });

  it('gives a sentence of bounded length', () => {
    const sentence = synopsisOf(`Package p ${'is long '.repeat(10_000)}`);
    expect(sentence.length).toBeLessThan(500);
    expect(sentence.endsWith('…')).toBe(true);
  });
});
