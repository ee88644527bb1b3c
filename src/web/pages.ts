import { demand } from '../access/demand.ts';
import { ANONYMOUS } from '../access/principal.ts';
import { GokeepError } from '../errors.ts';
import type { Pages } from '../http/app.ts';
import type { Asked } from '../http/handler.ts';
import { parseLookup } from '../module/request-path.ts';
import { sendProblem } from './answer.ts';
import { answerApi } from './api.ts';
import { ASSETS_PREFIX, openAssets } from './assets.ts';
import { diffPage } from './diff-page.ts';
import { docPage } from './doc-page.ts';
import { modulesPage, searchPage } from './found.ts';
import { PREFIX } from './links.ts';
import { logPage, recordsPage } from './log-page.ts';
import { modulePage } from './module-page.ts';
import { Sessions } from './sessions.ts';
import { identified, signIn, signInPage, signOut } from './sign-in.ts';
import type { Site, SiteParts, Visit } from './site.ts';
import { sourcePage } from './source.ts';
import { startPage } from './start.ts';

/** A page, below its address; an address that ends with a slash is the beginning of many. */
type Show = (site: Site, visit: Visit, rest: string) => void | Promise<void>;

const PAGES: readonly (readonly [address: string, show: Show])[] = [
  ['/ui', startPage],
  ['/ui/sign-in', signInPage],
  ['/ui/search', searchPage],
  ['/ui/modules', modulesPage],
  [PREFIX.module, modulePage],
  [PREFIX.source, sourcePage],
  [PREFIX.doc, docPage],
  [PREFIX.diff, diffPage],
  [PREFIX.lookup, lookup],
  ['/ui/log', logPage],
  ['/ui/log/records', recordsPage],
  [ASSETS_PREFIX, asset],
];

const FORMS: readonly (readonly [address: string, show: Show])[] = [
  ['/ui/sign-in', signIn],
  ['/ui/sign-out', signOut],
];

/**
 * Everything that people look at, and the API beside it. Nothing here writes, or asks upstream: a page shows what is held.
 */
export function openPages(parts: SiteParts): Pages {
  const site: Site = { ...parts, assets: openAssets(), sessions: new Sessions(parts.now) };
  return {
    start: async (asked) => startPage(site, await visitOf(site, asked)),
    ui: async (asked) => {
      const visit = await visitOf(site, asked);
      try {
        await shown(site, visit);
      } catch (error) {
        // What was begun cannot be taken back; the exchange breaks it off.
        if (visit.response.headersSent) throw error;
        sendProblem(site, visit, error);
      }
    },
    api: async (asked) => answerApi(site, await visitOf(site, asked)),
  };
}

async function shown(site: Site, visit: Visit): Promise<void> {
  const address = visit.path === '/ui/' ? '/ui' : visit.path;
  for (const [name, show] of visit.request.method === 'POST' ? FORMS : PAGES) {
    if (name.endsWith('/') ? !address.startsWith(name) : address !== name) continue;
    await show(site, visit, address.slice(name.length));
    return;
  }
  throw new GokeepError('not_found', 'there is no page of this address');
}

/** Who has a session is whoever signed in; credentials of the request itself come first. */
async function visitOf(site: Site, asked: Asked): Promise<Visit> {
  const { request } = asked;
  const query = new URLSearchParams((request.url ?? '').split('?').slice(1).join('?'));
  const authorization =
    asked.principal.name === ANONYMOUS && site.asksWho ? site.sessions.authorization(request) : undefined;
  const principal =
    authorization === undefined ? asked.principal : await identified(site.gate, request, authorization);
  site.exchange.isFrom(request, principal);
  return {
    ...asked,
    principal,
    query,
    signedIn: authorization !== undefined && principal.name !== ANONYMOUS,
    mayRead: (modulePath) => principal.may('read', modulePath),
  };
}

/** Named by their content, so they are kept for ever; those of another release are not here. */
function asset(site: Site, visit: Visit): void {
  const found = site.assets.find(visit.path);
  if (found === undefined) throw new GokeepError('not_found', 'there is no such file');
  const { contentType, body } = found;
  site.exchange.text(visit, {
    kind: 'ui',
    status: 200,
    contentType,
    body,
    headers: [
      'Cache-Control',
      'public, max-age=31536000, immutable',
      'Content-Security-Policy',
      "default-src 'none'",
    ],
  });
}

/** The answer of the checksum database, for who is signed in by a cookie, which does not go there. Admits nothing. */
function lookup(site: Site, visit: Visit, rest: string): void {
  const { path, version } = parseLookup(rest);
  demand(visit.principal, 'read', path);
  const record = site.reader.find(path, version);
  if (record === undefined) throw new GokeepError('not_found', `${path}@${version} is not on record here`);
  site.exchange.text(visit, {
    kind: 'ui',
    status: 200,
    contentType: 'text/plain; charset=utf-8',
    body: site.reader.lookupBody(record),
  });
}
