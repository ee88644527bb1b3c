import { GokeepError } from '../errors.ts';

/**
 * Where a redirect leads. The Location is attacker-controlled: only http and https, never from https down to http,
 * and userinfo in it is dropped, so that upstream cannot choose credentials for us.
 * Throws upstream_failed.
 */
export function redirectTarget(
  from: URL,
  location: string | string[] | undefined,
  about: { readonly subject: string; readonly from: string },
): URL {
  const fail = (why: string): GokeepError =>
    new GokeepError('upstream_failed', `${about.subject} could not be fetched from ${about.from}: ${why}.`);
  if (typeof location !== 'string' || !URL.canParse(location, from)) throw fail('it redirects to nowhere');
  const target = new URL(location, from);
  target.username = '';
  target.password = '';
  target.hash = '';
  if (target.protocol === 'http:' && from.protocol === 'https:') {
    throw fail('it redirects from https to plain http, which is not followed');
  }
  if (target.protocol !== 'https:' && target.protocol !== 'http:') {
    throw fail('it redirects to something that is neither https nor http');
  }
  return target;
}
