import { demandAll } from '../access/demand.ts';
import type { HeadsOnRecord } from '../audit/heads-on-record.ts';
import type { TokenChanges } from '../audit/token-changes.ts';
import type { TrailPages } from '../audit/trail-pages.ts';
import { GokeepError } from '../errors.ts';
import { FORWARDED } from '../http/may-publish.ts';
import { html, type Part } from './html.ts';
import { isOwnHost } from './same-origin.ts';
import type { Site, Visit } from './site.ts';

/** What administrators look at and change. */
export interface Administration {
  readonly tokens: Pick<TokenChanges, 'all' | 'uses' | 'create' | 'revoke'>;
  readonly trail: Pick<TrailPages, 'head' | 'page' | 'entry'>;
  /** Undefined in a replica, which signs no log. */
  readonly heads: Pick<HeadsOnRecord, 'newest' | 'covering'> | undefined;
  /** Nothing but this machine can reach the server, by its configuration. */
  readonly fromHereOnly: boolean;
}

/** On a server that asks nobody who he is: somebody on this machine, by a name of ours, and behind no front server. */
function isHere(site: Site, { request }: Visit): boolean {
  const isForwarded = FORWARDED.some((name) => request.headers[name] !== undefined);
  return site.admin?.fromHereOnly === true && !isForwarded && isOwnHost(site, request);
}

/** Whether {@link demandAdministrator} lets somebody through. */
export function isAdministrator(site: Site, visit: Visit): boolean {
  if (site.admin === undefined || !visit.principal.mayAll('admin')) return false;
  return site.asksWho || isHere(site, visit);
}

/**
 * Lets through who may administer everything; before anything is looked up.
 *
 * @throws unauthenticated, forbidden; refused where nobody is asked who he is, and it is not somebody on this machine
 */
export function demandAdministrator(site: Site, visit: Visit): Administration {
  demandAll(visit.principal, 'admin');
  if (site.admin === undefined) throw new GokeepError('not_found', 'there is no administration here');
  if (site.asksWho || isHere(site, visit)) return site.admin;
  throw new GokeepError(
    'refused',
    'this server asks nobody who they are, so it shows tokens and the audit trail on its own machine only: open it there as localhost, or have access.required set',
  );
}

/**
 * The same for who changes tokens. A token that somebody made while everybody might would still be good once access is required.
 *
 * @throws also refused, where nobody is asked who he is
 */
export function demandTokenChanges(site: Site, visit: Visit): Administration {
  const admin = demandAdministrator(site, visit);
  if (site.asksWho) return admin;
  throw new GokeepError(
    'refused',
    'this server asks nobody who they are, so it neither makes nor revokes tokens for whoever reaches it: use gokeep token on the host',
  );
}

const PLACES = [
  ['tokens', '/ui/admin/tokens', 'Tokens'],
  ['audit', '/ui/admin/audit', 'Audit trail'],
] as const;

/** What every page of it begins with. */
export function adminTabs(here: 'tokens' | 'audit'): Part {
  return html`<nav class="tabs admin" aria-label="Administration">${PLACES.map(
    ([place, address, title]) =>
      html`<a href="${address}"${place === here && html` aria-current="page"`}>${title}</a>`,
  )}</nav>`;
}
