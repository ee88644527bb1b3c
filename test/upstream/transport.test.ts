import { createServer } from 'node:net';
import type { AddressInfo, LookupFunction } from 'node:net';

import { afterEach, describe, expect, test } from 'vitest';

import type { GokeepError } from '../../src/errors.ts';
import { UpstreamChain } from '../../src/upstream/chain.ts';
import type { UpstreamOptions } from '../../src/upstream/chain.ts';
import { parseProxyList } from '../../src/upstream/proxy-list.ts';
import { startHttpProxy, startSocks5Proxy } from './egress-servers.ts';
import { needs } from '../world/programs.ts';
import { HostileUpstream } from './hostile-upstream.ts';
import { makeTestCa, type TestCa } from './test-ca.ts';

const INFO = '{"Version":"v1.0.0"}';
const TARGET = '/example.com/m/@v/v1.0.0.info';
const REQUEST = { kind: 'info', path: 'example.com/m', version: 'v1.0.0' } as const;
const hasOpenssl = needs('openssl');
const CA = hasOpenssl ? makeTestCa() : ({} as TestCa);
const suite = describe.skipIf(!hasOpenssl);

const chains: UpstreamChain[] = [];
afterEach(async () => {
  await Promise.all(chains.splice(0).map((chain) => chain.close()));
});

/** `success`, or the code and message of the failure. */
async function fetchInfo(proxy: string, options: Partial<UpstreamOptions> = {}): Promise<string> {
  const chain = new UpstreamChain({
    proxies: parseProxyList(proxy),
    userAgent: 'gokeep/test',
    pace: { headers: 30_000, whole: 30_000 },
    ...options,
  });
  chains.push(chain);
  return await chain.fetch(REQUEST, {}).then(
    ({ body }) => {
      expect(String(body)).toBe(INFO);
      return 'success';
    },
    (error: GokeepError) => `${error.code}: ${error.message}`,
  );
}

suite('redirects (needs openssl)', () => {
  test.each([301, 302, 303, 307, 308])('with status %i are followed on the same origin', async (status) => {
    await using upstream = await HostileUpstream.start();
    upstream.on(TARGET, { fault: 'redirect', status, location: '../../../moved?x=1#fragment' });
    upstream.on('/moved?x=1', INFO);
    expect(await fetchInfo(upstream.url, { maxConcurrent: 1 })).toBe('success');
    expect(upstream.connections).toBe(1);
  });

  test('are followed five times and not six', async () => {
    await using upstream = await HostileUpstream.start();
    for (let i = 0; i < 6; i += 1) {
      upstream.on(i === 0 ? TARGET : `/${i}`, { fault: 'redirect', location: `/${i + 1}` });
    }
    upstream.on('/6', INFO);
    expect(await fetchInfo(upstream.url)).toContain('more than 5 times');
    upstream.on('/5', INFO);
    expect(await fetchInfo(upstream.url)).toBe('success');
  });

  test('in a circle end', async () => {
    await using upstream = await HostileUpstream.start();
    upstream
      .on(TARGET, { fault: 'redirect', location: '/a' })
      .on('/a', { fault: 'redirect', location: TARGET });
    expect(await fetchInfo(upstream.url)).toContain('in a circle');
    expect(upstream.requests).toHaveLength(2);
  });

  test.each(['', 'ftp://upstream.test/x', 'file:///etc/passwd', 'data:application/json,{}', 'http://[bad'])(
    'to "%s" are refused',
    async (location) => {
      await using upstream = await HostileUpstream.start();
      upstream.on(TARGET, { fault: 'redirect', location });
      expect(await fetchInfo(upstream.url)).toMatch(/^upstream_failed: .*redirects/);
    },
  );

  test('from https to http are refused', async () => {
    await using plain = await HostileUpstream.start();
    await using secure = await HostileUpstream.start(CA);
    secure.on(TARGET, { fault: 'redirect', location: `${plain.url}/x` });
    const options = { tls: { ca: CA.ca }, allowAddresses: ['127.0.0.0/8'] };
    expect(await fetchInfo(secure.url, options)).toContain('from https to plain http');
    expect(plain.requests).toHaveLength(0);
  });

  test.each([
    '127.0.0.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '0.0.0.0',
    'localhost',
    'localhost.',
    'x.localhost',
  ])('to another port of our own host, as %s, are refused', async (host) => {
    await using other = await HostileUpstream.start();
    await using upstream = await HostileUpstream.start();
    other.on('/x', INFO);
    upstream.on(TARGET, { fault: 'redirect', location: `http://${host}:${other.port}/x` });
    expect(await fetchInfo(upstream.url)).toMatch(/^upstream_failed: .*not public/);
    expect(other.connections).toBe(0);
  });

  test('into an allowed range are followed, and credentials stay behind', async () => {
    await using other = await HostileUpstream.start(CA);
    await using upstream = await HostileUpstream.start(CA);
    other.on('/x', { fault: 'redirect', location: `https://me:pw@127.0.0.1:${upstream.port}/back` });
    upstream.on(TARGET, { fault: 'redirect', location: `https://u:p@127.0.0.1:${other.port}/x` });
    upstream.on('/back', INFO);
    const proxy = `https://user:pass%40word@127.0.0.1:${upstream.port}`;
    const options = { tls: { ca: CA.ca }, allowAddresses: ['127.0.0.1'] };
    expect(await fetchInfo(proxy, options)).toBe('success');
    const own = `Basic ${Buffer.from('user:pass@word').toString('base64')}`;
    expect(upstream.requests.map(({ headers }) => headers['authorization'])).toEqual([own, own]);
    expect(other.requests.map(({ headers }) => headers['authorization'])).toEqual([undefined]);
  });

  test('to a name are checked at the address the socket uses, each time it is looked up', async () => {
    await using other = await HostileUpstream.start();
    await using upstream = await HostileUpstream.start();
    other.on('/x', INFO);
    upstream.on(TARGET, { fault: 'redirect', location: `http://rebinding.test:${other.port}/x` });
    const answers = ['127.0.0.1', '10.0.0.1'];
    let asked = 0;
    const resolve: LookupFunction = (_name, _options, callback) => {
      asked += 1;
      callback(null, [{ address: answers[Math.min(asked, answers.length) - 1] ?? '', family: 4 }]);
    };
    const allowed = { resolve, allowAddresses: ['127.0.0.0/8'], keepAlive: 1 };
    expect(await fetchInfo(upstream.url, allowed)).toBe('success');
    expect(await fetchInfo(upstream.url, allowed)).toMatch(/^upstream_failed: .*not public/);
    expect(asked).toBe(2);
  });

  test('to a name with one forbidden address among others are refused', async () => {
    await using upstream = await HostileUpstream.start();
    upstream.on(TARGET, { fault: 'redirect', location: `http://mixed.test:${upstream.port}/x` });
    const resolve: LookupFunction = (_name, _options, callback) =>
      callback(null, [
        { address: '93.184.216.34', family: 4 },
        { address: '169.254.169.254', family: 4 },
      ]);
    expect(await fetchInfo(upstream.url, { resolve })).toMatch(/^upstream_failed: .*not public/);
  });
});

suite('asking again (needs openssl)', () => {
  test.each(['reset', 'closeUnanswered'] as const)('happens after %s before any answer', async (fault) => {
    await using upstream = await HostileUpstream.start();
    upstream.on(TARGET, { fault }, { fault: 'ok', body: INFO });
    expect(await fetchInfo(upstream.url)).toBe('success');
    expect(upstream.requests).toHaveLength(2);
  });

  test('happens twice at most', async () => {
    await using upstream = await HostileUpstream.start();
    upstream.on(TARGET, { fault: 'reset' });
    expect(await fetchInfo(upstream.url)).toMatch(/^upstream_unreachable: .*reset/);
    expect(upstream.requests).toHaveLength(3);
  });

  test.each(['truncated', 'resetInBody', 'garbage', 'hangBeforeHead'] as const)(
    'never happens after %s',
    async (fault) => {
      await using upstream = await HostileUpstream.start();
      upstream.on(TARGET, { fault });
      expect(
        await fetchInfo(upstream.url, { pace: { headers: fault === 'hangBeforeHead' ? 500 : 30_000 } }),
      ).toMatch(/^upstream_/);
      expect(upstream.requests).toHaveLength(1);
    },
  );

  test('happens while an upstream restarts, and says so when it does not come back', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => {
      closed.once('listening', resolve);
    });
    const { port } = closed.address() as AddressInfo;
    closed.close();
    expect(await fetchInfo(`http://127.0.0.1:${port}`)).toBe(
      `upstream_unreachable: Module example.com/m@v1.0.0 could not be fetched from http://127.0.0.1:${port}: the connection was refused.`,
    );
  });
});

test('never more than the configured number of connections are open', async () => {
  await using upstream = await HostileUpstream.start();
  upstream.on(TARGET, INFO);
  const chain = new UpstreamChain({
    proxies: parseProxyList(upstream.url),
    userAgent: 'gokeep/test',
    maxConcurrent: 3,
  });
  chains.push(chain);
  await Promise.all(Array.from({ length: 40 }, () => chain.fetch(REQUEST, {})));
  expect(upstream.requests).toHaveLength(40);
  expect(upstream.connections).toBeLessThanOrEqual(3);
});

suite('TLS (needs openssl)', () => {
  test('is refused under an unknown authority and accepted under a configured one', async () => {
    await using upstream = await HostileUpstream.start(CA);
    upstream.on(TARGET, INFO);
    expect(await fetchInfo(upstream.url)).toMatch(/^upstream_unreachable: .*certificate.*private CA/);
    expect(await fetchInfo(upstream.url, { tls: { ca: CA.ca } })).toBe('success');
  });

  test('is refused for another name', async () => {
    await using upstream = await HostileUpstream.start(CA);
    const proxy = `https://localhost:${upstream.port}`;
    expect(await fetchInfo(proxy, { tls: { ca: CA.ca } })).toMatch(/^upstream_unreachable: .*certificate/);
    expect(upstream.requests).toHaveLength(0);
  });

  test('presents a client certificate', async () => {
    await using upstream = await HostileUpstream.start({
      ...CA,
      requestCert: true,
      rejectUnauthorized: true,
    });
    upstream.on(TARGET, INFO);
    expect(await fetchInfo(upstream.url, { tls: { ca: CA.ca } })).toMatch(/^upstream_unreachable/);
    const tls = { ca: CA.ca, cert: CA.clientCert, key: CA.clientKey };
    expect(await fetchInfo(upstream.url, { tls })).toBe('success');
  });

  test('takes credentials from netrc, for its host and port only', async () => {
    await using upstream = await HostileUpstream.start(CA);
    upstream.on(TARGET, INFO);
    const login = 'login me password secret\n';
    const options = (machine: string): Partial<UpstreamOptions> => ({
      tls: { ca: CA.ca },
      netrc: `machine ${machine} ${login}`,
    });
    await fetchInfo(upstream.url, options('127.0.0.1'));
    await fetchInfo(upstream.url, options(`127.0.0.1:${upstream.port}`));
    const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    expect(upstream.requests.map(({ headers }) => headers['authorization'])).toEqual([undefined, basic]);
  });

  test('with files that are no PEM is a configuration error', () => {
    const options = { proxies: parseProxyList('off'), userAgent: 'gokeep/test' };
    const build = (): unknown =>
      new UpstreamChain({
        ...options,
        proxies: parseProxyList('https://upstream.test'),
        tls: { cert: 'nonsense', key: 'nonsense' },
      });
    expect(build).toThrow(expect.objectContaining({ code: 'bad_config' }));
  });
});

test('credentials are in no error, even when upstream repeats them', async () => {
  await using upstream = await HostileUpstream.start(CA);
  const basic = Buffer.from('user:hunter22').toString('base64');
  upstream.on(TARGET, { fault: 'status', status: 403, body: `Basic ${basic} (hunter22) is not allowed\n` });
  const said = await fetchInfo(`https://user:hunter22@127.0.0.1:${upstream.port}`, { tls: { ca: CA.ca } });
  expect(said).toMatch(/^upstream_refused: .*is not allowed/);
  expect(said).not.toContain('hunter22');
  expect(said).not.toContain(basic);
});

suite('an egress proxy (needs openssl)', () => {
  test('tunnels https by CONNECT, resolves the name itself and gets its own credentials', async () => {
    await using upstream = await HostileUpstream.start(CA);
    await using proxy = await startHttpProxy();
    upstream.on(TARGET, INFO);
    const egress = { override: `http://out:word@127.0.0.1:${proxy.port}` };
    const url = `https://upstream.test:${upstream.port}`;
    expect(await fetchInfo(url, { egress, tls: { ca: CA.ca } })).toBe('success');
    expect(proxy.asked).toEqual([`CONNECT upstream.test:${upstream.port}`]);
    expect(proxy.credentials).toEqual([`Basic ${Buffer.from('out:word').toString('base64')}`]);
    expect(upstream.requests[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  test('forwards http in absolute form', async () => {
    await using upstream = await HostileUpstream.start();
    await using proxy = await startHttpProxy();
    upstream.on(TARGET, INFO);
    const variables = { httpProxy: `127.0.0.1:${proxy.port}` };
    const url = `http://upstream.test:${upstream.port}`;
    expect(await fetchInfo(url, { egress: { variables } })).toBe('success');
    expect(proxy.asked).toEqual([`GET ${url}${TARGET}`]);
  });

  test.each([undefined, 'user:word'])('speaks SOCKS5, with credentials %s', async (auth) => {
    await using plain = await HostileUpstream.start();
    await using secure = await HostileUpstream.start(CA);
    await using proxy = await startSocks5Proxy(auth);
    plain.on(TARGET, INFO);
    secure.on(TARGET, INFO);
    const userinfo = auth === undefined ? '' : `${auth}@`;
    const options = {
      egress: { override: `socks5h://${userinfo}127.0.0.1:${proxy.port}` },
      tls: { ca: CA.ca },
    };
    expect(await fetchInfo(`http://upstream.test:${plain.port}`, options)).toBe('success');
    expect(await fetchInfo(`https://upstream.test:${secure.port}`, options)).toBe('success');
    expect(proxy.asked).toEqual([
      `socks5 upstream.test:${plain.port}`,
      `socks5 upstream.test:${secure.port}`,
    ]);
    expect(proxy.credentials).toEqual(auth === undefined ? [] : [auth, auth]);
  });

  test('that refuses makes upstream unreachable, and nothing is sent around it', async () => {
    await using http = await startHttpProxy();
    await using socks = await startSocks5Proxy();
    for (const override of [`http://127.0.0.1:${http.port}`, `socks5://127.0.0.1:${socks.port}`]) {
      const said = await fetchInfo('https://upstream.test:1', { egress: { override } });
      expect(said).toMatch(/^upstream_unreachable: .*refused to connect/);
    }
  });

  test('is not used for hosts in NO_PROXY, nor with the override "none"', async () => {
    await using upstream = await HostileUpstream.start();
    upstream.on(TARGET, INFO);
    const variables = { httpProxy: 'http://127.0.0.1:1' };
    expect(await fetchInfo(upstream.url, { egress: { variables, override: 'none' } })).toBe('success');
    expect(await fetchInfo(upstream.url, { egress: { variables } })).toBe('success'); // loopback never is
    const error = await fetchInfo('http://upstream.test:2', { egress: { variables } });
    expect(error).toMatch(/^upstream_unreachable: .*refused/);
  });

  test('is not led to our own addresses by a redirect', async () => {
    await using upstream = await HostileUpstream.start();
    await using proxy = await startHttpProxy();
    upstream.on(TARGET, { fault: 'redirect', location: 'http://169.254.169.254/latest/meta-data' });
    const egress = { override: `http://127.0.0.1:${proxy.port}` };
    const said = await fetchInfo(`http://upstream.test:${upstream.port}`, { egress });
    expect(said).toMatch(/^upstream_failed: .*not public/);
    expect(proxy.asked).toHaveLength(1);
  });
});
