import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ErrorCode, GokeepError } from '../../src/errors.ts';
import {
  formatLookup,
  formatModuleRequest,
  isCanonicalRequest,
  MAX_REQUEST_PATH,
  parseLookup,
  parseModuleRequest,
} from '../../src/module/request-path.ts';

describe('what a go command asks for is understood', () => {
  const toml = 'github.com/BurntSushi/toml';
  it.each([
    ['/github.com/!burnt!sushi/toml/@v/list', { kind: 'list', path: toml }],
    ['/github.com/!burnt!sushi/toml/@latest', { kind: 'latest', path: toml }],
    ['/github.com/!burnt!sushi/toml/@v/v1.2.3.info', { kind: 'info', path: toml, version: 'v1.2.3' }],
    ['/github.com/!burnt!sushi/toml/@v/v1.2.3.mod', { kind: 'mod', path: toml, version: 'v1.2.3' }],
    ['/github.com/%21burnt%21sushi/toml/@v/v1.2.3.zip', { kind: 'zip', path: toml, version: 'v1.2.3' }],
    ['/x.y/z/@v/v2.0.0+incompatible.zip', { kind: 'zip', path: 'x.y/z', version: 'v2.0.0+incompatible' }],
    ['/x.y/z/@v/v2.0.0%2Bincompatible.zip', { kind: 'zip', path: 'x.y/z', version: 'v2.0.0+incompatible' }],
    ['/x.y/z/@v/v2.0.0%2bincompatible.zip', { kind: 'zip', path: 'x.y/z', version: 'v2.0.0+incompatible' }],
    ['/x.y/z/v2/@v/v2.0.0-!r!c1.mod', { kind: 'mod', path: 'x.y/z/v2', version: 'v2.0.0-RC1' }],
    ['/x.y/z/@v/main.info', { kind: 'info', path: 'x.y/z', version: 'main' }],
    ['/x.y/z/@v/!feature-1.info', { kind: 'info', path: 'x.y/z', version: 'Feature-1' }],
    ['/x.y/z/@v/v1.info', { kind: 'info', path: 'x.y/z', version: 'v1' }],
    ['/x.y/z/@v/v2.0.0.info', { kind: 'info', path: 'x.y/z', version: 'v2.0.0' }],
    ['/x.y/z/@v/v1.2.3+meta.info', { kind: 'info', path: 'x.y/z', version: 'v1.2.3+meta' }],
    ['/x.y/z/@v/release-1.2.zip.info', { kind: 'info', path: 'x.y/z', version: 'release-1.2.zip' }],
    ['/x.y/z/@v/list.info', { kind: 'info', path: 'x.y/z', version: 'list' }],
    ['/x.y/z/@v/v1.0.0.mod?go-get=1&x=/../%00', { kind: 'mod', path: 'x.y/z', version: 'v1.0.0' }],
    [
      '/golang.org/toolchain/@v/v0.0.1-go1.26.8.linux-amd64.zip',
      { kind: 'zip', path: 'golang.org/toolchain', version: 'v0.0.1-go1.26.8.linux-amd64' },
    ],
  ])('%s', (raw, expected) => {
    expect(parseModuleRequest(raw)).toEqual(expected);
  });
});

describe('everything else is refused, by what is wrong with it', () => {
  it.each<[string, ErrorCode]>([
    ['', 'bad_request'],
    ['/', 'bad_request'],
    ['/x.y/z', 'bad_request'],
    ['x.y/z/@v/list', 'bad_request'],
    ['/@v/list', 'bad_request'],
    ['/x.y/z/@v', 'bad_request'],
    ['/x.y/z/@v/', 'bad_request'],
    ['/x.y/z/@latest/', 'bad_request'],
    ['/x.y/z/@v/list/', 'bad_request'],
    ['/x.y/z/@V/list', 'bad_request'],
    ['/x.y/z/@v/v1.0.0', 'bad_request'],
    ['/x.y/z/@v/.mod', 'bad_request'],
    ['/x.y/z/@v/v1.0.0.exe', 'bad_request'],
    ['/x.y/z/@v/v1.0.0.ziphash', 'bad_request'],
    ['/x.y/z/@v/v1.0.0.ZIP', 'bad_request'],
    ['/x.y/z/@v/a/b.info', 'bad_request'],
    ['/x.y/z/@v/v1.0.0/go.mod', 'bad_request'],
    ['http://x.y/z/@v/list', 'bad_request'],
    // Traversal, in every spelling.
    ['/x.y/../z/@v/list', 'bad_path'],
    ['/x.y/./z/@v/list', 'bad_path'],
    ['/../x.y/z/@v/list', 'bad_path'],
    ['/x.y/%2e%2e/z/@v/list', 'bad_path'],
    ['/x.y/%252e%252e/z/@v/list', 'bad_path'],
    ['/x.y/..%2fz/@v/list', 'bad_path'],
    ['/x.y%2fz/@v/list', 'bad_path'],
    ['/x.y%2Fz/@v/list', 'bad_path'],
    ['/x.y%5cz/@v/list', 'bad_path'],
    ['/x.y\\z/@v/list', 'bad_path'],
    ['/x.y/z/@v/%2e%2e%2fx.info', 'bad_path'],
    // Characters.
    ['/x.y/z%00/@v/list', 'bad_path'],
    ['/x.y/z\0/@v/list', 'bad_path'],
    ['/x.y/z%0d%0a/@v/list', 'bad_path'],
    ['/x.y/z\r\n/@v/list', 'bad_path'],
    ['/x.y/%ff/@v/list', 'bad_path'],
    ['/x.y/%c3%a9/@v/list', 'bad_path'],
    ['/x.y/\u00e9/@v/list', 'bad_path'],
    ['/x.y/\u0430zure/@v/list', 'bad_path'],
    ['/x.y/\u017f/@v/list', 'bad_path'],
    ['/x.y/\uff5a/@v/list', 'bad_path'],
    ['/x.y/%41/@v/list', 'bad_path'],
    ['/x.y/%/@v/list', 'bad_path'],
    ['/x.y/%2/@v/list', 'bad_path'],
    ['/x.y/%zz/@v/list', 'bad_path'],
    ['/x.y/%+1/@v/list', 'bad_path'],
    ['/x.y/z#/@v/list', 'bad_path'],
    ['/x.y/a@b/@v/list', 'bad_path'],
    // Case and escapes.
    ['/github.com/BurntSushi/toml/@v/list', 'bad_path'],
    ['/x.y/a!!b/@v/list', 'bad_path'],
    ['/x.y/a!/@v/list', 'bad_path'],
    ['/x.y/!A/@v/list', 'bad_path'],
    ['/x.y/%21A/@v/list', 'bad_path'],
    ['/x.y/%2521a/@v/list', 'bad_path'],
    ['/!x.y/z/@v/list', 'bad_path'],
    // Shape of the path.
    ['/x.y//z/@v/list', 'bad_path'],
    ['/x.y/z//@v/list', 'bad_path'],
    ['//x.y/z/@v/list', 'bad_path'],
    ['/x.y/.z/@v/list', 'bad_path'],
    ['/x.y/z./@v/list', 'bad_path'],
    ['/x.y/con/@v/list', 'bad_path'],
    ['/x.y/aux.x/@v/list', 'bad_path'],
    ['/x.y/foo~1/@v/list', 'bad_path'],
    ['/nodot/z/@v/list', 'bad_path'],
    ['/-x.y/z/@v/list', 'bad_path'],
    ['/x.y/v1/@v/list', 'bad_path'],
    ['/gopkg.in/yaml/@v/list', 'bad_path'],
    ['/gopkg.in/yaml.v02/@v/list', 'bad_path'],
    [`/x.y/${'a'.repeat(256)}/@v/list`, 'bad_path'],
    [`/x.y/${'a/'.repeat(2100)}b/@v/list`, 'bad_path'],
    // Versions.
    ['/x.y/z/@v/v1.mod', 'bad_version'],
    ['/x.y/z/@v/v1.0.zip', 'bad_version'],
    ['/x.y/z/@v/v1.0.0+meta.zip', 'bad_version'],
    ['/x.y/z/@v/!v1.0.0.zip', 'bad_version'],
    ['/x.y/z/@v/V1.0.0.zip', 'bad_version'],
    ['/x.y/z/@v/v01.0.0.zip', 'bad_version'],
    ['/x.y/z/@v/v2.0.0.zip', 'bad_version'],
    ['/x.y/z/v2/@v/v1.0.0.zip', 'bad_version'],
    ['/x.y/z/@v/master.zip', 'bad_version'],
    ['/x.y/z/@v/latest.zip', 'bad_version'],
    ['/x.y/z/@v/list.zip', 'bad_version'],
    ['/x.y/z/@v/latest.info', 'bad_version'],
    ['/x.y/z/@v/upgrade.info', 'bad_version'],
    ['/x.y/z/@v/patch.info', 'bad_version'],
    ['/x.y/z/@v/-x.info', 'bad_version'],
    ['/x.y/z/@v/%2dx.info', 'bad_version'],
    ['/x.y/z/@v/>v1.info', 'bad_version'],
    ['/x.y/z/@v/%3Ev1.info', 'bad_path'],
    ['/x.y/z/@v/a..b.info', 'bad_version'],
    ['/x.y/z/@v/...info', 'bad_version'],
    ['/x.y/z/@v/HEAD.info', 'bad_version'],
    ['/x.y/z/@v/a b.info', 'bad_version'],
    ['/x.y/z/@v/a@b.info', 'bad_version'],
    ['/x.y/z/@v/a;b.info', 'bad_version'],
    ['/x.y/z/@v/a|b.info', 'bad_version'],
    ['/x.y/z/@v/`id`.info', 'bad_version'],
    ['/x.y/z/@v/main~1.info', 'bad_version'],
    ['/x.y/z/@v/main^.info', 'bad_version'],
    ['/x.y/z/@v/a\tb.info', 'bad_version'],
    ['/x.y/z/@v/con.info', 'bad_version'],
    [`/x.y/z/@v/${'a'.repeat(241)}.info`, 'bad_version'],
  ])('%j: %s', (raw, code) => {
    expect(() => parseModuleRequest(raw)).toThrow(expect.objectContaining({ code }));
  });
});

it('a request formats as the path that parses to it, with a literal !', () => {
  for (const raw of [
    '/github.com/!burnt!sushi/toml/@v/list',
    '/github.com/!burnt!sushi/toml/@latest',
    '/github.com/!burnt!sushi/toml/@v/v1.2.3-!r!c1.info',
    '/x.y/z/@v/v2.0.0+incompatible.zip',
    '/x.y/z/@v/!main.info',
  ])
    expect(formatModuleRequest(parseModuleRequest(raw))).toBe(raw);
});

it('only a request for one fixed version is canonical', () => {
  const canonical = (raw: string) => isCanonicalRequest(parseModuleRequest(raw));
  expect(canonical('/x.y/z/@v/v1.0.0.info')).toBe(true);
  expect(canonical('/x.y/z/@v/v1.0.0.mod')).toBe(true);
  expect(canonical('/x.y/z/@v/v2.0.0.info')).toBe(false);
  expect(canonical('/x.y/z/@v/v1.info')).toBe(false);
  expect(canonical('/x.y/z/@v/main.info')).toBe(false);
  expect(canonical('/x.y/z/@v/list')).toBe(false);
  expect(canonical('/x.y/z/@latest')).toBe(false);
});

it('a lookup names one module at one canonical version', () => {
  const expected = { path: 'github.com/BurntSushi/toml', version: 'v1.0.0-RC1' };
  expect(parseLookup('github.com/!burnt!sushi/toml@v1.0.0-!r!c1')).toEqual(expected);
  expect(parseLookup('github.com/%21burnt%21sushi/toml@v1.0.0-%21r%21c1?x')).toEqual(expected);
  expect(parseLookup('x.y/z%40v2.0.0%2Bincompatible')).toEqual({
    path: 'x.y/z',
    version: 'v2.0.0+incompatible',
  });
  expect(formatLookup(expected.path, expected.version)).toBe('github.com/!burnt!sushi/toml@v1.0.0-!r!c1');
});

it.each<[string, ErrorCode]>([
  ['', 'bad_request'],
  ['x.y/z', 'bad_request'],
  ['@v1.0.0', 'bad_request'],
  ['/x.y/z@v1.0.0', 'bad_path'],
  ['x.y/Z@v1.0.0', 'bad_path'],
  ['x.y/../z@v1.0.0', 'bad_path'],
  ['x.y/z@', 'bad_version'],
  ['x.y/z@v1', 'bad_version'],
  ['x.y/z@v1.0.0/go.mod', 'bad_version'],
  ['x.y/z@v1.0.0@v1.0.0', 'bad_version'],
  ['x.y/z@latest', 'bad_version'],
  ['x.y/z@v1.0.0+meta', 'bad_version'],
  ['x.y/z@v2.0.0', 'bad_version'],
])('the lookup %j is refused: %s', (raw, code) => {
  expect(() => parseLookup(raw)).toThrow(expect.objectContaining({ code }));
});

const piece = fc.oneof(
  fc.constantFrom(
    '/',
    '/@v/',
    '/@latest',
    '@',
    '!',
    '!a',
    '%21',
    '%2f',
    '%',
    '..',
    'x.y/z',
    'v1.0.0',
    '.mod',
  ),
  fc.constantFrom('.zip', '.info', 'list', 'main', '-', '+incompatible', '?', '\0', 'A', '\u00e9'),
  fc.string({ unit: 'binary', maxLength: 3 }),
);

it('the parsers throw nothing but a GokeepError that is safe to show, and what they accept is escaped anew', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
      const raw = pieces.join('');
      for (const parse of [parseModuleRequest, parseLookup]) {
        try {
          const parsed = parse(raw);
          if ('kind' in parsed) expect(parseModuleRequest(formatModuleRequest(parsed))).toEqual(parsed);
        } catch (error) {
          if (!(error instanceof GokeepError)) throw error;
          expect(error.message).not.toMatch(/\p{C}/u);
        }
      }
    }),
    { numRuns: 3000 },
  );
});

it('the longest path that is read takes no longer than a moment, and one character more is refused', () => {
  const raw = `/x.y/${'%21a'.repeat(1000)}`;
  const longest = raw.padEnd(MAX_REQUEST_PATH, 'a');
  expect(() => parseModuleRequest(longest)).toThrow(expect.objectContaining({ code: 'bad_request' }));
  expect(() => parseModuleRequest(`${longest}a`)).toThrow(expect.objectContaining({ code: 'bad_path' }));
});
