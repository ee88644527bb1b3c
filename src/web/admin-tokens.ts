import { parseLifetime, stateOf } from '../access/new-token.ts';
import { useOf } from '../audit/token-use.ts';
import { GokeepError, hasCode } from '../errors.ts';
import { uploadedText } from '../http/upload.ts';
import type { StoredToken } from '../store/token-table.ts';
import type { TokenUses } from '../store/token-use-table.ts';
import { adminTabs, demandAdministrator, demandTokenChanges } from './administration.ts';
import { redirect, sendRefused, sendUnkept } from './answer.ts';
import { type Html, html, type Part } from './html.ts';
import { withQuery } from './links.ts';
import { counted, day } from './present.ts';
import { rowsOf, rowsPager, table } from './rows.ts';
import { checkSameOrigin } from './same-origin.ts';
import type { Site, Visit } from './site.ts';
import { tokenForm } from './token-form.ts';
import { rights } from './token-rights.ts';
import { madePage } from './token-made.ts';

const ADDRESS = '/ui/admin/tokens';
const REVOKE = '/ui/admin/tokens/revoke';
const A_PAGE = 50;
/** Rights may be long lists. */
const MAX_BODY = 64 * 1024;
const TITLE = 'Tokens';

const NOT_NEEDED = html`<div class="note"><p><strong>No token is needed here.</strong> This server asks nobody who they are: whoever reaches it may read everything on it.</p>
<p>Tokens count once <code>access.required</code> is set. Until then they are made and revoked on the host, by <code>gokeep token</code>: one that anybody could make now would still be good then.</p></div>`;

/** `/ui/admin/tokens`: all of them, and a form for another. */
export function tokensPage(site: Site, visit: Visit): void {
  demandAdministrator(site, visit);
  sendUnkept(site, visit, {
    title: TITLE,
    place: 'admin',
    main: listed(site, visit, new URLSearchParams(), undefined),
  });
}

function listed(site: Site, visit: Visit, filled: URLSearchParams, problem: string | undefined): Part {
  const { tokens } = demandAdministrator(site, visit);
  const now = site.now();
  const all = tokens.all().toSorted((a, b) => rank(a, now) - rank(b, now) || b.created - a.created);
  const active = all.filter((token) => stateOf(token, now) === 'active').length;
  const uses = tokens.uses();
  const shown = rowsOf(all, visit, A_PAGE, (token) => tokenRow(site, token, uses));
  const head = [
    'Name',
    'May',
    'Created',
    'Expires',
    'Last used',
    html`<th scope="col"><span class="hidden">Actions</span></th>`,
  ];
  return html`${adminTabs('tokens')}
<div class="head"><h1>Tokens</h1><p class="quiet">${counted(active, 'active token')}</p></div>
${!site.asksWho && NOT_NEEDED}
${all.length === 0 ? html`<p class="empty">There are no tokens yet.</p>` : table('Tokens', head, shown.rows)}
${rowsPager(shown, ADDRESS)}
${site.asksWho && tokenForm(filled, problem)}`;
}

const rank = (token: StoredToken, now: number): number => (stateOf(token, now) === 'active' ? 0 : 1);

function tokenRow({ now, asksWho }: Site, token: StoredToken, uses: TokenUses | undefined): Html {
  const { id, name, created, expires, revoked } = token;
  const state = stateOf(token, now());
  const until = expires === undefined ? html`<span class="quiet">never</span>` : day(expires);
  const { lastUsed, usesNotedSince } = useOf(token, uses);
  const unused = usesNotedSince === null ? 'not known' : `not since ${usesNotedSince}`;
  const used =
    lastUsed ??
    html`<span class="quiet">${uses !== undefined && created >= uses.since ? 'never' : unused}</span>`;
  return html`<tr><th scope="row" class="any">${name} ${state !== 'active' && html`<span class="tag">${state}${revoked !== undefined && html` ${day(revoked)}`}</span>`}<div class="quiet small">${id}</div></th><td class="any">${rights(token)}</td><td>${day(created)}</td><td>${until}</td><td>${used}</td><td>${state === 'active' && asksWho && html`<a href="${withQuery(REVOKE, { id })}" aria-label="Revoke ${name}">Revoke</a>`}</td></tr>
`;
}

/** `POST /ui/admin/tokens` makes one, and shows it: this once. */
export async function makeToken(site: Site, visit: Visit): Promise<void> {
  const { tokens } = demandTokenChanges(site, visit);
  checkSameOrigin(site, visit.request);
  const fields = new URLSearchParams(
    await uploadedText(visit.request, MAX_BODY, 'That is too much for a token.'),
  );
  try {
    const made = await tokens.create(wantedBy(fields), site.exchange.actor(visit));
    const { stored, token } = made;
    sendUnkept(site, visit, { title: stored.name, place: 'admin', main: madePage(site, stored, token) });
  } catch (error) {
    if (!hasCode(error, 'bad_request')) throw error;
    const said = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1).replace(/\.$/, '')}.`;
    sendRefused(
      site,
      visit,
      { title: TITLE, place: 'admin', main: listed(site, visit, fields, said) },
      error,
    );
  }
}

/** What a form says that somebody wants. Throws bad_request. */
function wantedBy(fields: URLSearchParams) {
  const name = (fields.get('name') ?? '').trim();
  if (name === '')
    throw new GokeepError(
      'bad_request',
      'give the token a name, by which you find it again in lists and logs',
    );
  const lifetime = parseLifetime(fields.get('expires') ?? '');
  if (lifetime === undefined)
    throw new GokeepError('bad_request', 'say how long the token is to live: 90d, 12h or never');
  const patterns = (right: string) =>
    (fields.get(right) ?? '').split(/[\s,]+/).filter((pattern) => pattern !== '');
  return {
    name,
    grants: { read: patterns('read'), publish: patterns('publish'), admin: patterns('admin') },
    lifetime,
  };
}

/** `/ui/admin/tokens/revoke?id=` asks once more. */
export function revokePage(site: Site, visit: Visit): void {
  const { tokens } = demandTokenChanges(site, visit);
  const token = tokens.all().find(({ id, revoked }) => id === visit.query.get('id') && revoked === undefined);
  if (token === undefined) throw noSuch();
  const { lastUsed } = useOf(token, tokens.uses());
  const main = html`${adminTabs('tokens')}<div class="narrow stack">
<h1>Revoke ${token.name}?</h1>
<p>Whoever uses it is refused from then on, and whoever signed in with it is signed out. It cannot be undone: make another token instead.</p>
<dl class="facts card"><div><dt>May</dt><dd>${rights(token)}</dd></div>
<div><dt>Created</dt><dd>${day(token.created)}</dd></div>
<div><dt>Last used</dt><dd>${lastUsed ?? 'not that we know'}</dd></div></dl>
<form method="post" action="${REVOKE}" class="choice"><input type="hidden" name="id" value="${token.id}">
<button class="danger">Revoke</button> <a href="${ADDRESS}">Keep it</a></form></div>`;
  sendUnkept(site, visit, { title: `Revoke ${token.name}`, place: 'admin', main });
}

/** `POST /ui/admin/tokens/revoke` does it. */
export async function revokeToken(site: Site, visit: Visit): Promise<void> {
  const { tokens } = demandTokenChanges(site, visit);
  checkSameOrigin(site, visit.request);
  const id =
    new URLSearchParams(await uploadedText(visit.request, MAX_BODY, 'That is too much.')).get('id') ?? '';
  // By its id alone: the name may be another's by now.
  if (!tokens.all().some((token) => token.id === id)) throw noSuch();
  if ((await tokens.revoke(id, site.exchange.actor(visit))) === undefined) throw noSuch();
  redirect(site, visit, ADDRESS);
}

function noSuch(): GokeepError {
  return new GokeepError('not_found', 'there is no such token that could be revoked');
}
