import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { GokeepError } from '../errors.ts';
import type { Site } from './site.ts';

type Request = Pick<IncomingMessage, 'headers'>;

const hostOf = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).host : undefined);

/** Where a request says that it goes to: whatever name somebody's DNS has for our address. */
function askedHost({ headers }: Request): string | undefined {
  const host = headers.host ?? headers[':authority'];
  return typeof host === 'string' ? host : undefined;
}

/**
 * Whether a request goes to a name that is ours for sure: that of `url`, localhost or an address. Any other may be somebody else's who
 * had it lead here after a browser got his page from it (DNS rebinding): that page is then of the same origin as ours.
 */
export function isOwnHost({ settings }: Pick<Site, 'settings'>, request: Request): boolean {
  const host = askedHost(request);
  const url = host === undefined ? undefined : `http://${host}`;
  if (url === undefined || !URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  if (hostname === 'localhost' || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0) return true;
  return host === hostOf(settings().url);
}

/**
 * Lets through a form that one of our own pages sent. A browser says which page that was; what does not say so is no browser, and needs
 * no form. Where nobody is asked who he is, the name has to be ours as well; where somebody is, no browser has credentials for another
 * name.
 *
 * @throws refused
 */
export function checkSameOrigin(site: Pick<Site, 'settings' | 'asksWho'>, request: Request): void {
  const { origin } = request.headers;
  const fetchSite = request.headers['sec-fetch-site'];
  const from = origin === undefined ? undefined : hostOf(origin);
  const isOurs = from !== undefined && [askedHost(request), hostOf(site.settings().url)].includes(from);
  const isSame = isOurs && (fetchSite === undefined || fetchSite === 'same-origin');
  if (isSame && (site.asksWho || isOwnHost(site, request))) return;
  throw new GokeepError(
    'refused',
    'Only a form of this server itself is taken: open the page by the address of this server, and send it from there.',
  );
}
