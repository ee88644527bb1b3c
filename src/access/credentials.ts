/** What an Authorization header holds: a secret, whatever it turns out to be; nothing; or something that is no such header. */
export type Credentials = { readonly secret: string } | 'none' | 'malformed';

/** The longest header that is looked at; JWTs of CI systems have about 2 KiB. */
export const LONGEST_HEADER = 8 * 1024;

/**
 * Reads an Authorization header: `Basic`, as netrc has `go` send it (any user name, the secret as the password), or
 * `Bearer`. The header is the client's.
 */
export function parseAuthorization(header: string | undefined): Credentials {
  if (header === undefined) return 'none';
  if (header.length > LONGEST_HEADER) return 'malformed';
  const match = /^(basic|bearer) +([A-Za-z0-9._~+/-]+=*) *$/i.exec(header);
  const value = match?.[2];
  if (value === undefined) return 'malformed';
  if (match?.[1]?.toLowerCase() === 'bearer') return { secret: value };
  const decoded = Buffer.from(value, 'base64').toString('latin1');
  const colon = decoded.indexOf(':');
  if (colon < 0 || colon === decoded.length - 1) return 'malformed';
  return { secret: decoded.slice(colon + 1) };
}

/** True for what has the form of a signed JWT. */
export function looksLikeJwt(secret: string): boolean {
  return /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(secret);
}
