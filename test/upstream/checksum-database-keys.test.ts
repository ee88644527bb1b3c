import { expect, test } from 'vitest';
import { generateKey } from '../../src/note/signer.ts';
import { parseGosumdb } from '../../src/upstream/checksum-database-keys.ts';

const PUBLIC_VKEY = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';
const badConfig = expect.objectContaining({ code: 'bad_config' });

function vkeyOf(name: string): string {
  return generateKey(name, Buffer.alloc(32, 3)).vkey;
}

test.each(['off', ' off '])('%j switches the database off', (text) => {
  expect(parseGosumdb(text)).toEqual({ off: true });
});

test.each([
  ['sum.golang.org', undefined],
  [' sum.golang.org\t', undefined],
  ['sum.golang.google.cn', 'https://sum.golang.google.cn'],
  ['sum.golang.org https://mirror.example/sumdb', 'https://mirror.example/sumdb'],
  [PUBLIC_VKEY, undefined],
  [`${PUBLIC_VKEY} file:///srv/sumdb`, 'file:///srv/sumdb'],
])('%j is the public database', (text, url) => {
  const parsed = parseGosumdb(text);
  expect(parsed).toMatchObject({ off: false, name: 'sum.golang.org', vkey: PUBLIC_VKEY, url });
  expect(parsed).toMatchObject({ verifier: { name: 'sum.golang.org', keyHash: 0x033de0ae } });
});

test.each(['localhost.localdev/sumdb', 'sum.example:8443', 'sum.example/a/b', 'localhost'])(
  '%j is a name',
  (name) => {
    expect(parseGosumdb(vkeyOf(name))).toMatchObject({ off: false, name });
  },
);

test.each([
  'sum.example/',
  '/sum',
  'sum.example//x',
  'sum.example/../x',
  'sum.example/.',
  'sum.example?x',
  'sum.example#x',
  'user@sum.example',
  'sum.example%2fx',
  'sum.example\\x',
  'sum.example:port',
])('%j is no name of a database', (name) => {
  expect(() => parseGosumdb(vkeyOf(name))).toThrow(badConfig);
});

test.each([
  ['', 'empty'],
  ['  ', 'empty'],
  ['sum.example', 'verifier key'],
  ['sum.golang.google.cn https://x.example', 'verifier key'],
  [PUBLIC_VKEY.slice(0, -1), 'verifier key'],
  [`${PUBLIC_VKEY} https://a.example https://b.example`, 'two fields'],
  [`${PUBLIC_VKEY} mirror.example`, 'https://'],
  [`${PUBLIC_VKEY} ftp://mirror.example`, 'https://'],
  [`${PUBLIC_VKEY} http://user:secret@mirror.example`, 'over http'],
])('%j is refused with its reason', (text, reason) => {
  expect(() => parseGosumdb(text)).toThrow(badConfig);
  expect(() => parseGosumdb(text)).toThrow(reason);
});

test('credentials are never repeated', () => {
  try {
    parseGosumdb(`${PUBLIC_VKEY} http://user:secret@mirror.example`);
    expect.unreachable();
  } catch (error) {
    expect(String(error)).not.toContain('secret');
  }
});
