import { isIP } from 'node:net';

/** The proxy of one request; undefined where it goes straight there. `bad`: what is set is no proxy. */
export type Egress =
  | { readonly kind: 'straight' }
  | { readonly kind: 'proxy'; readonly url: URL; readonly variable: string }
  | { readonly kind: 'bad'; readonly variable: string };

type Env = Readonly<Record<string, string | undefined>>;

/** Which proxy go uses for a URL: golang.org/x/net/http/httpproxy, from the environment alone. */
export function egressFor(url: URL, env: Env): Egress {
  const names = url.protocol === 'https:' ? ['HTTPS_PROXY', 'https_proxy'] : ['HTTP_PROXY', 'http_proxy'];
  const variable = names.find((name) => (env[name] ?? '') !== '');
  if (variable === undefined || !isProxied(url, env['NO_PROXY'] || env['no_proxy'] || ''))
    return { kind: 'straight' };
  const text = env[variable] ?? '';
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(whole)) return { kind: 'bad', variable };
  const proxy = new URL(whole);
  return /^(?:https?|socks5h?):$/.test(proxy.protocol)
    ? { kind: 'proxy', url: proxy, variable }
    : { kind: 'bad', variable };
}

function isProxied(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  // httpproxy asks no proxy for this machine, whatever is set.
  if (host === 'localhost' || (isIP(host) === 4 && host.startsWith('127.')) || host === '::1') return false;
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return !noProxy.split(',').some((entry) => excludes(entry.trim().toLowerCase(), host, port));
}

function excludes(entry: string, host: string, port: string): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  if (entry.includes('/')) return isIP(host) === 4 && isInNetwork(entry, host);
  const [, name = entry, itsPort] = /^(.*):(\d+)$/.exec(entry) ?? [];
  if (itsPort !== undefined && itsPort !== port && isIP(entry) === 0) return false;
  const bare = isIP(entry) === 0 ? name : entry;
  if (bare.startsWith('*.')) return host.endsWith(bare.slice(1));
  if (bare.startsWith('.')) return host.endsWith(bare);
  return host === bare || (isIP(host) === 0 && host.endsWith(`.${bare}`));
}

/** IPv4 alone: a list that names IPv6 networks is rare, and the real `go` has the last word. */
function isInNetwork(network: string, host: string): boolean {
  const [base = '', bits = ''] = network.split('/');
  if (isIP(base) !== 4) return false;
  const size = 2 ** (32 - Number(bits));
  return Math.floor(toNumber(base) / size) === Math.floor(toNumber(host) / size);
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
