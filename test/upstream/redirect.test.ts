import { expect, test } from 'vitest';

import { redirectTarget } from '../../src/upstream/redirect.ts';

const about = { subject: 'Module example.com/m', from: 'https://a.example' };
const from = new URL('https://a.example/go/m?token=x');

test.each([
  ['/other', 'https://a.example/other'],
  ['n', 'https://a.example/go/n'],
  ['?y', 'https://a.example/go/m?y'],
  ['//b.example/x', 'https://b.example/x'],
  ['https://me:secret@a.example/x#part', 'https://a.example/x'],
  ['https://0x7f.1/', 'https://127.0.0.1/'],
])('%s leads to %s', (location, href) => {
  expect(redirectTarget(from, location, about).href).toBe(href);
});

test.each([undefined, ['/a', '/b'], 'https://', 'http://a.example/', 'ftp://a.example', 'javascript:0'])(
  '%j is not followed',
  (location) => {
    expect(() => redirectTarget(from, location, about)).toThrow(
      expect.objectContaining({ code: 'upstream_failed' }),
    );
  },
);
