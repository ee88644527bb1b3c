import { expect, test } from 'vitest';

import { AddressRules } from '../../src/upstream/address-rules.ts';

const none = new AddressRules([]);

test.each([
  '127.0.0.1',
  '127.255.255.254',
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '169.254.169.254',
  '192.0.0.1',
  '192.0.2.1',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:a00:1',
  '::ffff:0:127.0.0.1',
  'fe80::1',
  'fe80::1%eth0',
  'fc00::1',
  'fd12:3456::1',
  'fec0::1',
  'ff02::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2001::1',
  '64:ff9b::10.0.0.1',
  '64:ff9b:1::8.8.8.8',
  // What other programs would read as addresses is none here.
  '2130706433',
  '0x7f.1',
  '0177.0.0.1',
  '127.1',
  '8.8.8.08',
  'localhost',
  '',
])('%s is refused', (address) => {
  expect(none.allows(address)).toBe(false);
});

test.each(['8.8.8.8', '93.184.216.34', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8'])(
  '%s is public',
  (address) => {
    expect(none.allows(address)).toBe(true);
  },
);

test('ranges and single addresses may be allowed', () => {
  const rules = new AddressRules(['10.1.0.0/16', '127.0.0.1', 'fd00::/8']);
  const verdicts = [
    '10.1.2.3',
    '10.2.0.1',
    '127.0.0.1',
    '127.0.0.2',
    '::ffff:10.1.0.1',
    'fd00::1',
    'fc00::1',
  ];
  expect(verdicts.filter((address) => rules.allows(address))).toEqual([
    '10.1.2.3',
    '127.0.0.1',
    '::ffff:10.1.0.1',
    'fd00::1',
  ]);
});

test.each(['', 'x', '10.0.0.0/33', '10.0.0.0/', 'example.com'])('"%s" is no range', (cidr) => {
  expect(() => new AddressRules([cidr])).toThrow(expect.objectContaining({ code: 'bad_config' }));
});
