import { describe, expect, it } from 'vitest';
import { LONGEST_HEADER, looksLikeJwt, parseAuthorization } from '../../src/access/credentials.ts';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('an Authorization header', () => {
  it.each([
    [basic('anybody:gokeep_abc'), 'gokeep_abc'],
    [basic(':gokeep_abc'), 'gokeep_abc'],
    [basic('a:b:c'), 'b:c'],
    [basic('a:b').replace('Basic', 'bAsIc'), 'b'],
    ['Bearer gokeep_abc', 'gokeep_abc'],
    ['bearer  a.b-c.d_e ', 'a.b-c.d_e'],
  ])('%s holds a secret', (header, secret) => {
    expect(parseAuthorization(header)).toEqual({ secret });
  });

  it.each([
    '',
    'Basic',
    'Basic ',
    'Bearer',
    'Digest username="a"',
    'Basic a b',
    'Bearer a,b',
    'Bearer a"b',
    basic('no colon'),
    basic('nobody:'),
    basic(''),
    `Bearer ${'a'.repeat(LONGEST_HEADER)}`,
    'gokeep_abc',
  ])('%s is none that can be read', (header) => {
    expect(parseAuthorization(header)).toBe('malformed');
  });

  it('may be missing', () => {
    expect(parseAuthorization(undefined)).toBe('none');
  });

  it.each([
    ['a.b.c', true],
    ['a.b', false],
    ['a.b.', false],
    ['a.b.c.d', false],
    ['a.b.c=', false],
    ['', false],
  ])('%j as a JWT: %s', (text, is) => {
    expect(looksLikeJwt(text)).toBe(is);
  });
});
