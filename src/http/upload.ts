import type { IncomingMessage } from 'node:http';
import type { GokeepError } from '../errors.ts';

/** An upload that brings nothing for this long has gone: it keeps others waiting. */
export const STALLED_MS = 60_000;

/**
 * The body of a request, as it comes.
 *
 * @param brokenOff what is thrown when the client goes away in the middle, or stalls
 */
export async function* uploaded(
  request: IncomingMessage,
  stalledMs: number,
  brokenOff: (cause: unknown) => GokeepError,
): AsyncGenerator<Buffer> {
  // Only while we wait for the client: the time that we take to hash what came is not its doing.
  const waiting = () => setTimeout(() => request.destroy(new Error('stalled')), stalledMs);
  let timer = waiting();
  try {
    // Who stops reading has an answer, and the connection has to carry it.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      clearTimeout(timer);
      yield chunk as Buffer;
      timer = waiting();
    }
  } catch (error) {
    throw brokenOff(error);
  } finally {
    clearTimeout(timer);
  }
}
