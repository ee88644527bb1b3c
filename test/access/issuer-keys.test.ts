import { describe, expect, it } from 'vitest';
import { IssuerKeys, signingKeys } from '../../src/access/issuer-keys.ts';

const set = (...kids: string[]) => ({ keys: kids.map((kid) => ({ kty: 'EC', kid })) });

/** An issuer, a clock, and how often it was asked. */
function issuer() {
  const world = { now: 1_000_000, set: set('a') as unknown, away: false, asked: 0 };
  const fetch = async () => {
    world.asked++;
    if (world.away) throw new Error('connect ECONNREFUSED');
    return world.set;
  };
  return { world, keys: new IssuerKeys('https://ci.test', fetch, () => world.now) };
}

describe('the keys of an issuer', () => {
  it('are asked for once, also by many at once', async () => {
    const { world, keys } = issuer();
    const found = await Promise.all(Array.from({ length: 10 }, () => keys.find('a')));
    expect(found.every((key) => key?.kid === 'a')).toBe(true);
    await keys.find('a');
    expect(world.asked).toBe(1);
  });

  it('are asked for again for an unknown one, but not for each', async () => {
    const { world, keys } = issuer();
    await keys.find('a');
    world.now += 11_000;
    world.set = set('a', 'b');
    expect((await keys.find('b'))?.kid).toBe('b');
    for (const kid of ['c', 'd', 'e', 'f']) expect(await keys.find(kid)).toBeUndefined();
    expect(world.asked).toBe(2);
  });

  it('that were withdrawn are forgotten within a quarter of an hour', async () => {
    const { world, keys } = issuer();
    await keys.find('a');
    world.set = set('b');
    world.now += 14 * 60_000;
    expect(await keys.find('a')).toBeDefined();
    world.now += 2 * 60_000;
    expect(await keys.find('a')).toBeUndefined();
  });

  it('are believed for a day while the issuer is away; what they do not answer is trouble and no refusal', async () => {
    const { world, keys } = issuer();
    await keys.find('a');
    world.away = true;
    world.now += 23 * 3_600_000;
    expect((await keys.find('a'))?.kid).toBe('a');
    await expect(keys.find('b')).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringContaining('https://ci.test') as string,
    });
    world.now += 2 * 3_600_000;
    await expect(keys.find('a')).rejects.toMatchObject({ code: 'busy' });
    world.away = false;
    world.now += 11_000;
    expect((await keys.find('a'))?.kid).toBe('a');
  });

  it('that cannot be had at all are trouble, also for those who come right after', async () => {
    const { world, keys } = issuer();
    world.away = true;
    await expect(keys.find('a')).rejects.toMatchObject({ code: 'busy' });
    await expect(keys.find('a')).rejects.toMatchObject({ code: 'busy' });
    expect(world.asked).toBe(1);
    world.away = false;
    world.now += 2_000;
    expect((await keys.find('a'))?.kid).toBe('a');
  });

  it('without an id are meant where there is one alone', async () => {
    const { world, keys } = issuer();
    expect((await keys.find(undefined))?.kid).toBe('a');
    world.set = set('a', 'b');
    world.now += 16 * 60_000;
    expect(await keys.find(undefined)).toBeUndefined();
  });

  it('are those that sign: no shared secrets, no keys to encrypt with', () => {
    const keys = [
      { kty: 'oct', kid: 'x' },
      { kty: 'EC', use: 'enc', kid: 'y' },
      { kty: 'EC', use: 'sig', kid: 'z' },
      null,
      'k',
      {},
    ];
    expect(signingKeys({ keys }).map(({ kid }) => kid)).toEqual(['z']);
    for (const bad of [null, [], {}, { keys: {} }, 'x', undefined])
      expect(() => signingKeys(bad)).toThrow('no JSON Web Key Set');
  });
});
