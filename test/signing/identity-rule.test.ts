import { describe, expect, it } from 'vitest';
import { checkSubjectPattern, isIdentity } from '../../src/signing/identity-rule.ts';

const check = (pattern: string) => () =>
  checkSubjectPattern(pattern, 'signing[0].identities[0].subject_pattern');

describe('a pattern for subjects', () => {
  it.each([
    String.raw`^https://gitlab\.corp\.example/group/lib//\.gitlab-ci\.yml@refs/tags/v[0-9.]+$`,
    String.raw`^https:\/\/github\.com\/acme\/.*$`,
    String.raw`^https://host\.example:8443/acme/(?:a|b)/x$`,
    String.raw`^[a-z]+@corp\.example$`,
    String.raw`^[^@]+@corp\.example$`,
    String.raw`^release\.bot@corp\.example$`,
  ])('that fixes whose they are is taken: %s', (pattern) => {
    expect(check(pattern)).not.toThrow();
  });

  it.each([
    ['a bare one', 'https://github.com/acme/'],
    ['one that may go on', String.raw`^https://github\.com/acme/lib`],
    ['one that may begin anywhere', String.raw`https://github\.com/acme/lib$`],
    ['an end that is escaped', String.raw`^https://github\.com/acme/lib\$`],
    ['alternatives of which the anchors hold one each', String.raw`^https://github\.com/acme/a$|^.*$`],
    ['everything', '^.*$'],
    ['a dot that is any character', String.raw`^https://github.com/acme/.*$`],
    ['a host that is open', String.raw`^https://.*\.example/acme/.*$`],
    ['a shared host, whoever is on it', String.raw`^https://github\.com/.*$`],
    ['a path that others can begin with', String.raw`^https://github\.com/acme.*$`],
    ['a slash that may be missing', String.raw`^https://github\.com/acme/?.*$`],
    ['a character that may be missing', String.raw`^https://github\.com/a?.*/$`],
    ['http', String.raw`^http://gitlab\.corp\.example/group/.*$`],
    ['any address', '^.+@.+$'],
    ['a domain with an open dot', '^[^@]+@corp.example$'],
    ['a domain that may be longer', String.raw`^[^@]+@.*corp\.example$`],
    ['anything before the @', String.raw`^.*@corp\.example$`],
    ['no expression', '^https://a\\.b/c/($'],
  ])('that could match more than was meant is refused: %s', (_what, pattern) => {
    expect(check(pattern)).toThrow(expect.objectContaining({ code: 'bad_config' }) as Error);
    expect(check(pattern)).toThrow(/^signing\[0\]\.identities\[0\]\.subject_pattern: /);
  });

  it('matches the whole subject, which has one line', () => {
    const rule = {
      issuer: 'https://i.test',
      subject: undefined,
      subjectPattern: String.raw`^[a-z]+@corp\.example$`,
    };
    const is = (subject: string, issuer = rule.issuer) => isIdentity(rule, { issuer, subject });
    expect(is('bot@corp.example')).toBe(true);
    for (const other of [
      'bot@corp.example.evil',
      'x bot@corp.example',
      'bot@corp.example\n',
      'x\nbot@corp.example',
    ])
      expect(is(other)).toBe(false);
    expect(is('bot@corp.example', 'https://i.test/')).toBe(false);
  });
});
