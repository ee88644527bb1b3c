import { createHash } from 'node:crypto';
import { Unidentified } from '../access/demand.ts';
import { GokeepError } from '../errors.ts';
import { errorBody } from '../http/error-body.ts';
import { statusOf } from '../http/status.ts';
import { type Html, html } from './html.ts';
import { layout, type Page } from './layout.ts';
import type { Site, Visit } from './site.ts';

/**
 * Nothing that came out of a module can run, load or frame anything, even if it got past the escaping: only our own files do.
 * Trusted types take the DOM's ways to make HTML of text away from our own script.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = [
  'Content-Security-Policy',
  POLICY,
  'Referrer-Policy',
  'same-origin',
  'Cross-Origin-Opener-Policy',
  'same-origin',
  'Cross-Origin-Resource-Policy',
  'same-origin',
] as const;

const HTML_TYPE = 'text/html; charset=utf-8';

/** If-None-Match (RFC 9110, section 13.1.2), for an answer that is made anew each time. */
export function isCurrent(visit: Pick<Visit, 'request'>, etag: string): boolean {
  const tags = visit.request.headers['if-none-match'];
  return tags?.split(',').some((tag) => [etag, '*'].includes(tag.trim().replace(/^W\//, ''))) ?? false;
}

export const etagOf = (body: string): string =>
  `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;

/** A page is asked for again each time, and sent again only where it has changed. Nobody but the reader keeps it. */
export function sendPage(site: Site, visit: Visit, page: Page): void {
  const body = layout(site, visit, page).toString();
  const etag = etagOf(body);
  const fresh = isCurrent(visit, etag);
  site.exchange.text(visit, {
    kind: 'ui',
    status: fresh ? 304 : 200,
    contentType: HTML_TYPE,
    body: fresh ? '' : body,
    headers: [...HEADERS, 'Cache-Control', 'private, no-cache', 'ETag', etag, 'Vary', 'Accept, Cookie'],
  });
}

/** A page that is for this moment and this reader only: nothing keeps it. */
export function sendUnkept(site: Site, visit: Visit, page: Page, headers: readonly string[] = []): void {
  site.exchange.text(visit, {
    kind: 'ui',
    status: 200,
    contentType: HTML_TYPE,
    body: layout(site, visit, page).toString(),
    headers: [...HEADERS, 'Cache-Control', 'no-store', ...headers],
  });
}

/** A page that tells of an error of the reader's, such as a form that was filled in wrongly. */
export function sendRefused(site: Site, visit: Visit, page: Page, error: GokeepError, status = 422): void {
  const body = layout(site, visit, page).toString();
  const headers = [...HEADERS, 'Cache-Control', 'no-store'];
  site.exchange.text(visit, { kind: 'ui', status, contentType: HTML_TYPE, body, headers }, error);
}

export function redirect(site: Site, visit: Visit, to: string, headers: readonly string[] = []): void {
  site.exchange.text(visit, {
    kind: 'ui',
    status: 303,
    contentType: HTML_TYPE,
    body: '',
    headers: ['Location', to, 'Cache-Control', 'no-store', ...HEADERS, ...headers],
  });
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'That is no request for a page',
  401: 'Sign in to read this',
  403: 'Not for you to read',
  404: 'Not here',
  503: 'Not now',
};

/** What went wrong, as a page. A refusal says the same whether what was asked for exists or not. */
export function sendProblem(site: Site, visit: Visit, error: unknown): void {
  const status = statusOf(error);
  const title = TITLES[status] ?? (status < 500 ? 'That cannot be done' : 'Something failed here');
  const main = html`<div class="problem"><p class="code" aria-hidden="true">${status}</p><h1>${title}</h1>${explained(site, visit, error, status)}</div>`;
  // No Basic: a browser would ask for a name and password, over and over.
  const challenge = status === 401 ? ['WWW-Authenticate', 'Bearer realm="gokeep"'] : [];
  site.exchange.text(
    visit,
    {
      kind: 'ui',
      status,
      contentType: HTML_TYPE,
      body: layout(site, visit, { title, main }).toString(),
      headers: [...HEADERS, 'Cache-Control', 'no-store', ...challenge],
    },
    error,
  );
}

function explained(site: Site, visit: Visit, error: unknown, status: number): Html {
  if (status === 401 && visit.principal instanceof Unidentified && site.asksWho) {
    const back = `${visit.path}${visit.query.size === 0 ? '' : `?${visit.query.toString()}`}`;
    return html`<p>Modules are for those who may read them here. Sign in with the token that your operator gave you.</p>
<p><a class="button" href="/ui/sign-in?next=${encodeURIComponent(back)}">Sign in</a></p>`;
  }
  const said = errorBody(error).replaceAll('\n', ' ');
  const sentence = error instanceof GokeepError ? said : 'The gokeep server failed; its log says why.';
  return html`<p>${asSentence(sentence)}</p><p><a href="/ui/">Start page</a> · <a href="/ui/modules">All modules</a></p>`;
}

/** With a capital, but where it begins with a module path, which would be another one. */
const asSentence = (text: string): string =>
  /^[a-z'’]+[ ,:;]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
