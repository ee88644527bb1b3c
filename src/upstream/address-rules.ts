import { lookup as systemLookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';

import ipaddr from 'ipaddr.js';

import { GokeepError } from '../errors.ts';

/** Why a connection was not made. Seen inside this folder only. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
  readonly host: string;
  constructor(host: string) {
    super(`address of ${host} is neither public nor allowed`);
    this.host = host;
  }
}

/**
 * Which addresses a server other than the configured one may have.
 *
 * Upstream chooses where it redirects us, and so could make us ask a machine that only we can reach. So a redirect
 * to another origin has to end at a public unicast address or inside a range the administrator named.
 */
export class AddressRules {
  readonly #allowed: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][];

  /** `cidrs`: addresses or ranges, `10.1.0.0/16`, `fd00::/8`. Throws bad_config. */
  constructor(cidrs: readonly string[]) {
    this.#allowed = cidrs.map((cidr) => {
      try {
        if (cidr.includes('/')) return ipaddr.parseCIDR(cidr);
        const address = ipaddr.parse(cidr);
        return [address, address.kind() === 'ipv4' ? 32 : 128];
      } catch (cause) {
        throw new GokeepError(
          'bad_config',
          'An entry of the allowed addresses is no address or CIDR range.',
          {
            cause,
            detail: cidr,
          },
        );
      }
    });
  }

  /** True when an IP address in text form may be connected to. Anything that is no address is refused. */
  allows(address: string): boolean {
    // isIP refuses the shortened, octal, decimal and hexadecimal forms that ipaddr.js would read.
    if (isIP(address) === 0) return false;
    const parsed = effective(ipaddr.parse(address));
    const inAllowed = this.#allowed.some(
      ([range, bits]) => range.kind() === parsed.kind() && parsed.match(range, bits),
    );
    return inAllowed || isPublic(parsed);
  }

  /** True for a host name or literal (as URL.hostname gives it) that is refused before any look-up. */
  refusesLiteral(hostname: string): boolean {
    const bare = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
    if (isIP(bare) !== 0) return !this.allows(bare);
    return bare === 'localhost' || bare.endsWith('.localhost') ? !this.allows('127.0.0.1') : false;
  }

  /**
   * A look-up for a socket that fails unless *every* address of the name is allowed. It runs for the connection
   * itself, so a name that changes its address between a check and its use gains nothing.
   */
  guard(resolve: LookupFunction = systemLookup): LookupFunction {
    return (hostname, options, callback) => {
      resolve(hostname, { ...options, all: true }, (error, found, family) => {
        if (error !== null) {
          callback(error, '', 0);
          return;
        }
        const addresses: LookupAddress[] =
          typeof found === 'string' ? [{ address: found, family: family ?? isIP(found) }] : found;
        const first = addresses[0];
        if (first === undefined || addresses.some(({ address }) => !this.allows(address))) {
          callback(new ForbiddenAddress(hostname), '', 0);
        } else if (options.all === true) callback(null, addresses);
        else callback(null, first.address, first.family);
      });
    };
  }
}

/** The IPv4 address inside an IPv4-mapped or NAT64 one, since that is where the packets go. */
function effective(address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (address.kind() === 'ipv4') return address;
  const v6 = address as ipaddr.IPv6;
  if (v6.isIPv4MappedAddress()) return v6.toIPv4Address();
  // Only the well-known prefix: addresses under local-use prefixes are nobody's but the local network's.
  if (v6.match(NAT64)) return new ipaddr.IPv4(v6.toByteArray().slice(12));
  return v6;
}

const NAT64 = ipaddr.parseCIDR('64:ff9b::/96') as [ipaddr.IPv6, number];
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3') as [ipaddr.IPv6, number];

function isPublic(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv4' || (address as ipaddr.IPv6).match(GLOBAL_UNICAST);
}
