import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { h1OfGoMod, hash1, isH1 } from '../../src/modzip/dirhash.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest();

it('the hash is that of the sorted list of files', () => {
  const list = `${sha256('x').toString('hex')}  a\n${sha256('y').toString('hex')}  b\n`;
  const expected = `h1:${sha256(list).toString('base64')}`;
  const files = [
    { name: 'b', sha256: sha256('y') },
    { name: 'a', sha256: sha256('x') },
  ];
  expect(hash1(files)).toBe(expected);
  expect(hash1(files.toReversed())).toBe(expected);
});

it('files are sorted by the bytes of their names, not by UTF-16', () => {
  const names = ['\uff41', '\u{10400}', 'z'];
  const line = (name: string) => `${sha256(name).toString('hex')}  ${name}\n`;
  const list = ['z', '\uff41', '\u{10400}'].map(line).join('');
  expect(hash1(names.map((name) => ({ name, sha256: sha256(name) })))).toBe(
    `h1:${sha256(list).toString('base64')}`,
  );
});

it('the hash of a go.mod is the one in go.sum', () => {
  // An empty go.mod: Go's modfetch knows this hash by heart.
  expect(h1OfGoMod(Buffer.alloc(0))).toBe('h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=');
});

it('only the canonical spelling of 32 bytes is a hash', () => {
  const good = h1OfGoMod(Buffer.from('module x.y/z\n'));
  expect(isH1(good)).toBe(true);
  for (const bad of [
    '',
    'h1:',
    good.slice(0, -1),
    `${good}\n`,
    `${good}=`,
    good.replace('h1:', 'h2:'),
    good.slice(3),
    `${good.slice(0, -2)}B=`,
    good.replace(/.=$/, '-='),
  ])
    expect(isH1(bad)).toBe(false);
});

it('thousands of files hash as their list does', () => {
  const names = Array.from({ length: 5000 }, (_, i) => `x.y/z@v1.0.0/${i}`);
  const list = names
    .toSorted()
    .map((name) => `${sha256(name).toString('hex')}  ${name}\n`)
    .join('');
  expect(hash1(names.map((name) => ({ name, sha256: sha256(name) })))).toBe(
    `h1:${sha256(list).toString('base64')}`,
  );
});
