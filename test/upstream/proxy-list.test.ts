import { expect, test } from 'vitest';

import { parseProxyList } from '../../src/upstream/proxy-list.ts';

/** Written back: url, separator, and what a person sees. */
function shown(text: string): string[] {
  return parseProxyList(text).map((entry) => {
    const separator = entry.fallBackOnError ? '|' : '';
    if (entry.kind === 'http') return `${entry.url.href}${separator}`;
    return entry.kind === 'file' ? `file ${entry.directory}${separator}` : entry.kind;
  });
}

test.each([
  ['https://a.example', ['https://a.example/']],
  ['https://a.example,direct', ['https://a.example/', 'direct']],
  ['https://a.example|direct', ['https://a.example/|', 'direct']],
  [' https://a.example , http://b.example | off ', ['https://a.example/', 'http://b.example/|', 'off']],
  [',,https://a.example,|', ['https://a.example/']],
  ['direct,https://a.example', ['direct']],
  ['off|https://a.example', ['off']],
  ['off', ['off']],
  ['a.example', ['https://a.example/']],
  ['a.example:8443/go', ['https://a.example:8443/go']],
  ['localhost:3000', ['https://localhost:3000/']],
  ['https://a.example/go/?token=x', ['https://a.example/go/?token=x']],
  ['https://a.example/go#fragment', ['https://a.example/go']],
  ['HTTPS://A.example/Go', ['https://a.example/Go']],
  ['file:///srv/go%20mirror', ['file /srv/go mirror']],
  ['file:/srv/go', ['file /srv/go']],
])('%j', (text, entries) => {
  expect(shown(text)).toEqual(entries);
});

test.each([
  '',
  ' ',
  ',',
  '|,',
  'noproxy',
  'Direct',
  '/srv/go',
  'ftp://a.example',
  'socks5://a.example',
  'https:/a.example',
  'https://',
  'https:///x',
  'https://a.example:99999',
  'https://a b.example',
  'https://a.\texample',
  'http://user:pw@a.example',
  'https://us%er@a.example',
  'file://host/srv/go',
  'file:srv/go',
  'file:///srv/go?x',
  'file:///srv%2Fgo',
])('%j is no list', (text) => {
  expect(() => parseProxyList(text)).toThrow(expect.objectContaining({ code: 'bad_config' }));
});

test('credentials are kept apart from what is shown', () => {
  const [entry] = parseProxyList('https://us%40er:p%3Aw@a.example/x/?token=t');
  expect(entry).toMatchObject({
    credentials: { username: 'us@er', password: 'p:w' },
    display: 'https://a.example/x',
  });
  expect(entry?.kind === 'http' && entry.url.href).toBe('https://a.example/x/?token=t');
});

test('an error repeats nothing of a list that may hold a password', () => {
  expect(() => parseProxyList('http://user:hunter22@a.example')).toThrow(/^(?!.*hunter22)/);
});
