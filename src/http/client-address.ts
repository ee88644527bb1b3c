import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import { GokeepError } from '../errors.ts';
import type { ClientAddress } from './exchange.ts';

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** No short, octal or hexadecimal spellings: `010.0.0.1` means two things to two programs. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

function parseCidr(text: string): Range {
  if (!isAddress(text.split('/')[0] ?? '')) throw notCidr(text);
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const address = ipaddr.process(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  } catch (error) {
    throw notCidr(text, error);
  }
}

function notCidr(text: string, cause?: unknown): GokeepError {
  return new GokeepError('bad_config', `http.trust_proxy: ${JSON.stringify(text)} is no CIDR`, { cause });
}

function inRanges(text: string, ranges: readonly Range[]): boolean {
  if (!isAddress(text)) return false;
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
    const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
    // From the right: what stands left of the first hop that is not ours, or not readable, anybody can have written.
    for (const hop of hops.toReversed()) {
      const address = withoutPort(hop.trim());
      if (!isAddress(address)) return socket;
      if (!inRanges(address, ranges)) return ipaddr.process(address).toString();
    }
    return socket;
  };
}

/** Some front servers write the port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  return /^\[([^\]]*)\](?::[0-9]+)?$/.exec(hop)?.[1] ?? /^([0-9.]+):[0-9]+$/.exec(hop)?.[1] ?? hop;
}
