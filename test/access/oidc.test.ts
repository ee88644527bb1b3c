import { createHmac } from 'node:crypto';
import { exportSPKI, importJWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FindKey, type OidcRule, verifyJwt } from '../../src/access/oidc.ts';
import { NO_GRANTS } from '../../src/access/principal.ts';
import { GokeepError } from '../../src/errors.ts';
import { MadeKey, type Claims } from './made-issuer.ts';

const ISSUER = 'https://ci.test';
const NOW = 1_800_000_000_000;
const seconds = NOW / 1000;
const rule = (claims: OidcRule['claims'], read: string[], audience = 'gokeep'): OidcRule => ({
  issuer: ISSUER,
  audience,
  claims,
  grants: { ...NO_GRANTS, read },
});

let key: MadeKey;
let rsa: MadeKey;
let findKey: FindKey;
beforeAll(async () => {
  key = await MadeKey.make('k1');
  rsa = await MadeKey.make('k2', 'RS256');
  findKey = async (_issuer, kid) => [key, rsa].find((each) => each.kid === kid)?.jwk;
});

const good: Claims = {
  iss: ISSUER,
  aud: 'gokeep',
  sub: 'job:1',
  exp: seconds + 600,
  iat: seconds,
  group: 'platform',
};
const rules = [rule({ group: ['platform'] }, ['corp.test/*'])];
const check = async (claims: Claims, o: { rules?: OidcRule[]; by?: MadeKey; now?: number } = {}) =>
  verifyJwt(await (o.by ?? key).sign(claims), o.rules ?? rules, findKey, o.now ?? NOW);
const refused = expect.objectContaining({ code: 'unauthenticated' }) as unknown;

describe('a JWT of a CI system', () => {
  it('gives the rights of the rules whose claims hold, together', async () => {
    const several = [...rules, rule({ group: ['other'] }, ['no.test']), rule({}, ['a.test', 'corp.test/*'])];
    expect(await check(good, { rules: several })).toEqual({
      subject: 'job:1',
      expires: NOW + 660_000,
      grants: { read: ['corp.test/*', 'a.test'], publish: [], admin: [] },
    });
    expect((await check(good, { by: rsa })).subject).toBe('job:1');
  });

  it('gives none where no rule holds', async () => {
    for (const claims of [
      { group: 'platform2' },
      { group: 'Platform' },
      { group: ['x'] },
      { group: { platform: 1 } },
      { group: null },
    ])
      expect((await check({ ...good, ...claims })).grants).toBeUndefined();
    const { group: _group, ...without } = good;
    expect((await check(without)).grants).toBeUndefined();
    // Nothing that every object has is a claim.
    expect((await check(without, { rules: [rule({ constructor: ['x'] }, ['*'])] })).grants).toBeUndefined();
  });

  it('has a claim that is a list where one entry does, and all claims have to hold', async () => {
    const both = [rule({ group: ['platform', 'infra'], ref: ['main'] }, ['*'])];
    expect(
      (await check({ ...good, group: ['a', 'infra'], ref: 'main' }, { rules: both })).grants,
    ).toBeDefined();
    expect(
      (await check({ ...good, group: ['a', 'infra'], ref: 'dev' }, { rules: both })).grants,
    ).toBeUndefined();
    expect(
      (await check({ ...good, n: 5, yes: true }, { rules: [rule({ n: ['5'], yes: ['true'] }, ['*'])] }))
        .grants,
    ).toBeDefined();
  });

  it('for one audience gives none of the rights of another', async () => {
    const two = [rule({}, ['a.test'], 'gokeep'), rule({}, ['b.test'], 'other')];
    expect((await check(good, { rules: two })).grants?.read).toEqual(['a.test']);
    expect((await check({ ...good, aud: ['x', 'other'] }, { rules: two })).grants?.read).toEqual(['b.test']);
  });

  it.each([
    ['another issuer', { iss: 'https://evil.test' }, 'issuer'],
    ['no issuer', { iss: undefined }, 'issuer'],
    ['another audience', { aud: 'other' }, 'aud'],
    ['no audience', { aud: undefined }, 'aud'],
    ['a time that has passed', { exp: seconds - 61 }, 'expired'],
    ['no end', { exp: undefined }, 'exp'],
    ['no subject', { sub: undefined }, 'sub'],
    ['a time that is still to come', { nbf: seconds + 61 }, 'nbf'],
  ])('with %s is refused', async (_what, claims, says) => {
    await expect(check({ ...good, ...claims })).rejects.toEqual(refused);
    await expect(check({ ...good, ...claims })).rejects.toThrow(says);
  });

  it('may come from a clock that is a minute off', async () => {
    await check({ ...good, exp: seconds - 59 });
    await check({ ...good, nbf: seconds + 59 });
  });

  it('of an unknown or of another key is refused', async () => {
    const stranger = await MadeKey.make('stranger');
    await expect(check(good, { by: stranger })).rejects.toEqual(refused);
    await expect(check(good, { by: await MadeKey.make('k1') })).rejects.toEqual(refused);
    await expect(check(good, { by: await MadeKey.make('k1', 'RS256') })).rejects.toEqual(refused);
  });

  it('is refused without a signature, with a public key as a shared secret, and changed', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const body = part(good);
    const none = `${part({ alg: 'none', kid: 'k1' })}.${body}.`;
    const pem = await exportSPKI((await importJWK(rsa.jwk, 'RS256')) as CryptoKey);
    const confused = `${part({ alg: 'HS256', kid: 'k2' })}.${body}`;
    const shared = `${confused}.${createHmac('sha256', pem).update(confused).digest('base64url')}`;
    const [head, , signature] = (await key.sign(good)).split('.');
    const changed = `${head}.${part({ ...good, group: 'admin' })}.${signature}`;
    for (const jwt of [
      none,
      `${none}e30`,
      shared,
      changed,
      `${head}.${body}.AAAA`,
      'a.b.c',
      `${head}.e30.e30`,
    ])
      await expect(verifyJwt(jwt, rules, findKey, NOW)).rejects.toEqual(refused);
  });

  it('that is not signed in a way that counts has no key looked for', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const asked: unknown[] = [];
    const find: FindKey = async (_issuer, kid) => {
      asked.push(kid);
      return key.jwk;
    };
    for (const alg of ['none', 'HS256', 'HS512', 'dir', undefined]) {
      const jwt = `${part({ alg, kid: 'k1' })}.${part(good)}.AAAA`;
      await expect(verifyJwt(jwt, rules, find, NOW)).rejects.toEqual(refused);
    }
    expect(asked).toEqual([]);
  });

  it('of a configured issuer alone has its keys looked for', async () => {
    const asked: string[] = [];
    const find: FindKey = async (issuer) => {
      asked.push(issuer);
      return undefined;
    };
    await verifyJwt(await key.sign({ ...good, iss: 'http://169.254.169.254' }), rules, find, NOW).catch(
      () => undefined,
    );
    expect(asked).toEqual([]);
  });

  it('whose key cannot be looked for is not refused: that is trouble', async () => {
    const find: FindKey = () => Promise.reject(new GokeepError('busy', 'away'));
    await expect(verifyJwt(await key.sign(good), rules, find, NOW)).rejects.toMatchObject({ code: 'busy' });
  });

  it('with a key that is no key is refused', async () => {
    const find: FindKey = async () => ({ kty: 'EC', crv: 'P-256', kid: 'k1' });
    await expect(verifyJwt(await key.sign(good), rules, find, NOW)).rejects.toEqual(refused);
  });
});
