import { demand } from '../access/demand.ts';
import type { ModuleRequest } from '../module/request-path.ts';
import { isCanonicalRequest, parseModuleRequest } from '../module/request-path.ts';
import type { Answer } from '../proxy/answer.ts';
import type { FindOptions } from '../proxy/module-files.ts';
import type { ModuleProxy } from '../proxy/module-proxy.ts';
import type { Served, ServedMark } from '../proxy/served.ts';
import type { Wishes } from '../proxy/wishes.ts';
import type { Handler } from './handler.ts';
import type { Label, Responder } from './respond.ts';

const CONTENT_TYPES: Readonly<Record<ModuleRequest['kind'], string>> = {
  list: 'text/plain; charset=utf-8',
  latest: 'application/json',
  info: 'application/json',
  mod: 'text/plain; charset=utf-8',
  zip: 'application/zip',
};

export interface ModuleHandlerOptions {
  readonly proxy: ModuleProxy;
  readonly responder: Responder;
  /** No shared cache may keep what is asked of this path. */
  readonly isPrivate: (path: string) => boolean;
  /** Milliseconds that a refreshable answer may be given again. */
  readonly refreshTtl: number;
  readonly served: Served;
  /** Where the server answers from its store only. */
  readonly wishes: Wishes | undefined;
}

/** The GOPROXY protocol: `/<escaped module>/@v/…` and `/<escaped module>/@latest`. */
export function moduleHandler(o: ModuleHandlerOptions): Handler {
  const maxAge = Math.floor(o.refreshTtl / 2000);
  return async ({ request, response, startedAt, path, cachedOnly, principal, signal }) => {
    const asked = parseModuleRequest(path);
    demand(principal, 'read', asked.path);
    const find: FindOptions = { cachedOnly, signal };
    let answer: Answer;
    try {
      answer = await o.proxy.find(asked, find);
    } catch (error) {
      // Who wants what is stored, and nothing else, wishes for nothing.
      throw cachedOnly ? error : (o.wishes?.instead(error, asked) ?? error);
    }
    const served = servedFile(asked, answer);
    const label: Label = {
      kind: asked.kind,
      contentType: CONTENT_TYPES[asked.kind],
      isPrivate: o.isPrivate(asked.path),
      reads: { path: asked.path },
      maxAge,
      served,
    };
    await o.responder.send(request, response, startedAt, answer, label);
    // 200, 206 or 304; a range that cannot be had is none of them.
    if (served !== undefined && response.statusCode < 400) o.served.note(served, principal);
  };
}

/** The file of a module version that an answer is; undefined for lists, queries and what stands in for a file. */
function servedFile(asked: ModuleRequest, answer: Answer): ServedMark | undefined {
  if (!('version' in asked) || !isCanonicalRequest(asked)) return undefined;
  if (answer.kind === 'bytes' && !answer.immutable) return undefined;
  const { path, version, kind } = asked;
  return { path, version, kind, day: -1, to: '' };
}
