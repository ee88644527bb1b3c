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

  it('is bounded by weight too, replaced values included', () => {
    const recent = new Recent<string>(100, 10, (value) => value.length);
    for (let i = 0; i < 5; i++) recent.set('a', 'xxxx');
    recent.set('b', 'xxxx');
    expect([recent.get('a'), recent.get('b')]).toEqual(['xxxx', 'xxxx']);
    recent.set('c', 'xxx');
    expect([recent.get('a'), recent.get('b'), recent.get('c')]).toEqual([undefined, 'xxxx', 'xxx']);
    recent.set('heavy', 'x'.repeat(11));
    expect(recent.size).toBe(0);
    recent.set('d', 'x'.repeat(10));
    expect(recent.get('d')).toBeDefined();
  });
});
