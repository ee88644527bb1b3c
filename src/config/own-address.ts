/** Says of one address of a GOPROXY list whether it is this very server. */
export type IsOurs = (address: string) => boolean;

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);
const ANYWHERE = new Set(['0.0.0.0', '::']);

function parseOrigin(address: string): URL | undefined {
  const text = address.includes('://') ? address : `https://${address}`;
  return URL.canParse(text) ? new URL(text) : undefined;
}

/**
 * Recognises the address that we listen on and the one that clients are told, so that a server is not its own
 * upstream: every miss would wait for itself until its deadline.
 */
export function ownAddress(
  listen: { readonly host: string; readonly port: number },
  url: string | undefined,
  tls: boolean,
): IsOurs {
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  const hosts =
    LOOPBACK.has(host) || ANYWHERE.has(listen.host) ? new Set([...LOOPBACK, host]) : new Set([host]);
  const port = String(listen.port);
  const told = url === undefined ? undefined : parseOrigin(url)?.origin;
  return (address) => {
    const asked = parseOrigin(address.trim());
    if (asked === undefined) return false;
    if (asked.origin === told) return true;
    const askedPort = asked.port === '' ? (asked.protocol === 'https:' ? '443' : '80') : asked.port;
    return hosts.has(asked.hostname) && askedPort === port && asked.protocol === (tls ? 'https:' : 'http:');
  };
}
