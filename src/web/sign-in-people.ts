import { GokeepError } from '../errors.ts';
import { errorBody } from '../http/error-body.ts';
import { statusOf } from '../http/status.ts';
import { redirect, sendRefused, sendUnkept } from './answer.ts';
import { html } from './html.ts';
import type { People } from './people.ts';
import { sessionCookie } from './sessions.ts';
import { isSecure, ownPage } from './sign-in.ts';
import type { Site, Visit } from './site.ts';

/** A cookie holds it. */
const LONGEST_NEXT = 1_000;

function peopleOf({ people, asksWho }: Site): People {
  if (people === undefined || !asksWho)
    throw new GokeepError('not_found', 'there is no page of this address');
  return people;
}

/** `/ui/sign-in/start?next=` sends a browser to the provider. A link and no form: a policy for forms would hold for redirects too. */
export async function startSignIn(site: Site, visit: Visit): Promise<void> {
  const people = peopleOf(site);
  try {
    const { to, secrets } = await people.begin();
    const asked = ownPage(visit.query.get('next'));
    const next = asked.length > LONGEST_NEXT ? '/ui/' : asked;
    redirect(site, visit, to, ['Set-Cookie', site.attempts.begin({ ...secrets, next }, isSecure(site))]);
  } catch (error) {
    sendNotSignedIn(site, visit, error);
  }
}

/**
 * `/ui/sign-in/callback`, where the provider sends the browser back to. Its address is anybody's to write: it counts only together with the
 * cookie of the browser that began.
 */
export async function finishSignIn(site: Site, visit: Visit): Promise<void> {
  const people = peopleOf(site);
  try {
    const attempt = site.attempts.of(visit.request);
    if (attempt === undefined)
      throw new GokeepError(
        'bad_request',
        'this sign-in was not begun in this browser, or too long ago; begin again',
      );
    const { principal, called } = await people.finish(visit.query.toString(), attempt);
    site.attempts.end(attempt);
    site.exchange.isFrom(visit.request, principal);
    // Always a new one: what a browser had before may have been put there by somebody else.
    site.sessions.close(visit.request);
    const cookie = sessionCookie(site.sessions.open({ principal, called }), isSecure(site));
    const main = html`<div class="problem"><h1>You are signed in</h1><p><a class="button" href="${attempt.next}">Go on</a></p></div>`;
    // A page that goes on by itself, and no redirect: on one that another site began the browser would not send the new cookie.
    const page = { title: 'Signed in', main, goesOnTo: attempt.next };
    sendUnkept(site, { ...visit, principal, called, signedIn: true }, page, ['Set-Cookie', cookie]);
  } catch (error) {
    sendNotSignedIn(site, visit, error);
  }
}

/** One sentence for the person; the request log has the rest. */
function sendNotSignedIn(site: Site, visit: Visit, error: unknown): void {
  if (!(error instanceof GokeepError) || visit.response.headersSent) throw error;
  const said = errorBody(error).replaceAll('\n', ' ');
  const sentence = `${said.charAt(0).toUpperCase()}${said.slice(1)}.`;
  const main = html`<div class="problem"><p class="code" aria-hidden="true">${statusOf(error)}</p><h1>You are not signed in</h1><p>${sentence}</p>
<p><a class="button" href="/ui/sign-in">To the sign-in</a></p></div>`;
  sendRefused(site, visit, { title: 'Not signed in', main }, error, statusOf(error));
}
