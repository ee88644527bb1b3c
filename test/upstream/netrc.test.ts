import { expect, test } from 'vitest';

import { netrcCredentials, parseNetrc } from '../../src/upstream/netrc.ts';

/** The file that cmd/go/internal/auth tests with, in its shapes: order, macros, incomplete and default entries. */
const NETRC = `machine incomplete
password none

machine api.github.com
  login user
  password pwd

machine incomlete.host
  login justlogin

machine test.host
login user2
password pwd2

machine oneline login user3 password pwd3

machine ignore.host macdef ignore
  login nobody
  password nothing

machine hasmacro.too macdef ignore-next-lines login user4 password pwd4
  login nobody
  password nothing

machine test.host login second password second
machine port.host:8443 login p password q
machine path.host/team login t password u

default
login anonymous
password gopher@golang.org

machine after.default
login oops
password too-late-in-file
`;

test('complete machines are read up to the default entry', () => {
  expect(
    parseNetrc(NETRC).map(({ machine, username, password }) => `${machine} ${username} ${password}`),
  ).toEqual([
    'api.github.com user pwd',
    'test.host user2 pwd2',
    'oneline user3 pwd3',
    'hasmacro.too user4 pwd4',
    'test.host second second',
    'port.host:8443 p q',
    'path.host/team t u',
  ]);
});

test.each([
  ['https://test.host/a/b', 'user2'],
  ['https://test.host', 'user2'],
  ['http://test.host/a', undefined],
  ['https://test.host:8443/a', undefined],
  ['https://port.host:8443/a', 'p'],
  ['https://port.host/a', undefined],
  ['https://path.host/team/a', 't'],
  ['https://path.host/teams/a', undefined],
  ['https://path.host/', undefined],
  ['https://sub.test.host/', undefined],
  ['https://after.default/', undefined],
])('%s: %s', (url, username) => {
  expect(netrcCredentials(parseNetrc(NETRC), new URL(url))?.username).toBe(username);
});
