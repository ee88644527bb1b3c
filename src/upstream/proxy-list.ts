import { fileURLToPath } from 'node:url';

import { GokeepError } from '../errors.ts';

/** User name and password of one origin. Never printed. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * One element of a GOPROXY list.
 *
 * `display` names the entry for people: no userinfo, no query. `fallBackOnError` is true when the entry is
 * followed by `|`: the next one is then tried after any error, not only after a 404 or 410.
 */
export type ProxyEntry =
  | {
      readonly kind: 'http';
      /** Without userinfo and fragment; path prefix and query as configured. */
      readonly url: URL;
      readonly credentials: Credentials | undefined;
      readonly display: string;
      readonly fallBackOnError: boolean;
    }
  | {
      readonly kind: 'file';
      /** Absolute path on this host. */
      readonly directory: string;
      readonly display: string;
      readonly fallBackOnError: boolean;
    }
  | { readonly kind: 'direct'; readonly display: 'direct'; readonly fallBackOnError: false }
  | { readonly kind: 'off'; readonly display: 'off'; readonly fallBackOnError: false };

/** Parses a GOPROXY value as cmd/go's proxyList does. Throws bad_config. */
export function parseProxyList(text: string): readonly ProxyEntry[] {
  const entries: ProxyEntry[] = [];
  for (const { word, separator } of words(text)) {
    if (word === '') continue;
    // Both words end the list: whatever follows them is ignored, as cmd/go does.
    if (word === 'off' || word === 'direct') {
      entries.push({ kind: word, display: word, fallBackOnError: false } as ProxyEntry);
      break;
    }
    entries.push(parseEntry(word, separator === '|'));
  }
  if (entries.length === 0) {
    throw new GokeepError(
      'bad_config',
      'The list of upstream proxies has no entries: name a proxy, "direct" or "off".',
    );
  }
  return entries;
}

function* words(text: string): Generator<{ word: string; separator: string }> {
  let start = 0;
  while (start < text.length) {
    const length = text.slice(start).search(/[,|]/);
    const end = length < 0 ? text.length : start + length;
    yield { word: text.slice(start, end).trim(), separator: text.charAt(end) };
    start = end + 1;
  }
}

function parseEntry(word: string, fallBackOnError: boolean): ProxyEntry {
  // A word without any of ".:/" is reserved for built-in behaviour; what holds ":/" or is an absolute path has
  // to be a complete URL already; everything else is a host.
  const isHost = /[.:/]/.test(word) && !word.includes(':/') && !word.startsWith('/');
  const text = isHost ? `https://${word}` : word;
  // The URL parser silently drops tabs and newlines inside a URL.
  if (/[\s\p{Cc}]/u.test(text)) throw bad('it holds a space or a control character');
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'http':
    case 'https':
      return parseHttp(text, fallBackOnError);
    case 'file':
      return parseFile(text, fallBackOnError);
    case undefined:
      throw bad('it has no scheme');
    default:
      throw bad('its scheme is not https, http or file');
  }
}

function parseHttp(text: string, fallBackOnError: boolean): ProxyEntry {
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) throw bad('it is no valid URL');
  const url = new URL(text);
  const credentials = takeCredentials(url);
  if (credentials !== undefined && url.protocol === 'http:') {
    throw bad('it would send credentials over plain http');
  }
  url.hash = '';
  return { kind: 'http', url, credentials, display: displayName(url), fallBackOnError };
}

function parseFile(text: string, fallBackOnError: boolean): ProxyEntry {
  if (!/^file:\/(?:\/\/|[^/])[^?#]*$/i.test(text))
    throw bad('a file URL is an absolute path and nothing else');
  try {
    const directory = fileURLToPath(new URL(text));
    return { kind: 'file', directory, display: 'file proxy', fallBackOnError };
  } catch (cause) {
    throw bad('it is no valid file URL', cause);
  }
}

/** Removes userinfo from a URL and returns it. Throws bad_config when it is not valid percent-encoding. */
export function takeCredentials(url: URL): Credentials | undefined {
  if (url.username === '' && url.password === '') return undefined;
  try {
    return { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  } catch (cause) {
    throw bad('its user name or password is not valid percent-encoding', cause);
  } finally {
    url.username = '';
    url.password = '';
  }
}

/** A URL as a person may see it: no userinfo, and no query, which may hold a token. */
export function displayName(url: URL): string {
  return `${url.origin}${url.pathname === '/' ? '' : url.pathname.replace(/\/$/, '')}`;
}

function bad(why: string, cause?: unknown): GokeepError {
  return new GokeepError('bad_config', `An entry of the list of upstream proxies cannot be used: ${why}.`, {
    cause,
  });
}
