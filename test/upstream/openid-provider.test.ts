import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OpenIdProvider, type OpenIdProviderOptions } from '../../src/upstream/openid-provider.ts';
import { MadeKey } from '../access/made-issuer.ts';

/** A provider that lies: each document is made anew. */
let server: Server;
let url: string;
let key: MadeKey;
let about: Record<string, unknown>;
let tokens: () => Promise<{ status?: number; body: string }>;
let asked: { target: string; authorization: string | undefined; body: string }[];
let now: number;

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  asked.push({ target: request.url!, authorization: request.headers.authorization, body });
  const said = request.url === '/token' ? await tokens() : { status: 200, body: JSON.stringify(about) };
  response.writeHead(said.status ?? 200, { 'content-type': 'application/json' }).end(said.body);
}

beforeEach(async () => {
  now = Date.now();
  asked = [];
  key = await MadeKey.make('k', 'RS256');
  server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  about = {
    issuer: url,
    authorization_endpoint: `${url}/auth?tenant=1`,
    token_endpoint: `${url}/token`,
    jwks_uri: `${url}/keys`,
    authorization_response_iss_parameter_supported: true,
  };
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const made = (more: Partial<OpenIdProviderOptions> = {}) =>
  new OpenIdProvider({
    name: 'Corp',
    issuer: url,
    clientId: 'gokeep',
    clientSecret: () => 's3cret',
    scopes: ['openid', 'groups'],
    redirectUri: () => 'https://go.test/ui/sign-in/callback',
    userAgent: 'gokeep/test',
    ca: undefined,
    egress: { variables: {}, override: undefined },
    connectTimeout: 1_000,
    now: () => now,
    ...more,
  });

/** Begins, and is answered with these claims in place of the right ones. */
async function run(claims: Record<string, unknown>, query: Record<string, string> = {}) {
  await using provider = made();
  const { to, secrets } = await provider.begin();
  const seconds = Math.floor(now / 1000);
  const right = { iss: url, aud: 'gokeep', sub: 'a', iat: seconds, exp: seconds + 300, nonce: secrets.nonce };
  const token = await key.sign({ ...right, ...claims });
  tokens = async () => ({
    body: JSON.stringify({ access_token: 'a', token_type: 'bearer', id_token: token }),
  });
  const back = new URLSearchParams({ code: 'c', state: secrets.state, iss: url, ...query });
  return { to: new URL(to), secrets, token, got: await provider.finish(back.toString(), secrets) };
}

it('asks with state, nonce and a challenge whose verifier goes to the token endpoint only', async () => {
  const { to, secrets, token, got } = await run({});
  expect(got).toBe(token);
  expect(Object.fromEntries(to.searchParams)).toMatchObject({
    tenant: '1',
    response_type: 'code',
    client_id: 'gokeep',
    scope: 'openid groups',
    redirect_uri: 'https://go.test/ui/sign-in/callback',
    state: secrets.state,
    nonce: secrets.nonce,
    code_challenge_method: 'S256',
  });
  expect(to.href).not.toContain(secrets.verifier);
  expect(to.href).not.toContain('s3cret');
  const { authorization, body } = asked.find(({ target }) => target === '/token')!;
  expect(Buffer.from(authorization!.slice(6), 'base64').toString()).toBe('gokeep:s3cret');
  expect(new URLSearchParams(body).get('code_verifier')).toBe(secrets.verifier);
});

it.each([
  ['of another sign-in', { nonce: 'other' }, {}],
  ['without a nonce', { nonce: undefined }, {}],
  ['of another issuer', { iss: 'https://evil.test' }, {}],
  ['for somebody else', { aud: 'other' }, {}],
  ['that has expired', { exp: 1 }, {}],
  ['with another state', {}, { state: 'other' }],
  ['from another issuer (mix-up)', {}, { iss: 'https://evil.test' }],
])('takes no answer %s', async (_what, claims, query) => {
  await expect(run(claims, query)).rejects.toMatchObject({ code: 'refused' });
});

it('sends the code to nobody where the answer is from another issuer or of another state', async () => {
  await expect(run({}, { iss: 'https://evil.test' })).rejects.toThrow();
  await expect(run({}, { state: 'other' })).rejects.toThrow();
  expect(asked.filter(({ target }) => target === '/token')).toEqual([]);
});

it('says that nobody can sign in while the provider is down, lies about who it is or sends too much, and asks again soon', async () => {
  await using down = made({ issuer: 'http://127.0.0.1:1' });
  await expect(down.begin()).rejects.toMatchObject({
    code: 'busy',
    message: expect.stringContaining('Corp'),
  });
  await using provider = made();
  const right = about;
  about = { ...right, issuer: 'https://evil.test' };
  await expect(provider.begin()).rejects.toMatchObject({ code: 'busy' });
  about = { ...right, more: 'x'.repeat(2 ** 20) };
  now += 2_000;
  await expect(provider.begin()).rejects.toMatchObject({ code: 'busy' });
  about = right;
  await expect(provider.begin()).rejects.toMatchObject({ code: 'busy' });
  expect(asked).toHaveLength(2);
  now += 2_000;
  await expect(provider.begin()).resolves.toHaveProperty('to');
});

it.each([
  ['refused', 400, '{"error":"invalid_grant"}'],
  ['busy', 401, '{"error":"invalid_client"}'],
  ['busy', 500, 'oops'],
  ['busy', 200, '<html>sign in to the hotel</html>'],
])('is %s where the token endpoint answers %i %s, and shows nothing of it', async (code, status, body) => {
  await using provider = made();
  const { secrets } = await provider.begin();
  tokens = async () => ({ status, body });
  const query = new URLSearchParams({ code: 'c', state: secrets.state, iss: url }).toString();
  const error = await provider.finish(query, secrets).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code });
  expect(String(error)).not.toMatch(/invalid_|oops|hotel|s3cret/);
});

it('asks the provider by way of the egress proxy', async () => {
  about = { ...about, issuer: 'http://login.test' };
  // An absolute target is what a proxy is asked for, and this one answers itself.
  await using provider = made({
    issuer: 'http://login.test',
    egress: { variables: { httpProxy: url }, override: undefined },
  });
  const { to } = await provider.begin();
  expect(to).toContain(`${url}/auth?`);
  expect(asked.map(({ target }) => target)).toEqual(['http://login.test/.well-known/openid-configuration']);
});
