import { demand } from '../access/demand.ts';
import { ANONYMOUS, type Principal } from '../access/principal.ts';
import { GokeepError } from '../errors.ts';
import type { Pages } from '../http/app.ts';
import type { Asked } from '../http/handler.ts';
import { parseLookup } from '../module/request-path.ts';
import { ADMIN_FORMS, ADMIN_PAGES } from './admin-pages.ts';
import { sendProblem } from './answer.ts';
import { answerApi } from './api.ts';
import { ASSETS_PREFIX, openAssets } from './assets.ts';
import { Attempts } from './attempts.ts';
import { BUNDLES } from './bundle-list.ts';
import { bundlePages } from './bundles.ts';
import { diffPage } from './diff-page.ts';
import { docPage } from './doc-page.ts';
import { modulesPage, searchPage } from './found.ts';
import { PREFIX } from './links.ts';
import { logPage, recordsPage } from './log-page.ts';
import { modulePage } from './module-page.ts';
import { type Held, Sessions } from './sessions.ts';
import { identified, signIn, signInPage, signOut } from './sign-in.ts';
import { finishSignIn, startSignIn } from './sign-in-people.ts';
import type { Site, SiteParts, Visit } from './site.ts';
import { sourcePage } from './source.ts';
import { setupPage } from './setup.ts';
import { startPage } from './start.ts';
import { statusPage } from './status-page.ts';

/** A page, below its address; an address that ends with a slash is the beginning of many. */
type Show = (site: Site, visit: Visit, rest: string) => void | Promise<void>;

const PAGES: readonly (readonly [address: string, show: Show])[] = [
  ['/ui', startPage],
  ['/ui/sign-in', signInPage],
  ['/ui/setup', setupPage],
  ['/ui/setup/', setupPage],
  ['/ui/sign-in/start', startSignIn],
  ['/ui/sign-in/callback', finishSignIn],
  ['/ui/search', searchPage],
  ['/ui/modules', modulesPage],
  [PREFIX.module, modulePage],
  [PREFIX.source, sourcePage],
  [PREFIX.doc, docPage],
  [PREFIX.diff, diffPage],
  [PREFIX.lookup, lookup],
  ['/ui/status', statusPage],
  ['/ui/log', logPage],
  ['/ui/log/records', recordsPage],
  ...ADMIN_PAGES,
  [BUNDLES, bundlePages],
  [`${BUNDLES}/`, bundlesBelow],
  [ASSETS_PREFIX, asset],
];

const FORMS: readonly (readonly [address: string, show: Show])[] = [
  ['/ui/sign-in', signIn],
  ['/ui/sign-out', signOut],
  ...ADMIN_FORMS,
  [`${BUNDLES}/`, bundlesBelow],
];

/**
 * Everything that people look at, and the API beside it. Nothing here writes, or asks upstream: a page shows what is held.
 */
export function openPages(parts: SiteParts): Pages {
  const site: Site = {
    ...parts,
    assets: openAssets(),
    sessions: new Sessions(parts.now),
    attempts: new Attempts(parts.now),
  };
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

/** Everything about bundles has a table of its own. */
function bundlesBelow(site: Site, visit: Visit, rest: string): Promise<void> {
  return bundlePages(site, visit, `/${rest}`);
}

/** Who has a session is whoever signed in; credentials of the request itself come first. */
async function visitOf(site: Site, asked: Asked): Promise<Visit> {
  const { request } = asked;
  const query = new URLSearchParams((request.url ?? '').split('?').slice(1).join('?'));
  const held = asked.principal.name === ANONYMOUS && site.asksWho ? site.sessions.held(request) : undefined;
  const { principal, called } = await behind(site, asked, held);
  site.exchange.isFrom(request, principal);
  return {
    ...asked,
    principal,
    query,
    signedIn: held !== undefined && principal.name !== ANONYMOUS,
    called,
    mayRead: (modulePath) => principal.may('read', modulePath),
  };
}

/** Whom a session stands for: a header is judged anew each time. */
async function behind(
  site: Site,
  { request, principal }: Asked,
  held: Held | undefined,
): Promise<{ principal: Principal; called?: string }> {
  if (held === undefined) return { principal };
  return typeof held === 'string' ? { principal: await identified(site.gate, request, held) } : held;
}

/** Named by their content, so they are kept for ever; those of another release are not here. */
function asset(site: Site, visit: Visit): void {
  const found = site.assets.find(visit.path);
  if (found === undefined) throw new GokeepError('not_found', 'there is no such file');
  const { contentType } = found;
  const zipped = takesGzip(visit.request.headers['accept-encoding']);
  site.exchange.text(visit, {
    kind: 'ui',
    status: 200,
    contentType,
    body: zipped ? found.gzipped : found.body,
    headers: [
      ...(zipped ? ['Content-Encoding', 'gzip'] : []),
      'Vary',
      'Accept-Encoding',
      'Cache-Control',
      'public, max-age=31536000, immutable',
      'Content-Security-Policy',
      "default-src 'none'",
    ],
  });
}

/** Whether gzip is named, and not refused by a weight of zero (RFC 9110, section 12.5.3). */
function takesGzip(accepted: string | string[] = ''): boolean {
  return String(accepted)
    .split(',')
    .some((each) => /^\s*gzip\s*(?:;\s*q\s*=\s*(?:1|0\.0*[1-9])[\d.]*\s*)?$/i.test(each));
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
