import type { Logger } from 'pino';
import { GokeepError } from '../errors.ts';
import { parseModuleRequest } from '../module/request-path.ts';
import type { Publishing } from '../publish/publishing.ts';
import type { Signing } from '../publish/signing.ts';
import { parseClaim } from '../publish/version-info.ts';
import type { Exchange } from './exchange.ts';
import type { Handler } from './handler.ts';
import type { MayPublish } from './may-publish.ts';
import { UPLOAD_LIMITS, type UploadLimits, uploaded } from './upload.ts';

/** Of each up to 500 MiB wait on the disk until they are judged. */
const AT_ONCE = 8;

/** The header in which a publisher says of what time and commit a version is. */
export const CLAIM_HEADER = 'gokeep-info';

export interface PublishHandlerOptions {
  readonly exchange: Exchange;
  readonly publishing: Pick<Publishing, 'check' | 'publish'>;
  /** Refuses what has to be signed and is not; undefined where nothing has to be. */
  readonly signing?: Pick<Signing, 'checkSent'>;
  readonly mayPublish: MayPublish;
  readonly log: Pick<Logger, 'info'>;
  readonly limits?: Partial<UploadLimits>;
}

/**
 * `PUT /<escaped module>/@v/<version>.zip`: publishes a version. Whatever can be refused is refused before the zip is
 * read. Answers 201, or 200 when it had been published before with the same bytes.
 */
export function publishHandler(o: PublishHandlerOptions): Handler {
  let underWay = 0;
  return async (asked) => {
    const { request, path: target, signal, cachedOnly } = asked;
    const name = parseModuleRequest(target);
    if (name.kind !== 'zip' || cachedOnly)
      throw new GokeepError(
        'bad_request',
        'publish a version by sending its zip to /<module>/@v/<version>.zip',
      );
    const { path, version } = name;
    if (!o.mayPublish(asked, path)) throw mayNotPublish(path);
    o.publishing.check(path, version);
    o.signing?.checkSent(path, version);
    const said = request.headers[CLAIM_HEADER];
    const claim = said === undefined ? undefined : parseClaim(String(said));
    if (underWay === AT_ONCE)
      throw new GokeepError(
        'busy',
        `${AT_ONCE} versions are being published right now; try again in a moment`,
      );
    underWay++;
    try {
      const body = uploaded(request, { ...UPLOAD_LIMITS, ...o.limits }, (how, cause) =>
        ended(path, version, how, cause),
      );
      const { added, ...published } = await o.publishing.publish(
        { path, version },
        body,
        claim,
        signal,
        o.exchange.actor(asked),
      );
      if (added) o.log.info(published, 'version published');
      o.exchange.text(asked, {
        kind: 'publish',
        status: added ? 201 : 200,
        contentType: 'application/json',
        body: `${JSON.stringify({ ...published, added })}\n`,
      });
    } finally {
      underWay--;
    }
  };
}

/** The same for every module, whether it exists or not. */
export function mayNotPublish(path: string): GokeepError {
  return new GokeepError(
    'refused',
    `You may not publish ${path} here. Without access control only programs on the gokeep host itself may, while it listens on loopback alone.`,
  );
}

function ended(path: string, version: string, how: string, cause: unknown): GokeepError {
  return new GokeepError(
    'bad_upload',
    `The upload of ${path}@${version} ${how}, and nothing was published; send it again.`,
    { cause },
  );
}
