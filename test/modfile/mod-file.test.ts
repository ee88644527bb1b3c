import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { parseModFile } from '../../src/modfile/mod-file.ts';
import { cpuClock } from '../module/cpu-time.ts';
import { golden, orNull, textGenerator } from '../module/golden.ts';

/** What the vectors hold of a file. */
interface Summary {
  module: string;
  deprecated: string;
  go: string;
  toolchain: string;
  require: string[][];
  retract: string[][];
  replace: string[][];
  exclude: string[][];
}

function summary(text: string, lax: boolean): Summary | null {
  const file = orNull(() => parseModFile(Buffer.from(text), { lax }));
  if (file === null) return null;
  return {
    module: file.module ?? '',
    deprecated: file.deprecated,
    go: file.go ?? '',
    // Go does not read this line in a dependency; we tell people about it.
    toolchain: lax ? '' : (file.toolchain ?? ''),
    require: file.require.map((r) => [r.path, r.version, r.indirect ? 'indirect' : '']),
    retract: file.retract.map((r) => [r.low, r.high, r.rationale]),
    replace: file.replace.map((r) => [r.path, r.version ?? '', r.newPath, r.newVersion ?? '']),
    exclude: file.exclude.map((r) => [r.path, r.version]),
  };
}

describe('a go.mod reads as golang.org/x/mod/modfile reads it', () => {
  const files = golden('modfiles.json') as { text: string; lax: Summary | null; strict: Summary | null }[];
  it.each(files)('$text', ({ text, lax, strict }) => {
    expect(summary(text, true)).toEqual(lax);
    expect(summary(text, false)).toEqual(strict);
  });

  it('also when it is generated', () => {
    const [vector] = golden('modfile-fuzz.json') as [
      { seed: number; count: number; most: number; fragments: string[]; lax: string; strict: string },
    ];
    const text = textGenerator(vector.seed);
    const wrong: unknown[] = [];
    for (let i = 0; i < vector.count; i++) {
      const file = text(vector.fragments, vector.most);
      for (const lax of [true, false]) {
        const ours = summary(file, lax);
        const expected = (lax ? vector.lax : vector.strict).slice(4 * i, 4 * i + 4);
        if (digest(ours) !== expected) wrong.push({ file, lax, ours, expected });
      }
    }
    expect(wrong.slice(0, 5)).toEqual([]);
  });
});

function digest(file: Summary | null): string {
  if (file === null) return '----';
  return createHash('sha256').update(JSON.stringify(file)).digest('hex').slice(0, 4);
}

it('a refusal names the line', () => {
  const text = 'module x.y/z\n\nrequire (\n\tx.y/w v1.0.0\n\tx.y/v v2.0.0\n)\n';
  expect(() => parseModFile(Buffer.from(text))).toThrow(
    expect.objectContaining({
      code: 'bad_mod_file',
      message: 'go.mod line 5: version "v2.0.0" of "x.y/v" should be v0 or v1, not v2.',
    }),
  );
});

it('the toolchain line of a dependency is told, and never an error', () => {
  expect(parseModFile(Buffer.from('toolchain go1.26.8\n')).toolchain).toBe('go1.26.8');
  expect(parseModFile(Buffer.from('toolchain nonsense\n')).toolchain).toBeUndefined();
});

it('bytes that are not UTF-8 do not stop a file from being read', () => {
  const bytes = Buffer.concat([
    Buffer.from('module x.y/z // '),
    Buffer.of(0xff, 0xfe),
    Buffer.from('\ngo 1.21\n'),
  ]);
  expect(parseModFile(bytes)).toMatchObject({ module: 'x.y/z', go: '1.21' });
});

it('a file larger than Go reads is refused, and one as large is read in a moment', () => {
  const size = 16 * 1024 * 1024;
  expect(() => parseModFile(Buffer.alloc(size + 1, '\n'))).toThrow(
    expect.objectContaining({ code: 'bad_mod_file' }),
  );
  const hostile = Buffer.alloc(size, '//\n(\n)\n"a" // x\n[ ] ');
  const clock = cpuClock();
  expect(parseModFile(hostile).require).toEqual([]);
  expect(clock()).toBeLessThan(20_000);
});

it('whatever the bytes, nothing but a GokeepError with one safe sentence is thrown', () => {
  const words = fc.constantFrom(
    'module',
    'require',
    'go',
    '(',
    ')',
    '\n',
    '"',
    '`',
    '//',
    '/*',
    '\u202e',
    '\u001b',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string({ unit: 'binary', maxLength: 4 }))), (pieces) => {
      for (const lax of [true, false]) {
        try {
          parseModFile(Buffer.from(pieces.join(' ')), { lax });
        } catch (error) {
          if (!(error instanceof GokeepError)) throw error;
          expect(error.message).toMatch(/^go\.mod line \d+: \P{C}*\.$/u);
        }
      }
    }),
    { numRuns: 2000 },
  );
});
