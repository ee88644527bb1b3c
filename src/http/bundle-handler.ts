import type { Logger } from 'pino';
import { demandAll } from '../access/demand.ts';
import { BadBundle, type BundleImport } from '../airgap/import.ts';
import { GokeepError } from '../errors.ts';
import type { Exchange } from './exchange.ts';
import type { Asked, Handler } from './handler.ts';
import { statusOf } from './status.ts';
import { UPLOAD_LIMITS, type UploadLimits, uploaded } from './upload.ts';

/**
 * `PUT /api/v1/bundles`: a bundle as the body. Needs the right to administer everything, where access is required; elsewhere
 * whoever can reach this address may send one. What counts is whose signature it carries, and nothing is read behind the
 * manifest before that has been found good.
 *
 * Who asks for `application/json` is answered in it: `{"error", "problems"}` where the bundle is not taken. Others get a
 * line for each problem.
 */
export function bundleHandler(
  exchange: Exchange,
  bundles: Pick<BundleImport, 'run'>,
  log: Pick<Logger, 'info'>,
  limits: Partial<UploadLimits> = {},
): Handler {
  return async (asked) => {
    demandAll(asked.principal, 'admin');
    const imported = await bundles
      .run(uploaded(asked.request, { ...UPLOAD_LIMITS, ...limits }, ended), { by: exchange.actor(asked) })
      .catch((error: unknown) => refused(exchange, asked, error));
    if (imported === undefined) return;
    const { id, added, facts } = imported;
    log.info({ bundle: id, added, ...facts }, 'bundle imported');
    exchange.text(asked, {
      kind: 'bundle',
      status: added ? 201 : 200,
      contentType: 'application/json',
      body: `${JSON.stringify({ id, added, ...facts })}\n`,
    });
  };
}

const INVISIBLE = /[^\P{C}\s]/gu;

/** Says all that is wrong with a bundle. Throws an error that is to be told as any other one is. */
function refused(exchange: Exchange, asked: Asked, error: unknown): undefined {
  const { request } = asked;
  const inJson = /\bapplication\/json\b/.test(request.headers.accept ?? '');
  const problems = error instanceof BadBundle ? error.problems : [];
  if (!(error instanceof GokeepError) || request.socket.destroyed) throw error;
  if (!inJson && problems.length === 0) throw error;
  const lines = [...problems, 'nothing was imported'].map((problem) =>
    problem.replaceAll(/\s+/g, ' ').replace(INVISIBLE, ''),
  );
  exchange.text(
    asked,
    {
      kind: 'bundle',
      status: statusOf(error),
      contentType: inJson ? 'application/json' : 'text/plain; charset=utf-8',
      body: inJson ? `${JSON.stringify({ error: error.message, problems })}\n` : `${lines.join('\n')}\n`,
    },
    error,
  );
}

function ended(how: string, cause: unknown): GokeepError {
  return new GokeepError(
    'bad_bundle',
    `the upload of the bundle ${how}; send it again, and it goes on from what is here`,
    { cause },
  );
}
