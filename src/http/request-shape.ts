import type { IncomingMessage } from 'node:http';
import { GokeepError } from '../errors.ts';

type Head = Pick<IncomingMessage, 'url' | 'method' | 'headers' | 'rawHeaders'>;

/** False when there are several Host headers: node keeps the first, a front server may have kept another. */
export function namesOneHost({ rawHeaders }: Pick<Head, 'rawHeaders'>): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts < 2;
}

/** True when a request announces a body; none of ours has one. */
export function hasBody({ headers }: Pick<Head, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** True when a body comes, which HTTP/2 has without announcing it. */
export function bringsBody(request: Head): boolean {
  const { stream } = request as { readonly stream?: { readonly endAfterHeaders: boolean } };
  return hasBody(request) || stream?.endAfterHeaders === false;
}

/**
 * Refuses what no honest client sends and what servers have disagreed on to their cost: other methods (bad_method),
 * absolute-form targets, several hosts, bodies (bad_request).
 */
export function checkShape(request: Head): void {
  const { method, url = '' } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    throw new GokeepError('bad_method', `${method ?? 'this method'} is not used here; GET and HEAD are`);
  }
  if (!url.startsWith('/')) throw new GokeepError('bad_request', 'the request target has to be a path');
  if (!namesOneHost(request)) throw new GokeepError('bad_request', 'a request names one host');
  if (hasBody(request)) throw new GokeepError('bad_request', 'this address takes no request body');
}

/** The same for a request that changes something: a path, and one host. */
export function checkWrite(request: Head): void {
  if (!(request.url ?? '').startsWith('/'))
    throw new GokeepError('bad_request', 'the request target has to be a path');
  if (!namesOneHost(request)) throw new GokeepError('bad_request', 'a request names one host');
}

/** The same for an upload of `what`, which is the body. */
export function checkUpload(request: Head, what: string): void {
  checkWrite(request);
  if (!bringsBody(request)) throw new GokeepError('bad_request', `send ${what} as the body of the request`);
}

/** Refuses (loop) a request that we sent upstream ourselves: waiting for it would be waiting for ourselves. */
export function checkNotOurs({ headers }: Pick<Head, 'headers'>, via: string): void {
  const hops = headers.via?.split(',') ?? [];
  if (!hops.some((hop) => hop.trim().split(/\s+/)[1] === via)) return;
  throw new GokeepError(
    'loop',
    'this gokeep is its own upstream: its request came back to it. Its operator has to name another upstream (upstream.proxy).',
  );
}
