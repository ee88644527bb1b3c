import type { Logger } from 'pino';
import { GokeepError } from '../errors.ts';
import { parseLookup } from '../module/request-path.ts';
import type { Publishing } from '../publish/publishing.ts';
import type { Attached, ShownSignature, Signing } from '../publish/signing.ts';
import { MAX_BUNDLE } from '../signing/signature-bundle.ts';
import type { LoggedRecord } from '../store/log-reader.ts';
import type { Exchange } from './exchange.ts';
import type { Asked, Handler } from './handler.ts';
import type { MayPublish } from './may-publish.ts';
import { mayNotPublish } from './publish-handler.ts';
import { uploadedText } from './upload.ts';

export const SIGNATURES_PREFIX = '/api/v1/signatures/';

export interface SignatureHandlerOptions {
  readonly exchange: Exchange;
  readonly signing: Signing;
  readonly publishing: Pick<Publishing, 'check'>;
  readonly find: (path: string, version: string) => LoggedRecord | undefined;
  readonly mayPublish: MayPublish;
  /** Whether whoever asks may see what there is of a module. */
  readonly mayRead: (asked: Asked, modulePath: string) => boolean;
  readonly log: Pick<Logger, 'info'>;
}

/**
 * `GET /api/v1/signatures/<escaped module>@<version>` shows the signatures of a version on record. `PUT` with a sigstore bundle as
 * body adds one: 201, or 200 when it was here before; before the version is published 202, and it waits for the zip.
 */
export function signatureHandler(o: SignatureHandlerOptions): Handler {
  return async (asked) => {
    const { path, version } = parseLookup(asked.path.slice(SIGNATURES_PREFIX.length));
    const answer = (status: number, body: unknown) =>
      o.exchange.text(asked, {
        kind: 'signature',
        status,
        contentType: 'application/json',
        body: `${JSON.stringify(body)}\n`,
      });
    if (asked.request.method !== 'PUT') {
      if (!o.mayRead(asked, path)) throw new GokeepError('refused', `You may not read ${path} here.`);
      return answer(200, shown(o, path, version));
    }
    if (!o.mayPublish(asked, path)) throw mayNotPublish(path);
    const text = await bundleIn(asked);
    const attached = await o.signing.attach(
      path,
      version,
      text,
      () => o.publishing.check(path, version),
      o.exchange.actor(asked),
    );
    if (attached.state === 'stored' && attached.added) {
      const { id, kind, signer } = attached.signature;
      o.log.info({ path, version, id, kind, signer }, 'signature added');
    }
    answer(statusOf(attached), told(path, version, attached));
  };
}

function shown({ signing, find }: SignatureHandlerOptions, path: string, version: string) {
  const record = find(path, version);
  if (record === undefined)
    throw new GokeepError('not_found', `${path}@${version} is not on record here, so it has no signatures.`);
  const { required, signed, signatures } = signing.show(path, version);
  return { path, version, zip: record.zip, required, signed, signatures: signatures.map(signatureShown) };
}

function signatureShown({ bundle, verifiedAt, ...rest }: ShownSignature) {
  // Left out, as all that is undefined, where nobody here could verify it.
  const at = verifiedAt === undefined ? undefined : new Date(verifiedAt).toISOString();
  return { ...rest, verifiedAt: at, bundle: JSON.parse(bundle) as unknown };
}

function statusOf(attached: Attached): number {
  if (attached.state === 'waiting') return 202;
  return attached.added ? 201 : 200;
}

function told(path: string, version: string, attached: Attached) {
  if (attached.state === 'waiting')
    return { path, version, state: 'waiting', until: new Date(attached.until).toISOString() };
  const { bundle: _, ...signature } = attached.signature;
  return { path, version, state: 'stored', added: attached.added, ...signature };
}

function bundleIn({ request }: Asked): Promise<string> {
  return uploadedText(request, MAX_BUNDLE, `A signature bundle has ${MAX_BUNDLE} bytes at most.`);
}
