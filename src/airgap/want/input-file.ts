import { createReadStream } from 'node:fs';
import { GokeepError } from '../../errors.ts';
import { quote } from '../../module/quote.ts';

/** The largest file that is read: no bill of materials or go.sum comes near it. In bytes. */
export const MAX_INPUT = 256 * 2 ** 20;

/**
 * Reads a whole file, or pipe.
 *
 * @param file where it is
 * @param name what to call it in a sentence
 * @throws bad_request when it cannot be read or is larger than `limit` bytes
 */
export async function readInputFile(file: string, name: string, limit = MAX_INPUT): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of createReadStream(file)) {
      size += (chunk as Buffer).length;
      if (size > limit) throw new GokeepError('bad_request', `${name} is larger than ${limit} bytes.`);
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    if (error instanceof GokeepError) throw error;
    throw new GokeepError('bad_request', `${name} cannot be read.`, { cause: error });
  }
  return Buffer.concat(chunks);
}

/** What to call a file in a sentence: its name, quoted where whoever named it could play with the terminal. */
export function shownName(name: string): string {
  return /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(name) ? quote(name) : name;
}
