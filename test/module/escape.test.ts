import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { escapePath, escapeVersion, unescapePath, unescapeVersion } from '../../src/module/escape.ts';
import { golden, orNull } from './golden.ts';

describe('escaping agrees with golang.org/x/mod/module', () => {
  it.each(golden('paths.json') as { path: string; escaped: string | null; asVersion: string | null }[])(
    '$path',
    ({ path, escaped, asVersion }) => {
      expect(orNull(() => escapePath(path))).toBe(escaped);
      expect(orNull(() => escapeVersion(path))).toBe(asVersion);
    },
  );
});

describe('unescaping agrees with golang.org/x/mod/module', () => {
  it.each(golden('escaped.json') as { escaped: string; path: string | null; version: string | null }[])(
    '$escaped',
    ({ escaped, path, version }) => {
      expect(orNull(() => unescapePath(escaped))).toBe(path);
      expect(orNull(() => unescapeVersion(escaped))).toBe(version);
    },
  );
});

const element = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/);

it('an escaped path has no upper case and reads back as the path', () => {
  fc.assert(
    fc.property(fc.array(element, { minLength: 1, maxLength: 4 }), (elements) => {
      const path = `example.com/${elements.join('/')}`;
      let escaped: string;
      try {
        escaped = escapePath(path);
      } catch (error) {
        return error instanceof GokeepError && error.code === 'bad_path';
      }
      return escaped === escaped.toLowerCase() && unescapePath(escaped) === path;
    }),
  );
});

it('no two escaped forms stand for one path', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'B', '!', '/', '.', '-', '~', '1') }), (text) => {
      const path = orNull(() => unescapePath(`x.y/${text}`));
      return path === null || escapePath(path) === `x.y/${text}`;
    }),
    { numRuns: 2000 },
  );
});

it('unescaping throws nothing but a GokeepError, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const [run, code] of [
        [unescapePath, 'bad_path'],
        [unescapeVersion, 'bad_version'],
      ] as const) {
        try {
          run(text);
        } catch (error) {
          if (!(error instanceof GokeepError) || error.code !== code) return false;
        }
      }
      return true;
    }),
  );
});
