import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Authenticator, type PublicReads } from '../../src/access/authenticator.ts';
import { demand, Unidentified } from '../../src/access/demand.ts';
import { KnownTokens } from '../../src/access/known-tokens.ts';
import { NO_GRANTS, type Principal } from '../../src/access/principal.ts';
import { newToken, TOKEN_ENTROPY, tokenDigest } from '../../src/access/token.ts';
import { MadeAccess } from './made-access.ts';
import { MadeIssuer } from './made-issuer.ts';
import { type StoredToken, TokenReader, TokenWriter } from '../../src/store/token-table.ts';

let directory: string;
let file: string;
let writer: TokenWriter;
let now: number;
let used: string[];
const uses = { today: 0, note: (token: string) => used.push(`${token} ${uses.today}`) };

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-tokens-'));
  file = path.join(directory, 'access.db');
  writer = new TokenWriter(file);
  now = 1_800_000_000_000;
  used = [];
  uses.today = 20_000;
});

afterEach(() => {
  writer[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

let serial = 0;
function add(more: Partial<StoredToken> = {}): string {
  const token = newToken(randomBytes(TOKEN_ENTROPY))!;
  const id = `id${serial++}`;
  const given = {
    read: ['corp.test/*'],
    publish: [],
    admin: [],
    created: now,
    expires: undefined,
    revoked: undefined,
  };
  writer.add({ id, digest: tokenDigest(token), name: id, ...given, ...more }, () => undefined);
  return token;
}

function authenticator(publicReads: PublicReads = 'authenticated') {
  const tokens = new KnownTokens(new TokenReader(file), () => made.forget());
  const made: Authenticator = new Authenticator({
    tokens,
    uses,
    oidc: [],
    findKey: async () => undefined,
    certificates: [{ subject: 'CN=mirror,O=Corp', grants: { ...NO_GRANTS, read: ['*'] } }],
    publicReads,
    isPrivate: (modulePath) => modulePath.startsWith('corp.test/'),
    now: () => now,
  });
  return { made, tokens, bearer: (token: string) => made.identify(`Bearer ${token}`, undefined) };
}

const problem = (principal: Principal): string => {
  expect(principal).toBeInstanceOf(Unidentified);
  return (principal as Unidentified).problem().message;
};

describe('who asks', () => {
  it('is known by a token, as Bearer and as the password of any user', async () => {
    const token = add({ name: 'ci' });
    const { made, bearer } = authenticator();
    const basic = await made.identify(`Basic ${Buffer.from(`x:${token}`).toString('base64')}`, undefined);
    for (const principal of [await bearer(token), basic]) {
      expect(principal.name).toBe('token:ci');
      expect(principal.may('read', 'corp.test/m')).toBe(true);
      expect(principal.may('publish', 'corp.test/m')).toBe(false);
    }
  });

  it('is nobody without credentials, with others, and with bad ones, each told apart', async () => {
    const { made, bearer } = authenticator();
    const unknown = newToken(randomBytes(TOKEN_ENTROPY))!;
    const revoked = add({ name: 'gone' });
    expect(writer.revoke('gone', now, () => undefined)).toBe(true);
    expect(problem(await made.identify(undefined, undefined))).toContain('needs credentials');
    expect(problem(await made.identify('Digest x', undefined))).toContain('cannot be read');
    expect(problem(await bearer('hunter2'))).toContain('no token of this gokeep');
    expect(problem(await bearer('a.b.c'))).toContain('no token of this gokeep');
    expect(problem(await bearer(unknown))).toContain('not known here');
    expect(problem(await bearer(unknown.slice(0, -1)))).toContain('mistyped');
    expect(problem(await bearer(revoked))).toContain('has been revoked');
    expect(problem(await bearer(add({ expires: now })))).toContain('has expired');
  });

  it('is never told a secret back', async () => {
    const { bearer } = authenticator();
    for (const secret of [
      'hunter2',
      add({ expires: now }),
      newToken(randomBytes(TOKEN_ENTROPY))!,
      'gokeep_short',
    ])
      expect(problem(await bearer(secret))).not.toContain(secret);
  });

  it('by a client certificate has the rights of its subject, and none without a rule for it', async () => {
    const { made } = authenticator();
    const known = await made.identify(undefined, 'O=Corp\nCN=mirror');
    expect(known.name).toBe('certificate:CN=mirror,O=Corp');
    expect(known.mayAll('read')).toBe(true);
    expect(problem(await made.identify(undefined, 'CN=mirror'))).toContain('client certificate');
  });

  it('with a bad token is not let in by a good certificate', async () => {
    const { made } = authenticator();
    expect(problem(await made.identify('Bearer gokeep_x', 'O=Corp\nCN=mirror'))).toContain('mistyped');
  });
});

describe('modules that are not private', () => {
  it.each([
    ['anonymous', true, true],
    ['authenticated', false, true],
    ['granted', false, false],
  ] as const)(
    'are read, with public = %s, without credentials: %s, with some: %s',
    async (publicReads, nobody, known) => {
      const { made, bearer } = authenticator(publicReads);
      expect(made.anonymous.may('read', 'open.test/m')).toBe(nobody);
      expect((await bearer(add())).may('read', 'open.test/m')).toBe(known);
      expect(made.anonymous.may('read', 'corp.test/m')).toBe(false);
      expect((await bearer(add({ read: [] }))).may('read', 'corp.test/m')).toBe(false);
    },
  );

  it('are read with bad credentials as with none', async () => {
    const { bearer } = authenticator('anonymous');
    const bad = await bearer('gokeep_x');
    demand(bad, 'read', 'open.test/m');
    expect(() => demand(bad, 'read', 'corp.test/m')).toThrow('mistyped');
  });
});

describe('a running server', () => {
  it('knows a token at once that another process has made', async () => {
    const { bearer } = authenticator();
    await bearer(add());
    expect((await bearer(add({ name: 'later' }))).name).toBe('token:later');
  });

  it('forgets whom it knew once a token is revoked', async () => {
    const token = add({ name: 'ci' });
    const { made, tokens, bearer } = authenticator();
    await bearer(token);
    expect(made.remembered(`Bearer ${token}`)?.name).toBe('token:ci');
    writer.revoke('ci', now, () => undefined);
    tokens.look();
    expect(made.remembered(`Bearer ${token}`)).toBeUndefined();
    expect(problem(await bearer(token))).toContain('revoked');
  });

  it('remembers nobody beyond the end of his token', async () => {
    const token = add({ expires: now + 1000 });
    const { made, bearer } = authenticator();
    await bearer(token);
    now += 999;
    expect(made.remembered(`Bearer ${token}`)).toBeDefined();
    now += 1;
    expect(made.remembered(`Bearer ${token}`)).toBeUndefined();
    expect(problem(await bearer(token))).toContain('expired');
  });

  it('remembers no more than it has room for, and nothing of bad credentials', async () => {
    const token = add();
    const { made } = authenticator();
    const header = (user: number) => `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`;
    for (let user = 0; user < 10_001; user++) await made.identify(header(user), undefined);
    expect(made.remembered(header(0))).toBeUndefined();
    expect(made.remembered(header(10_000))).toBeDefined();
    await made.identify('Bearer gokeep_bad', undefined);
    expect(made.remembered('Bearer gokeep_bad')).toBeUndefined();
  });

  it('that cannot read its tokens lets nobody in by one, and says that it is its own doing', async () => {
    const token = add();
    let broken = false;
    const stored = (): StoredToken[] => {
      using reader = new TokenReader(file);
      return reader.all();
    };
    const source = {
      version: () => {
        if (broken) throw new Error('SQLITE_IOERR');
        return 1;
      },
      all: stored,
    };
    const tokens = new KnownTokens(source, () => made.forget());
    const made: Authenticator = new Authenticator({
      tokens,
      uses,
      oidc: [],
      findKey: async () => undefined,
      certificates: [],
      publicReads: 'authenticated',
      isPrivate: () => true,
      now: () => now,
    });
    expect((await made.identify(`Bearer ${token}`, undefined)).name).not.toBe('anonymous');
    broken = true;
    expect(() => tokens.look()).toThrow();
    expect(tokens.size).toBe(0);
    expect(made.remembered(`Bearer ${token}`)).toBeUndefined();
    const refused = await made.identify(`Bearer ${token}`, undefined);
    expect((refused as Unidentified).problem().code).toBe('storage_failed');
    broken = false;
    expect((await made.identify(`Bearer ${token}`, undefined)).name).not.toBe('anonymous');
  });
});

describe('uses of tokens', () => {
  it('are told once a day for each header, by the id of the token', async () => {
    const { made, bearer } = authenticator();
    const token = add({ id: 'aa', name: 'ci' });
    for (let n = 0; n < 2; n++) await bearer(token);
    made.remembered(`Bearer ${token}`);
    used = [];
    uses.today = 20_001;
    for (let n = 0; n < 3; n++) made.remembered(`Bearer ${token}`);
    expect(used).toEqual(['aa 20001']);
  });

  it('are those of the new token where its name was another one’s before', async () => {
    const { bearer } = authenticator();
    const first = await bearer(add({ id: 'aa', name: 'ci' }));
    writer.revoke('ci', now, () => undefined);
    const second = await bearer(add({ id: 'bb', name: 'ci' }));
    expect(second.name).toBe(first.name);
    expect(second.id).not.toBe(first.id);
    expect(used).toEqual(['aa 20000', 'bb 20000']);
  });

  it('are not told of what is refused, or of a certificate', async () => {
    const { made, bearer } = authenticator();
    const token = add({ name: 'ci' });
    writer.revoke('ci', now, () => undefined);
    for (const secret of [token, add({ expires: now }), 'gokeep_x']) await bearer(secret);
    expect((await made.identify(undefined, 'O=Corp\nCN=mirror')).id).toBe('certificate:CN=mirror,O=Corp');
    expect(used).toEqual([]);
  });
});

describe('tokens as they are kept', () => {
  it('are not the tokens: no byte of one is in any file', async () => {
    const token = add();
    const { readFileSync, readdirSync } = await import('node:fs');
    for (const name of readdirSync(directory))
      expect(readFileSync(path.join(directory, name)).includes(token.slice(7, 39))).toBe(false);
  });

  it('have one name each, which is free again once nothing bears it', () => {
    add({ name: 'ci' });
    expect(() => add({ name: 'ci' })).toThrow('there is a token named ci already');
    writer.revoke('ci', now, () => undefined);
    add({ name: 'ci' });
    expect(writer.revoke('nobody', now, () => undefined)).toBe(false);
  });

  it('in what is no database are not made anew', () => {
    const other = path.join(directory, 'other.db');
    writeFileSync(other, 'no database');
    expect(() => new TokenWriter(other)).toThrow('damaged');
  });
});

describe('a person, by an ID token', () => {
  const rights = (groups: string, read: string, audience = 'gokeep') => ({
    issuer: '',
    audience,
    claims: { groups: [groups] },
    grants: { ...NO_GRANTS, read: [read] },
  });
  const signed = async (claims: Record<string, unknown>) => {
    await using issuer = await MadeIssuer.start();
    const rules = [
      rights('staff', 'private.test/corp'),
      rights('platform', 'private.test/git'),
      rights('staff', 'private.test/ci', 'ci'),
    ];
    const made = new MadeAccess({
      oidc: rules.map((rule) => ({ ...rule, issuer: issuer.url })),
      findKey: async () => issuer.keys[0]!.jwk,
    });
    const token = await issuer.sign({ sub: '4711', aud: 'gokeep', ...claims });
    return made.authenticator.person(token, 'gokeep', 'Corp');
  };

  it('has the rights of the rules for this client whose groups are among his, and is called what he calls himself', async () => {
    const { principal, called } = await signed({ groups: ['other', 'staff'], preferred_username: 'root' });
    expect([principal.name, called]).toEqual(['oidc:4711', 'root']);
    const readable = ['corp', 'git', 'ci'].filter((each) => principal.may('read', `private.test/${each}`));
    expect(readable).toEqual(['corp']);
    expect(principal.maySome('admin')).toBe(false);
  });

  it.each([
    ['groups that no rule names', { groups: ['staffers', 'xplatform'] }, 'forbidden'],
    ['all groups in one text', { groups: 'staff,platform' }, 'forbidden'],
    ['no groups', {}, 'forbidden'],
    ['a token for another client of the issuer', { aud: 'ci', groups: ['staff'] }, 'refused'],
    ['a token that has expired', { exp: 1, groups: ['staff'] }, 'refused'],
  ])('with %s is nobody', async (_what, claims, code) => {
    await expect(signed(claims)).rejects.toMatchObject({ code });
  });
});
