import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-access-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const load = (text: string, env: Record<string, string> = {}) => {
  writeFileSync(path.join(directory, 'gokeep.toml'), `version = 1\n${text}`);
  return loadConfig({ env: { GOPROXY: 'off', ...env }, cwd: directory }).access;
};

describe('access is required', () => {
  it.each([
    ['', false],
    ['listen = "127.0.0.1:1"', false],
    ['listen = "127.9.9.9:1"', false],
    ['listen = "localhost:1"', false],
    ['listen = "[::1]:1"', false],
    ['listen = "127.0.0.1:1"\nurl = "http://localhost:1"', false],
    ['listen = ":1"', true],
    ['listen = "0.0.0.0:1"', true],
    ['listen = "[::]:1"', true],
    ['listen = "10.0.0.1:1"', true],
    ['listen = "127.evil.test:1"', true],
    ['listen = "localhost.evil.test:1"', true],
    ['url = "https://go.corp.test"', true],
    ['listen = "0.0.0.0:1"\n[access]\nrequired = false', false],
    ['[access]\nrequired = true', true],
  ])('%j: %s', (text, required) => {
    expect(load(text).required).toBe(required);
  });

  it('as the environment says, before the file', () => {
    expect(load('[access]\nrequired = false', { GOKEEP_ACCESS_REQUIRED: 'true' }).required).toBe(true);
    expect(load('listen = "0.0.0.0:1"', { GOKEEP_ACCESS_REQUIRED: '0' }).required).toBe(false);
    expect(() => load('', { GOKEEP_ACCESS_REQUIRED: 'perhaps' })).toThrow(
      'GOKEEP_ACCESS_REQUIRED: "perhaps" is neither true nor false',
    );
  });
});

describe('who may do what', () => {
  const TLS = '[tls]\ncert = "c"\nkey = "k"\n';

  it('is read with files beside the configuration, one claim or several', () => {
    const access = load(
      `${TLS}[access]\npublic = "granted"\nclient_ca = "ca.pem"\n[[access.certificate]]\nsubject = "CN=a"\nread = ["*"]\n[[access.oidc]]\nissuer = "https://ci.test"\naudience = "x"\nclaims = { a = "1", b = ["2", "3"] }\nkeys = "jwks.json"\npublish = ["corp.test"]\n`,
    );
    expect(access).toMatchObject({
      public: 'granted',
      clientCa: path.join(directory, 'ca.pem'),
      certificates: [{ subject: 'CN=a', grants: { read: ['*'], publish: [], admin: [] } }],
      oidc: [
        {
          claims: { a: ['1'], b: ['2', '3'] },
          keys: path.join(directory, 'jwks.json'),
          grants: { publish: ['corp.test'] },
        },
      ],
    });
  });

  const RULE = '[[access.oidc]]\nissuer = "https://login.test"\naudience = "gokeep"\n';
  const signIn = (more: string, rule = RULE, url = 'url = "https://go.test"\n') =>
    `${url}${rule}[access.sign_in]\nclient_id = "gokeep"\n${more}`;

  it('lets people sign in at the issuer of a rule, with openid among the scopes', () => {
    const text = signIn(
      'issuer = "https://login.test"\nclient_secret_file = "secret"\nscopes = ["groups"]\n',
    );
    expect(load(text).signIn).toEqual({
      name: 'login.test',
      issuer: 'https://login.test',
      clientId: 'gokeep',
      clientSecretFile: path.join(directory, 'secret'),
      scopes: ['openid', 'groups'],
    });
  });

  it.each([
    [signIn('issuer = "http://login.test"'), 'access.sign_in.issuer: "http://login.test" is no https URL'],
    [signIn('issuer = "https://login.test"', RULE, ''), 'access.sign_in: it needs url'],
    [signIn('issuer = "https://login.test"', ''), 'access.sign_in: nobody who signs in has a right'],
    [
      signIn('issuer = "https://login.test"', RULE.replace('"gokeep"', '"other"')),
      'add an access.oidc with this issuer and audience = "gokeep"',
    ],
    [signIn('issuer = "https://login.test"\nscopes = ["a b"]'), 'access.sign_in.scopes: "a b" is no scope'],
    [
      signIn('issuer = "https://login.test"\nclient_secret = "x"'),
      'unknown key access.sign_in.client_secret',
    ],
    ['[access]\npublic = "all"', 'access.public must be one of "anonymous", "authenticated", "granted"'],
    ['[access]\nrequire = true', 'unknown key access.require; did you mean access.required?'],
    ['[access]\nclient_ca = "a"', 'access.client_ca: client certificates need TLS'],
    [
      `${TLS}[[access.certificate]]\nsubject = "CN=a"`,
      'access.certificate: nobody can have one without access.client_ca',
    ],
    [
      `${TLS}[access]\nclient_ca = "a"\n[[access.certificate]]\nsubject = "a"`,
      'access.certificate[0].subject: "a" is no subject',
    ],
    [
      '[[access.oidc]]\nissuer = "http://ci.test"\naudience = "x"',
      'access.oidc[0].issuer: "http://ci.test" is no https URL',
    ],
    ['[[access.oidc]]\nissuer = "https://ci.test"', 'access.oidc[0]'],
    [
      '[[access.oidc]]\nissuer = "https://ci.test"\naudience = "x"\nread = ["a,b"]',
      'access.oidc[0].read: "a,b" is not a pattern',
    ],
    [
      '[[access.oidc]]\nissuer = "https://ci.test"\naudience = "x"\nclaims = { a = 1 }',
      'access.oidc[0].claims',
    ],
    [
      '[[access.oidc]]\nissuer = "https://ci.test"\naudience = "x"\nclaims = { a = [] }',
      'access.oidc[0].claims',
    ],
  ])('%j is refused by name', (text, says) => {
    expect(() => load(text)).toThrow(says);
  });
});
