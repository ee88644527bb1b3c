import { describe, expect, it } from 'vitest';
import { demand, demandAll, demandSome, Unidentified } from '../../src/access/demand.ts';
import { EVERYBODY, Granted, NO_GRANTS, RIGHTS } from '../../src/access/principal.ts';
import { GokeepError, hasCode } from '../../src/errors.ts';

const nothing = () => false;
const reader = new Granted(
  'token:a',
  { ...NO_GRANTS, read: ['corp.example/*', 'a.example/one/two'] },
  nothing,
);

describe('rights', () => {
  it.each([
    ['corp.example/x', true],
    ['corp.example/x/y/z/v2', true],
    ['corp.example', false],
    ['corp.example.evil/x', false],
    ['a.example/one/two', true],
    ['a.example/one/two/three', true],
    ['a.example/one/twofold', false],
    ['a.example/one', false],
    ['Corp.example/x', false],
  ])('of a pattern reach %s: %s, as GOPRIVATE does', (path, may) => {
    expect(reader.may('read', path)).toBe(may);
  });

  it('whatever lies below a readable path is readable, so that what go asks there is answered and not refused', () => {
    for (const path of ['corp.example/m', 'a.example/one/two'])
      for (const below of ['pkg', 'a/b/c', 'v2', 'internal/x'])
        expect(reader.may('read', `${path}/${below}`)).toBe(true);
  });

  it('are one by one: none includes another', () => {
    for (const right of RIGHTS) {
      const one = new Granted('token:b', { ...NO_GRANTS, [right]: ['*'] }, nothing);
      for (const other of RIGHTS) {
        expect(one.may(other, 'corp.example/x')).toBe(other === right);
        expect(one.mayAll(other)).toBe(other === right);
        if (other !== 'read') expect(one.maySome(other)).toBe(other === right);
      }
    }
  });

  it('for everything there are only by the pattern for every path', () => {
    expect(reader.mayAll('read')).toBe(false);
    const readsPublic = new Granted('token:c', NO_GRANTS, () => true);
    expect(readsPublic.may('read', 'open.example/x')).toBe(true);
    expect(readsPublic.may('publish', 'open.example/x')).toBe(false);
    expect(readsPublic.mayAll('read')).toBe(false);
  });
});

describe('what is demanded before the module is known', () => {
  it('is some right of this kind, and its refusal is the one of every module', () => {
    const publisher = new Granted('token:d', { ...NO_GRANTS, publish: ['corp.example/lib'] }, nothing);
    expect(() => demandSome(publisher, 'publish')).not.toThrow();
    expect(() => demandSome(EVERYBODY, 'publish')).not.toThrow();
    expect(() => demandSome(publisher, 'admin')).toThrow();
    const some = refusal(() => demandSome(reader, 'publish'));
    const one = refusal(() => demand(reader, 'publish', 'corp.example/lib'));
    expect([some.code, some.message]).toEqual([one.code, one.message]);
    const nobody = new Unidentified(
      () => new GokeepError('unauthenticated', 'who?'),
      () => true,
    );
    expect(refusal(() => demandSome(nobody, 'publish'))).toMatchObject({ code: 'unauthenticated' });
  });
});

const refusal = (run: () => void): GokeepError => {
  try {
    run();
  } catch (error) {
    if (error instanceof GokeepError) return error;
  }
  throw new Error('not refused');
};

describe('a demand', () => {
  it('is met by who has the right, and by everybody where access is off', () => {
    demand(reader, 'read', 'corp.example/x');
    for (const right of RIGHTS) {
      demand(EVERYBODY, right, 'corp.example/x');
      demandAll(EVERYBODY, right);
    }
  });

  it('is refused with one text for all paths and all who ask', () => {
    const other = new Granted('token:other', NO_GRANTS, nothing);
    const texts = ['open.example/x', 'secret.example/y/v2'].flatMap((path) =>
      [reader, other].map((who) => refusal(() => demand(who, 'read', path))),
    );
    expect(new Set(texts.map(({ message }) => message)).size).toBe(1);
    expect(texts.every((error) => hasCode(error, 'forbidden'))).toBe(true);
    expect(refusal(() => demandAll(reader, 'admin')).code).toBe('forbidden');
  });

  it('tells who is not known why', () => {
    const gone = new Unidentified(
      () => new GokeepError('unauthenticated', 'expired'),
      (path) => path === 'open.example/x',
    );
    demand(gone, 'read', 'open.example/x');
    expect(refusal(() => demand(gone, 'read', 'corp.example/x'))).toMatchObject({
      code: 'unauthenticated',
      message: 'expired',
    });
    expect(refusal(() => demand(gone, 'publish', 'open.example/x')).code).toBe('unauthenticated');
    expect(refusal(() => demandAll(gone, 'read')).code).toBe('unauthenticated');
  });
});
