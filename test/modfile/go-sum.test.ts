import { expect, it } from 'vitest';
import { parseGoSum } from '../../src/modfile/go-sum.ts';

const h1 = 'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

it('each line gives a module, a version, what was hashed and the hash', () => {
  const text = [
    `github.com/BurntSushi/toml v1.2.3 ${h1}`,
    `github.com/BurntSushi/toml v1.2.3/go.mod ${h1}\r`,
    '',
    `  x.y/z\tv2.0.0+incompatible   ${h1}`,
  ].join('\n');
  expect(parseGoSum(text)).toEqual([
    { path: 'github.com/BurntSushi/toml', version: 'v1.2.3', goMod: false, h1 },
    { path: 'github.com/BurntSushi/toml', version: 'v1.2.3', goMod: true, h1 },
    { path: 'x.y/z', version: 'v2.0.0+incompatible', goMod: false, h1 },
  ]);
});

it('hashes of another algorithm, and the one that an old go command wrote by mistake, are passed over', () => {
  expect(
    parseGoSum('x.y/z v1.0.0 h2:abc\nx.y/z v1.0.0/go.mod h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=\n'),
  ).toEqual([]);
});

it.each([
  ['two words', `x.y/z ${h1}`],
  ['four words', `x.y/z v1.0.0 ${h1} x`],
  ['a path that is none', `x.y/../z v1.0.0 ${h1}`],
  ['a version that is none', `x.y/z master ${h1}`],
  ['a version that is not canonical', `x.y/z v1.0 ${h1}`],
  ['a version that does not fit', `x.y/z v2.0.0 ${h1}`],
  ['another file', `x.y/z v1.0.0/go.sum ${h1}`],
  ['a short hash', 'x.y/z v1.0.0 h1:47DEQpj8HBSa'],
  ['no hash', 'x.y/z v1.0.0 sha256:47DEQpj8HBSa'],
  ['a hash that is not canonical base64', 'x.y/z v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV='],
])('%s is refused with its line', (_, line) => {
  expect(() => parseGoSum(`\nx.y/z v1.0.0 ${h1}\n${line}\n`)).toThrow(
    expect.objectContaining({ code: 'bad_record', message: expect.stringMatching(/^go\.sum line 3: /) }),
  );
});
