import type { Logger } from 'pino';
import { GokeepError } from '../errors.ts';
import { parseLookup } from '../module/request-path.ts';
import type { Yanking } from '../publish/yanking.ts';
import type { Exchange } from './exchange.ts';
import type { Asked, Handler } from './handler.ts';
import type { MayPublish } from './may-publish.ts';
import { mayNotPublish } from './publish-handler.ts';
import { uploadedText } from './upload.ts';

export const YANKS_PREFIX = '/api/v1/yanks/';

/** A reason has 500 characters at most. */
const MAX_BODY = 16 * 1024;

export interface YankHandlerOptions {
  readonly exchange: Exchange;
  readonly yanking: Yanking;
  readonly mayPublish: MayPublish;
  readonly log: Pick<Logger, 'info'>;
}

/**
 * `POST /api/v1/yanks/<escaped module>@<version>` with `{"reason": "…"}` yanks a version, `DELETE` takes that back.
 */
export function yankHandler(o: YankHandlerOptions): Handler {
  return async (asked) => {
    const { path, version } = parseLookup(asked.path.slice(YANKS_PREFIX.length));
    if (!o.mayPublish(asked, path)) throw mayNotPublish(path);
    const yanks = asked.request.method === 'POST';
    const reason = yanks ? await reasonIn(asked) : undefined;
    const by = o.exchange.actor(asked);
    if (reason === undefined) await o.yanking.unyank(path, version, by);
    else await o.yanking.yank(path, version, reason, by);
    o.log.info({ path, version, reason }, yanks ? 'version yanked' : 'version no longer yanked');
    o.exchange.text(asked, {
      kind: 'yank',
      status: 200,
      contentType: 'application/json',
      body: `${JSON.stringify({ path, version, yanked: yanks, ...(yanks ? { reason } : {}) })}\n`,
    });
  };
}

async function reasonIn({ request }: Asked): Promise<string> {
  const text = await uploadedText(request, MAX_BODY, 'the reason is too long');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const reason = typeof value === 'object' && value !== null && 'reason' in value ? value.reason : undefined;
  if (typeof reason !== 'string')
    throw new GokeepError('bad_request', 'send the reason as JSON: {"reason": "it loses data"}');
  return reason;
}
