import { GokeepError, hasCode } from '../errors.ts';
import { checkVulndbName, type VulndbName } from '../vulndb/rules.ts';
import type { Handler } from './handler.ts';
import type { Responder } from './respond.ts';

export const VULNDB_PREFIX = '/vulndb/';

/** Seconds that a cache may keep a file: after an import, index and entries should soon be of one copy everywhere. */
const MAX_AGE = 300;

/** What the store of imported copies offers (store/vulndb-store.ts). */
export interface ServedVulndb {
  current(): string | undefined;
  read(name: string): Promise<Buffer | undefined>;
}

/**
 * `/vulndb/index/….json[.gz]` and `/vulndb/ID/<id>.json[.gz]`, for `govulncheck -db` and gopls's GOVULNDB
 * (https://go.dev/security/vuln/database#api). The gzip ones are files: no Content-Encoding says that anybody may unpack them
 * on the way.
 */
export function vulndbHandler(store: ServedVulndb, responder: Responder): Handler {
  return async ({ request, response, startedAt, path }) => {
    const asked = path.slice(VULNDB_PREFIX.length);
    const { gzipped } = requestedFile(asked);
    const body = await store.read(asked);
    if (body === undefined) throw absent(asked, store);
    const answer = { kind: 'bytes', body, origin: 'store', immutable: false } as const;
    const contentType = gzipped ? 'application/gzip' : 'application/json';
    const label = {
      kind: 'vulndb',
      contentType,
      isPrivate: false,
      reads: 'nothing',
      maxAge: MAX_AGE,
    } as const;
    await responder.send(request, response, startedAt, answer, label);
  };
}

/** The path is attacker-controlled and still escaped: a name with an escape in it is none. */
function requestedFile(asked: string): VulndbName {
  try {
    return checkVulndbName(asked);
  } catch (error) {
    if (!hasCode(error, 'bad_request')) throw error;
    throw new GokeepError('not_found', error.message, { cause: error });
  }
}

function absent(asked: string, store: ServedVulndb): GokeepError {
  return new GokeepError(
    'not_found',
    store.current() === undefined
      ? 'no vulnerability database was imported here; make a bundle with --vulndb on the connected side and import it'
      : `the vulnerability database imported here has no ${asked}`,
  );
}
