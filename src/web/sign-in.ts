import type { IncomingMessage } from 'node:http';
import { Unidentified } from '../access/demand.ts';
import { GokeepError } from '../errors.ts';
import type { Gate } from '../http/gate.ts';
import { uploadedText } from '../http/upload.ts';
import { redirect, sendPage, sendRefused } from './answer.ts';
import { html, type Part } from './html.ts';
import { SESSION_MS, sessionCookie } from './sessions.ts';
import type { Site, Visit } from './site.ts';

/** A JWT has about 2 KiB. */
const MAX_BODY = 16 * 1024;

/** Who a header stands for, as if this request had sent it. */
export async function identified(gate: Gate, { socket }: IncomingMessage, authorization: string) {
  const request = { headers: { authorization }, socket };
  return gate.known(request) ?? (await gate.identify(request));
}

export function signInPage(site: Site, visit: Visit): void {
  const main = site.asksWho
    ? form(site, visit, undefined)
    : html`<h1>No need to sign in</h1><p>Whoever reaches this server may read everything on it.</p>`;
  sendPage(site, visit, { title: 'Sign in', main });
}

function form(site: Site, { query, signedIn, principal }: Visit, problem: string | undefined): Part {
  return html`<div class="narrow">
<h1>Sign in</h1>
${signedIn && html`<p>You are signed in as <strong>${principal.name}</strong>. Another token takes its place.</p>`}
${isOverheard(site) && html`<p class="alert warn">This connection is not encrypted: whoever is on the way can read the token. Ask your operator for an https address.</p>`}
${problem !== undefined && html`<p class="alert" id="problem" role="alert">${problem}</p>`}
<form method="post" action="/ui/sign-in" class="stack">
<input type="hidden" name="next" value="${ownPage(query.get('next'))}">
<label for="token">Token</label>
<input id="token" name="token" type="password" required autocomplete="current-password" spellcheck="false"${problem !== undefined && html` aria-invalid="true" aria-describedby="problem"`}>
<p class="quiet">The one from your netrc: <code>gokeep_…</code>. It is kept on the server for ${SESSION_MS / 3_600_000} hours at most, in memory; your browser keeps a random number in its place.</p>
<p><button class="button">Sign in</button></p>
</form></div>`;
}

/**
 * `POST /ui/sign-in` with a token opens a session.
 *
 * @throws bad_request for a form that another site sent
 */
export async function signIn(site: Site, visit: Visit): Promise<void> {
  checkSameOrigin(site, visit.request);
  const fields = new URLSearchParams(await bodyOf(visit));
  const next = ownPage(fields.get('next'));
  const authorization = `Bearer ${(fields.get('token') ?? '').trim()}`;
  const principal = await identified(site.gate, visit.request, authorization);
  if (principal instanceof Unidentified) {
    const problem = principal.problem();
    if (problem.code !== 'unauthenticated') throw problem;
    const again = { ...visit, query: new URLSearchParams({ next }) };
    const main = form(site, again, saidOf(problem.message));
    return sendRefused(site, again, { title: 'Sign in', main }, problem);
  }
  site.sessions.close(visit.request);
  redirect(site, visit, next, [
    'Set-Cookie',
    sessionCookie(site.sessions.open(authorization), isSecure(site)),
  ]);
}

/** Other than to `go`, netrc is nothing to a browser. */
function saidOf(message: string): string {
  if (!message.startsWith('the token sent')) return 'That is no token of this gokeep.';
  return `T${message.slice(1).replace(/: put a token.*$/, '')}.`;
}

/** `POST /ui/sign-out` ends a session. */
export function signOut(site: Site, visit: Visit): void {
  checkSameOrigin(site, visit.request);
  site.sessions.close(visit.request);
  redirect(site, visit, '/ui/', ['Set-Cookie', sessionCookie(undefined, isSecure(site))]);
}

const isSecure = ({ settings }: Site): boolean => settings().url.startsWith('https:');

/** Others than this machine can be on the way, and nothing is encrypted. */
function isOverheard({ settings }: Site): boolean {
  const { url } = settings();
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

/** Where to go afterwards: a page of ours, whatever the address says. */
function ownPage(next: string | null): string {
  return next !== null && /^\/ui\/[\x21-\x5b\x5d-\x7e]*$/.test(next) && !next.includes('//') ? next : '/ui/';
}

/** A browser says which page sent a form. What does not say so is no browser, and needs no session. */
export function checkSameOrigin({ settings }: Site, { headers }: IncomingMessage): void {
  const site = headers['sec-fetch-site'];
  const { origin } = headers;
  const from = origin !== undefined && URL.canParse(origin) ? new URL(origin).host : undefined;
  const { url } = settings();
  const ours = [headers.host ?? headers[':authority'], URL.canParse(url) ? new URL(url).host : undefined];
  const isOurs = from !== undefined && ours.includes(from);
  if (isOurs && (site === undefined || site === 'same-origin')) return;
  throw new GokeepError('refused', 'Only a form of this server itself signs anybody in or out.');
}

function bodyOf({ request }: Visit): Promise<string> {
  return uploadedText(request, MAX_BODY, 'That is too long to be a token.');
}
