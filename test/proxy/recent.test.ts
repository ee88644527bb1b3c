import { describe, expect, it } from 'vitest';
import { Recent } from '../../src/proxy/recent.ts';

describe('Recent', () => {
  it('forgets what was used longest ago, and never holds more than it may', () => {
    const recent = new Recent<number>(3);
    for (const [key, value] of [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ] as const)
      recent.set(key, value);
    expect(recent.get('a')).toBe(1);
    recent.set('d', 4);
    expect(recent.size).toBe(3);
    expect([recent.get('a'), recent.get('b'), recent.get('c'), recent.get('d')]).toEqual([
      1,
      undefined,
      3,
      4,
    ]);
  });

  it('replaces and deletes', () => {
    const recent = new Recent<number>(2);
    recent.set('a', 1);
    recent.set('b', 2);
    recent.set('a', 3);
    recent.set('c', 4);
    expect([recent.get('a'), recent.get('b')]).toEqual([3, undefined]);
    recent.delete('a');
    expect(recent.get('a')).toBeUndefined();
    expect(recent.size).toBe(1);
  });
});
