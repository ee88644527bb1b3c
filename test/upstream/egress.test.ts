import { describe, expect, test } from 'vitest';

import { egressFor, parseEgressProxy } from '../../src/upstream/egress.ts';

describe('NO_PROXY as golang.org/x/net/http/httpproxy reads it', () => {
  const cases: [string, string, boolean][] = [
    ['', 'https://example.com', true],
    ['example.com', 'https://example.com', false],
    ['example.com', 'https://www.example.com', false],
    ['example.com', 'https://notexample.com', true],
    ['.example.com', 'https://example.com', true],
    ['.example.com', 'https://www.example.com', false],
    ['*.example.com', 'https://www.example.com', false],
    ['*.example.com', 'https://example.com', true],
    ['EXAMPLE.com', 'https://Example.COM', false],
    ['example.com:443', 'https://example.com', false],
    ['example.com:8443', 'https://example.com', true],
    ['example.com:8443', 'https://example.com:8443', false],
    ['other, example.com ,', 'https://example.com', false],
    ['*', 'https://example.com', false],
    ['10.0.0.0/8', 'https://10.1.2.3', false],
    ['10.0.0.0/8', 'https://11.1.2.3', true],
    ['10.1.2.3', 'https://10.1.2.3', false],
    ['10.1.2.3:443', 'https://10.1.2.3:8443', true],
    ['fd00::/8', 'https://[fd00::1]', false],
    ['fd00::1', 'https://[fd00:0::1]', false],
    ['[fd00::1]:443', 'https://[fd00::1]', false],
    ['nonsense/8', 'https://example.com', true],
    ['', 'https://localhost', false],
    ['', 'https://127.0.0.9:8443', false],
    ['', 'https://[::1]', false],
  ];
  test.each(cases)('%j and %s: proxied %s', (noProxy, url, proxied) => {
    const egress = egressFor(new URL(url), { httpsProxy: 'http://proxy:3128', noProxy });
    expect(egress !== undefined).toBe(proxied);
  });
});

test('each scheme has its own proxy', () => {
  const variables = { httpProxy: 'http://plain:1', httpsProxy: ' ' };
  expect(egressFor(new URL('http://a.example'), variables)?.host).toBe('plain:1');
  expect(egressFor(new URL('https://a.example'), variables)).toBeUndefined();
});

test.each([
  ['proxy:3128', 'http://proxy:3128/'],
  ['proxy.example', 'http://proxy.example/'],
  ['https://proxy:3129', 'https://proxy:3129/'],
  ['socks5://proxy:1080', 'socks5://proxy:1080'],
  ['socks5h://u:p@proxy:1080', 'socks5://u:p@proxy:1080'],
])('%s is %s', (text, href) => {
  expect(parseEgressProxy(text).href).toBe(href);
});

test.each([
  'ftp://proxy',
  'socks4://proxy',
  'http://',
  'http://a b',
  'https://127.0.0.1:3129',
  'https://[::1]',
])('%s is no proxy', (text) => {
  expect(() => parseEgressProxy(text)).toThrow(expect.objectContaining({ code: 'bad_config' }));
});
