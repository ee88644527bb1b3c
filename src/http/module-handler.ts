import type { ModuleRequest } from '../module/request-path.ts';
import { parseModuleRequest } from '../module/request-path.ts';
import type { FindOptions } from '../proxy/module-files.ts';
import type { ModuleProxy } from '../proxy/module-proxy.ts';
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
  readonly isPrivate: (path: string) => boolean;
  /** Milliseconds that a refreshable answer may be given again. */
  readonly refreshTtl: number;
}

/** The GOPROXY protocol: `/<escaped module>/@v/…` and `/<escaped module>/@latest`. */
export function moduleHandler(o: ModuleHandlerOptions): Handler {
  const maxAge = Math.floor(o.refreshTtl / 2000);
  return async ({ request, response, startedAt, path, cachedOnly, signal }) => {
    const asked = parseModuleRequest(path);
    const find: FindOptions = { cachedOnly, signal };
    const answer = await o.proxy.find(asked, find);
    const label: Label = {
      kind: asked.kind,
      contentType: CONTENT_TYPES[asked.kind],
      isPrivate: o.isPrivate(asked.path),
      maxAge,
    };
    await o.responder.send(request, response, startedAt, answer, label);
  };
}
