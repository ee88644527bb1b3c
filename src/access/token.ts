import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * A token: `gokeep_`, 32 characters of base 62 (190 bits of randomness), and 6 that are their checksum, so that secret
 * scanners know one when they see it: `gokeep_[0-9A-Za-z]{38}`, of which crc32 (IEEE) of the first 32, in base 62, has to be
 * the last 6.
 */
const PREFIX = 'gokeep_';
const SECRET = 32;
const CHECK = 6;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const FORM = /^gokeep_([0-9A-Za-z]{32})([0-9A-Za-z]{6})$/;

/** Bytes that newToken needs: enough that those outside of a multiple of 62 can be left out. */
export const TOKEN_ENTROPY = 64;

function checksum(secret: string): string {
  let rest = crc32(secret);
  let text = '';
  for (let at = 0; at < CHECK; at++) {
    text = ALPHABET[rest % ALPHABET.length] + text;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}

/** A new token of these random bytes; undefined when too many of them are of no use, and others have to be drawn. */
export function newToken(random: Uint8Array): string | undefined {
  let secret = '';
  // 248 is the largest multiple of 62 in a byte: anything above would make some characters likelier than others.
  for (const byte of random) if (byte < 248 && secret.length < SECRET) secret += ALPHABET[byte % 62];
  return secret.length < SECRET ? undefined : `${PREFIX}${secret}${checksum(secret)}`;
}

/** True for what has the form of a token and its own checksum: a mistyped one is told from a revoked one. */
export function isToken(text: string): boolean {
  const match = FORM.exec(text);
  return match?.[1] !== undefined && checksum(match[1]) === match[2];
}

/** What is kept of a token: hexadecimal SHA-256. It is looked up by this, so no time tells how much of a guess is right. */
export function tokenDigest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
