import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { clientAddress } from '../../src/http/client-address.ts';

const TRUSTED = ['10.0.0.0/8', '192.0.2.7', '2001:db8:1::/48'];

const request = (socket: string | undefined, forwarded?: string | string[]): IncomingMessage =>
  ({
    socket: { remoteAddress: socket },
    headers: { 'x-forwarded-for': forwarded },
  }) as unknown as IncomingMessage;

describe('the address of a client', () => {
  it.each([
    ['no header', '10.0.0.1', undefined, '10.0.0.1'],
    ['a header from a trusted front server', '10.0.0.1', '203.0.113.5', '203.0.113.5'],
    ['a header from anybody else', '203.0.113.9', '10.9.9.9', '203.0.113.9'],
    ['a single trusted address', '192.0.2.7', '203.0.113.5', '203.0.113.5'],
    ['its neighbour', '192.0.2.8', '203.0.113.5', '192.0.2.8'],
    ['what the client wrote before its own address', '10.0.0.1', '1.1.1.1, 203.0.113.5', '203.0.113.5'],
    ['two trusted hops', '10.0.0.1', '1.1.1.1, 203.0.113.5, 10.0.0.2', '203.0.113.5'],
    ['only trusted hops', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.1'],
    ['a port behind the address', '10.0.0.1', '1.1.1.1, 203.0.113.5:4711', '203.0.113.5'],
    ['an IPv6 address', '2001:db8:1::5', '1.1.1.1, 2001:DB8:2::0001', '2001:db8:2::1'],
    ['an IPv6 address with a port', '10.0.0.1', '1.1.1.1, [2001:db8:2::1]:4711', '2001:db8:2::1'],
    [
      'an IPv4 address written as IPv6, on both sides',
      '::ffff:10.0.0.1',
      '::ffff:203.0.113.5',
      '203.0.113.5',
    ],
    [
      'an unreadable last hop: what stands left of it may be forged',
      '10.0.0.1',
      '1.1.1.1, unknown',
      '10.0.0.1',
    ],
    ['garbage', '10.0.0.1', '"},{"\r\n', '10.0.0.1'],
    ['an empty header', '10.0.0.1', '', '10.0.0.1'],
    ['several headers', '10.0.0.1', ['1.1.1.1', '203.0.113.5'], '203.0.113.5'],
    ['no socket any more', undefined, '203.0.113.5', ''],
  ])('%s', (_what, socket, forwarded, expected) => {
    expect(clientAddress(TRUSTED)(request(socket, forwarded))).toBe(expected);
  });

  it('is the socket alone when nobody is trusted', () => {
    expect(clientAddress([])(request('127.0.0.1', '203.0.113.5'))).toBe('127.0.0.1');
  });

  it.each(['10.0.0.0/33', 'localhost', '10.0.0.0/', '1', '010.0.0.0/8', ''])('%s is no CIDR', (text) => {
    expect(() => clientAddress([text])).toThrow(/http\.trust_proxy/);
  });
});
