/**
 * An error body as text, by the go command's rule for what a person may see: `text/plain` in UTF-8 or ASCII.
 * Undefined for anything else. Cut where the input was cut, at a character's end.
 */
export function plainText(contentType: string | string[] | undefined, body: Buffer): string | undefined {
  if (typeof contentType !== 'string') return undefined;
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  if (type !== 'text/plain') return undefined;
  const charset = parameters
    .find((p) => p.startsWith('charset='))
    ?.slice('charset='.length)
    .replaceAll('"', '');
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'us-ascii') return undefined;
  try {
    // `stream` keeps back a character that the cap has cut in two.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body, { stream: true });
  } catch {
    return undefined;
  }
}

const MAX_REASON = 200;

/**
 * The first line of an untrusted text for use inside a sentence: no control, format or bidirectional characters,
 * nothing that looks like credentials, at most 200 characters unless told otherwise. Empty when there is nothing to say.
 */
export function reasonIn(
  text: string | undefined,
  secrets: readonly string[] = [],
  longest = MAX_REASON,
): string {
  const line = text?.split('\n').find((candidate) => candidate.trim() !== '') ?? '';
  let clean = line
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/\p{C}/gu, '')
    .trim();
  for (const secret of secrets) {
    if (secret !== '') clean = clean.replaceAll(secret, '…');
  }
  clean = withoutUserinfo(clean).replace(/\.+$/, '');
  return clean.length > longest ? `${clean.slice(0, longest)}…` : clean;
}

/** Removes `user:password@` from any URL in a text. */
export function withoutUserinfo(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@'"]*@/gi, '$1');
}
