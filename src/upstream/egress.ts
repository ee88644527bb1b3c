import { isIP } from 'node:net';

import ipaddr from 'ipaddr.js';

import { GokeepError } from '../errors.ts';

/** The usual variables, as values: this folder reads no environment. Empty and undefined mean unset. */
export interface EgressVariables {
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/**
 * The egress proxy for a URL, or undefined for a direct connection; the rules are those of
 * golang.org/x/net/http/httpproxy, which the go command follows. Throws bad_config.
 */
export function egressFor(url: URL, variables: EgressVariables): URL | undefined {
  const text = url.protocol === 'https:' ? variables.httpsProxy : variables.httpProxy;
  if (text === undefined || text.trim() === '') return undefined;
  const host = bareHost(url.hostname);
  if (host === 'localhost' || isLoopback(host)) return undefined;
  const port = url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? '') : url.port;
  if (bypasses(host, port, variables.noProxy ?? '')) return undefined;
  return parseEgressProxy(text);
}

/** `http://`, `https://`, `socks5://`, `socks5h://` or a bare `host:port`, which means http. Throws bad_config. */
export function parseEgressProxy(text: string): URL {
  const trimmed = text.trim();
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`;
  // The name is resolved by the proxy in either spelling.
  const spelled = full.replace(/^socks5h:/i, 'socks5:');
  if (!URL.canParse(spelled) || new URL(spelled).hostname === '') {
    throw new GokeepError(
      'bad_config',
      'The egress proxy is no valid URL: use http://host:port or socks5://host:port.',
    );
  }
  const url = new URL(spelled);
  if (!['http:', 'https:', 'socks5:'].includes(url.protocol)) {
    throw new GokeepError('bad_config', 'The egress proxy has to be an http, https or socks5 URL.');
  }
  if (url.protocol === 'https:' && isIP(bareHost(url.hostname)) !== 0) {
    throw new GokeepError(
      'bad_config',
      'An https egress proxy has to be given by its host name: a TLS handshake cannot name an address.',
    );
  }
  return url;
}

function bypasses(host: string, port: string, noProxy: string): boolean {
  return noProxy
    .split(',')
    .map((rule) => rule.trim().toLowerCase())
    .some((rule) => rule !== '' && matches(host, port, rule));
}

function matches(host: string, port: string, rule: string): boolean {
  if (rule === '*') return true;
  if (rule.includes('/')) return inRange(host, rule);
  const [, ruleHost = rule, rulePort] = /^(\[.*\]|[^:]*):(\d+)$/.exec(rule) ?? [];
  if (rulePort !== undefined && rulePort !== port) return false;
  const bare = bareHost(ruleHost);
  if (isIP(bare) !== 0) return isIP(host) !== 0 && sameAddress(host, bare);
  if (bare.startsWith('*.')) return host.endsWith(bare.slice(1));
  // ".corp.example" means sub-domains only, "corp.example" the name itself as well.
  return bare.startsWith('.') ? host.endsWith(bare) : host === bare || host.endsWith(`.${bare}`);
}

function inRange(host: string, rule: string): boolean {
  if (isIP(host) === 0) return false;
  try {
    const [range, bits] = ipaddr.parseCIDR(rule);
    const address = ipaddr.process(host);
    return address.kind() === range.kind() && address.match(range, bits);
  } catch {
    return false; // cmd/go ignores a malformed element too
  }
}

function sameAddress(a: string, b: string): boolean {
  return ipaddr.process(a).toNormalizedString() === ipaddr.process(b).toNormalizedString();
}

function isLoopback(host: string): boolean {
  return isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback';
}

function bareHost(host: string): string {
  return host
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}
