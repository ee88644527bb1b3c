import { describe, expect, it } from 'vitest';
import { originOf } from '../../src/trust/origin.ts';

const HASH = 'a'.repeat(40);
const read = (origin: unknown) =>
  originOf(Buffer.from(JSON.stringify({ Version: 'v1.0.0', Origin: origin })));
const GIT = { VCS: 'git', URL: 'https://git.corp.test/team/lib', Hash: HASH, Ref: 'refs/tags/v1.0.0' };

describe('the origin that go writes into .info', () => {
  it('names a repository, a commit and a tag', () => {
    expect(read(GIT)).toEqual({ url: GIT.URL, hash: HASH, tag: 'refs/tags/v1.0.0' });
    expect(read({ ...GIT, URL: 'ssh://git@git.corp.test/lib' })?.url).toBe('ssh://git@git.corp.test/lib');
  });

  it('has no tag for a pseudo-version, whatever branch led to it', () => {
    expect(read({ ...GIT, Ref: 'refs/heads/main' })).toEqual({ url: GIT.URL, hash: HASH, tag: undefined });
    expect(read({ ...GIT, Ref: undefined })?.tag).toBeUndefined();
  });

  it.each([
    ['none', undefined],
    ['another version control', { ...GIT, VCS: 'hg' }],
    ['no commit', { ...GIT, Hash: 'main' }],
    ['an option instead of an address', { ...GIT, URL: '--upload-pack=/bin/sh' }],
    ['a helper of git instead of an address', { ...GIT, URL: 'ext::sh -c id' }],
    ['a file', { ...GIT, URL: 'file:///etc' }],
    ['a password', { ...GIT, URL: 'https://u:p@git.corp.test/lib' }],
    ['a password of ssh', { ...GIT, URL: 'ssh://git:p@git.corp.test/lib' }],
    ['a user that may be a token', { ...GIT, URL: 'https://token@git.corp.test/lib' }],
    ['a line break', { ...GIT, URL: 'https://git.corp.test/lib\nx' }],
  ])('is not read where it is %s', (_, origin) => {
    expect(read(origin)).toBeUndefined();
  });

  it('is not read from what is no JSON object', () => {
    for (const text of ['', 'null', '[]', '{', '"x"']) expect(originOf(Buffer.from(text))).toBeUndefined();
  });
});
