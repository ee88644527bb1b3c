import { createHash } from 'node:crypto';
import type { Draft, SetupFile } from './target.ts';

export const CHECKSUM_LINE = 'SHA-256 of everything below this line:';

/** Puts the checksum line in front of a draft. It cannot cover itself, so it covers all that is below it. */
export function withChecksum({ name, comment, body }: Draft): SetupFile {
  const newline = comment.newline ?? '\n';
  const below = comment.newline === undefined ? body : body.replaceAll('\n', newline);
  const sha256 = createHash('sha256').update(below).digest('hex');
  const text = `${comment.open}${CHECKSUM_LINE} ${sha256}${comment.close ?? ''}${newline}${below}`;
  return { name, text, sha256 };
}
