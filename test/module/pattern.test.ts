import { describe, expect, it } from 'vitest';
import { checkPatterns, matchPrefixPatterns } from '../../src/module/pattern.ts';
import { cpuClock } from './cpu-time.ts';
import { accepts, golden } from './golden.ts';

interface PatternVector {
  globs: string;
  matches: string;
  wellFormed: boolean;
}

const targets = golden('targets.json') as string[];

describe('patterns agree with golang.org/x/mod/module', () => {
  it.each(golden('patterns.json') as PatternVector[])('$globs', ({ globs, matches, wellFormed }) => {
    const ours = targets.map((target) => (matchPrefixPatterns(globs, target) ? '1' : '0')).join('');
    expect(ours).toBe(matches);
    if (!wellFormed) expect(accepts(() => checkPatterns([globs]))).toBe(false);
  });
});

it('a configured pattern must be one well-formed glob', () => {
  checkPatterns(['corp.example', 'corp.example/', '*.corp.example/*', 'x.y/[a-c]?', 'x.y/\\*']);
  for (const bad of ['', '/', '[', 'a[', '[]', 'a\\', 'a,b', ' a.b', 'a.b ', '/a.b', 'a.b//c', '*[', 'a\tb'])
    expect(() => checkPatterns(['x.y', bad])).toThrow(expect.objectContaining({ code: 'bad_config' }));
});

it('a hostile pattern costs no more than its length times that of the path', () => {
  const globs = `${'*a'.repeat(200)}b`;
  const target = 'a'.repeat(4000);
  const clock = cpuClock();
  expect(matchPrefixPatterns(globs, target)).toBe(false);
  expect(clock()).toBeLessThan(1000);
});
