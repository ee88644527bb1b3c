/**
 * Reads standard, padded base64 (RFC 4648 section 4) or says undefined.
 *
 * `Buffer.from` skips what it does not know; the comparison with our own encoding is what refuses foreign
 * characters, missing padding and stray trailing bits, so that one value has one spelling.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
