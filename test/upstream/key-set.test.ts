import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchKeySet } from '../../src/upstream/key-set.ts';
import { HostileUpstream, type Reply } from './hostile-upstream.ts';

const OPTIONS = {
  userAgent: 'gokeep/test',
  via: 'test.internal',
  ca: undefined,
  egress: { variables: {} },
  connectTimeout: 2_000,
};
const DISCOVERY = '/.well-known/openid-configuration';

let issuer: HostileUpstream;

beforeEach(async () => {
  issuer = await HostileUpstream.start();
});

afterEach(() => issuer[Symbol.asyncDispose]());

const json = (value: unknown): Reply => ({
  fault: 'ok',
  body: JSON.stringify(value),
  type: 'application/json',
});
const discovery = (more: Record<string, unknown> = {}) =>
  issuer.on(DISCOVERY, json({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys`, ...more }));

describe('the key set of an issuer', () => {
  it('is where its discovery document says', async () => {
    discovery();
    issuer.on('/keys', json({ keys: [{ kty: 'EC' }] }));
    expect(await fetchKeySet(issuer.url, OPTIONS)).toEqual({ keys: [{ kty: 'EC' }] });
    expect(issuer.targets).toEqual([DISCOVERY, '/keys']);
  });

  it.each([
    ['another issuer', { issuer: 'https://evil.test' }],
    ['no issuer', { issuer: undefined }],
    ['no jwks_uri', { jwks_uri: undefined }],
    ['a jwks_uri that is no address', { jwks_uri: 'keys' }],
  ])('is not taken by a discovery document that names %s', async (_what, more) => {
    discovery(more);
    await expect(fetchKeySet(issuer.url, OPTIONS)).rejects.toMatchObject({ code: 'upstream_failed' });
    expect(issuer.targets).toEqual([DISCOVERY]);
  });

  it.each([
    ['a page', { fault: 'html' }],
    ['an error', { fault: 'status', status: 500 }],
    ['nothing', { fault: 'status', status: 404 }],
    ['half of it', { fault: 'truncated', body: '{"keys":[' }],
    ['no object', { fault: 'ok', body: '"keys"' }],
    ['more than any has', { fault: 'ok', body: Buffer.alloc(2 ** 20 + 1, ' ') }],
    ['a broken connection', { fault: 'reset' }],
  ] as const)('that comes as %s is none', async (_what, reply) => {
    discovery();
    issuer.on('/keys', reply);
    await expect(fetchKeySet(issuer.url, OPTIONS)).rejects.toMatchObject({
      code: expect.stringMatching(/^upstream_/) as string,
    });
  });
});
