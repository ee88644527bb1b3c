import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import { GokeepError } from '../errors.ts';
import type { ClientAddress } from './exchange.ts';

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

function parseCidr(text: string): Range {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const address = ipaddr.process(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  } catch (error) {
    throw new GokeepError('bad_config', `http.trust_proxy: ${text} is no CIDR`, { cause: error });
  }
}

function inRanges(text: string, ranges: readonly Range[]): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  return ranges.some(([range, bits]) => address.kind() === range.kind() && address.match(range, bits));
}

/**
 * Who the client is: the socket's address, or, behind front servers in the given CIDRs, the last address of
 * X-Forwarded-For that is not itself one of them. Anybody can write that header, so it counts only from a trusted socket.
 * Throws bad_config for a malformed CIDR.
 */
export function clientAddress(trusted: readonly string[]): ClientAddress {
  const ranges = trusted.map(parseCidr);
  return (request: IncomingMessage) => {
    const socket = request.socket.remoteAddress ?? '';
    if (ranges.length === 0 || !inRanges(socket, ranges)) return socket;
    const header = request.headers['x-forwarded-for'];
    const hops = (Array.isArray(header) ? header.join(',') : (header ?? ''))
      .split(',')
      .map((hop) => hop.trim());
    return hops.findLast((hop) => ipaddr.isValid(hop) && !inRanges(hop, ranges)) ?? socket;
  };
}
