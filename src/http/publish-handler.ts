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

/**
 * Addresses that leave it to the zip which version it is: ours, and that of Gitea's registry, whatever owner it names. There are no
 * owners here, but paths that somebody may publish.
 */
export const NAMED_BY_ZIP = /^\/api\/(?:v1|packages\/[^/?]+\/go)\/upload$/;

/** The header in which a publisher says of what time and commit a version is. */
export const CLAIM_HEADER = 'gokeep-info';

export interface PublishHandlerOptions {
  readonly exchange: Exchange;
  readonly publishing: Pick<Publishing, 'checkOpen' | 'check' | 'publish'>;
  /** Refuses what has to be signed and is not; undefined where nothing has to be. */
  readonly signing?: Pick<Signing, 'checkSent'>;
  readonly mayPublish: MayPublish;
  readonly log: Pick<Logger, 'info'>;
  readonly limits?: Partial<UploadLimits>;
}

/**
 * `PUT /<escaped module>/@v/<version>.zip`: publishes a version. Whatever can be refused is refused before the zip is
 * read. Answers 201, or 200 when it had been published before with the same bytes. At {@link NAMED_BY_ZIP} it does the same, but
 * for what needs the version's name: that is refused once the zip is here, and before it is judged.
 */
export function publishHandler(o: PublishHandlerOptions): Handler {
  let underWay = 0;
  return async (asked) => {
    const { request, path: target, signal, cachedOnly } = asked;
    const addressed = NAMED_BY_ZIP.test(target) ? undefined : parseModuleRequest(target);
    if ((addressed !== undefined && addressed.kind !== 'zip') || cachedOnly)
      throw new GokeepError(
        'bad_request',
        'publish a version by sending its zip to /<module>/@v/<version>.zip',
      );
    const demand = (path: string | undefined) => {
      if (!o.mayPublish(asked, path)) throw mayNotPublish(path);
    };
    demand(addressed?.path);
    if (addressed === undefined) o.publishing.checkOpen();
    else {
      o.publishing.check(addressed.path, addressed.version);
      o.signing?.checkSent(addressed.path, addressed.version);
    }
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
        ended(addressed, how, cause),
      );
      const named = addressed ?? { admit: demand };
      const { added, ...published } = await o.publishing.publish(
        named,
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
export function mayNotPublish(path: string | undefined): GokeepError {
  return new GokeepError(
    'refused',
    `You may not publish ${path ?? 'anything'} here. Without access control only programs on the gokeep host itself may, while it listens on loopback alone.`,
  );
}

function ended(
  name: { readonly path: string; readonly version: string } | undefined,
  how: string,
  cause: unknown,
): GokeepError {
  const what = name === undefined ? 'a zip' : `${name.path}@${name.version}`;
  return new GokeepError(
    'bad_upload',
    `The upload of ${what} ${how}, and nothing was published; send it again.`,
    { cause },
  );
}
