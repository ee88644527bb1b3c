/** One entry of GOPROXY, as it stands there: a list that go would refuse has to be described, too. */
export interface GoproxyEntry {
  readonly text: string;
  readonly kind: 'http' | 'file' | 'direct' | 'off' | 'bad';
  /** What follows it: a `|` lets go on after any error, a `,` only after 404 and 410. */
  readonly separator: '' | ',' | '|';
  /** For http: without userinfo, query and fragment, and without a slash at the end. */
  readonly url: string | undefined;
  /** Userinfo, percent-decoded. */
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
  /** False behind `direct` and `off`, which end the list. */
  readonly isReached: boolean;
}

/** Splits GOPROXY as cmd/go's proxyList does. */
export function readGoproxy(text: string): GoproxyEntry[] {
  const entries: GoproxyEntry[] = [];
  let isReached = true;
  for (const [, word = '', separator = ''] of text.matchAll(/([^,|]*)([,|]|$)/g)) {
    const trimmed = word.trim();
    if (trimmed === '') continue;
    const entry = readEntry(trimmed);
    entries.push({ ...entry, separator: separator as ',' | '|' | '', isReached });
    if (trimmed === 'direct' || trimmed === 'off') isReached = false;
  }
  return entries;
}

function readEntry(text: string): Omit<GoproxyEntry, 'separator' | 'isReached'> {
  const none = { text, url: undefined, credentials: undefined };
  if (text === 'direct' || text === 'off') return { ...none, kind: text };
  const isHost = /[.:/]/.test(text) && !text.includes(':/') && !text.startsWith('/');
  const whole = isHost ? `https://${text}` : text;
  if (/^file:\//i.test(whole)) return { ...none, kind: 'file' };
  if (!/^https?:\/\/[^/]/i.test(whole) || /\s/.test(whole) || !URL.canParse(whole))
    return { ...none, kind: 'bad' };
  const url = new URL(whole);
  return { text, kind: 'http', url: withoutSecrets(url), credentials: credentialsIn(url) };
}

/** A URL as a person may see it, and as requests begin. */
export function withoutSecrets(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
}

function credentialsIn(url: URL): GoproxyEntry['credentials'] {
  if (url.username === '' && url.password === '') return undefined;
  return { username: decode(url.username), password: decode(url.password) };
}

/** Percent-decoded where it can be. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
