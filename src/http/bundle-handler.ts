import type { Logger } from 'pino';
import type { BundleImport } from '../airgap/import.ts';
import { GokeepError } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import type { Handler } from './handler.ts';
import { STALLED_MS, uploaded } from './upload.ts';

/**
 * `PUT /api/v1/bundles`: a bundle as the body. Whoever can reach this address may send one: what counts is whose signature
 * it carries, and nothing is read behind the manifest before that has been found good.
 */
export function bundleHandler(
  exchange: Exchange,
  bundles: Pick<BundleImport, 'run'>,
  log: Pick<Logger, 'info'>,
  stalledMs = STALLED_MS,
): Handler {
  return async (asked) => {
    const { id, added, facts } = await bundles.run(uploaded(asked.request, stalledMs, brokenOff));
    log.info({ bundle: id, added, ...facts }, 'bundle imported');
    exchange.text(asked, {
      kind: 'bundle',
      status: added ? 201 : 200,
      contentType: 'application/json',
      body: `${JSON.stringify({ id, added, ...facts })}\n`,
    });
  };
}

function brokenOff(cause: unknown): GokeepError {
  return new GokeepError(
    'bad_bundle',
    'the upload of the bundle broke off; send it again, and it goes on from what is here',
    { cause },
  );
}
