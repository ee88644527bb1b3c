import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import type { BundleImport } from '../airgap/import.ts';
import { demandAll } from '../access/demand.ts';
import { GokeepError } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import type { Handler } from './handler.ts';

/** An upload that brings nothing for this long has gone: it keeps others from importing. */
const STALLED_MS = 60_000;

/**
 * `PUT /api/v1/bundles`: a bundle as the body. Needs the right to administer everything, where access is required; elsewhere
 * whoever can reach this address may send one. What counts is whose signature it carries, and nothing is read behind the
 * manifest before that has been found good.
 */
export function bundleHandler(
  exchange: Exchange,
  bundles: Pick<BundleImport, 'run'>,
  log: Pick<Logger, 'info'>,
  stalledMs = STALLED_MS,
): Handler {
  return async (asked) => {
    demandAll(asked.principal, 'admin');
    const { id, added, facts } = await bundles.run(uploaded(asked.request, stalledMs));
    log.info({ bundle: id, added, ...facts }, 'bundle imported');
    exchange.text(asked, {
      kind: 'bundle',
      status: added ? 201 : 200,
      contentType: 'application/json',
      body: `${JSON.stringify({ id, added, ...facts })}\n`,
    });
  };
}

async function* uploaded(request: IncomingMessage, stalledMs: number): AsyncGenerator<Buffer> {
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
    throw new GokeepError(
      'bad_bundle',
      'the upload of the bundle broke off; send it again, and it goes on from what is here',
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}
