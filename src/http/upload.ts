import type { IncomingMessage } from 'node:http';
import { GokeepError } from '../errors.ts';

/** How long we wait for who sends. Only waiting counts: the time that we take to hash what came is not its doing. */
export interface UploadLimits {
  /** Milliseconds without a byte. */
  readonly stalledMs: number;
  /** Bytes a second, on the average of each `windowMs` of waiting: whoever drips bytes would keep others from importing. */
  readonly leastRate: number;
  readonly windowMs: number;
}

export const UPLOAD_LIMITS: UploadLimits = {
  stalledMs: 60_000,
  leastRate: 16 * 1024,
  windowMs: 60_000,
};

/** A request, as far as its body is concerned. */
export interface Upload {
  iterator(options: { destroyOnReturn: boolean }): AsyncIterable<Buffer>;
  destroy(error: Error): unknown;
}

/** Says in a sentence that an upload is over: `how` is to be read behind its subject. */
export type Ended = (how: string, cause: unknown) => GokeepError;

/**
 * The body of a request, as it comes.
 *
 * @param ended what is thrown where it breaks off, stops, or comes too slowly
 * @param now milliseconds
 */
export async function* uploaded(
  request: Upload,
  { stalledMs, leastRate, windowMs }: UploadLimits,
  ended: Ended,
  now: () => number = () => performance.now(),
): AsyncGenerator<Buffer> {
  const waiting = () => setTimeout(() => request.destroy(new Error('stalled')), stalledMs);
  let timer = waiting();
  let since = now();
  let waited = 0;
  let bytes = 0;
  try {
    // Who stops reading has an answer, and the connection has to carry it.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      clearTimeout(timer);
      waited += now() - since;
      bytes += chunk.length;
      if (waited >= windowMs) {
        if (bytes < (leastRate * waited) / 1000)
          throw ended(`came slower than ${leastRate / 1024} KiB a second`, undefined);
        waited = 0;
        bytes = 0;
      }
      yield chunk;
      timer = waiting();
      since = now();
    }
  } catch (error) {
    if (error instanceof GokeepError) throw error;
    throw ended('broke off', error);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A short body as text.
 *
 * @param most bytes
 * @param tooLong what is said of more
 * @throws bad_request where it breaks off or stalls, too_large
 */
export async function uploadedText(request: IncomingMessage, most: number, tooLong: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const ended = (how: string, cause: unknown) =>
    new GokeepError('bad_request', `the request ${how}`, { cause });
  for await (const chunk of uploaded(request, UPLOAD_LIMITS, ended)) {
    size += chunk.length;
    if (size > most) throw new GokeepError('too_large', tooLong);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
