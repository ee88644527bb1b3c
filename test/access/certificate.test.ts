import { describe, expect, it } from 'vitest';
import { certificateGrants, configuredSubject } from '../../src/access/certificate.ts';
import { NO_GRANTS } from '../../src/access/principal.ts';

const grants = { ...NO_GRANTS, read: ['*'] };
const rule = (subject: string) => [{ subject, grants }];

describe('the subject of a client certificate', () => {
  it.each([
    ['CN=ci,O=Corp', 'O=Corp\nCN=ci'],
    ['O=Corp, CN=ci', 'O=Corp\nCN=ci'],
    ['CN=ci', 'CN=ci'],
    ['O=Corp\\, Inc,CN=ci', 'O=Corp\\, Inc\nCN=ci'],
  ])('%s is that of %j', (configured, subject) => {
    expect(certificateGrants(subject, rule(configured))).toBe(grants);
  });

  it.each([
    ['CN=ci', 'O=Other\nCN=ci'],
    ['CN=ci,O=Corp', 'CN=ci'],
    ['CN=ci', 'CN=ci2'],
    ['CN=ci', 'CN=CI'],
    ['CN=ci,O=Corp', 'CN=ci\\,O=Corp'],
    ['CN=ci', 'CN=x\nCN=ci'],
  ])('%s is not that of %j', (configured, subject) => {
    expect(certificateGrants(subject, rule(configured))).toBeUndefined();
  });

  it.each(['', 'ci', '=ci', 'CN=', 'CN=ci,', 'CN=ci,,O=a', '/CN=ci'])('%j is none', (text) => {
    expect(configuredSubject(text)).toBeUndefined();
  });
});
