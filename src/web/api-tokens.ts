import { DEFAULT_LIFETIME, parseLifetime, stateOf, type WantedToken } from '../access/new-token.ts';
import { useOf } from '../audit/token-use.ts';
import { GokeepError } from '../errors.ts';
import { BROWSER } from '../http/may-publish.ts';
import { uploadedText } from '../http/upload.ts';
import type { StoredToken } from '../store/token-table.ts';
import type { TokenUses } from '../store/token-use-table.ts';
import { demandAdministrator, demandTokenChanges } from './administration.ts';
import type { Site, Visit } from './site.ts';

const MAX_BODY = 64 * 1024;

/** What a change is answered with. */
export interface Changed {
  readonly status: 200 | 201;
  readonly body: unknown;
}

/** `GET /api/v1/tokens`: what is known of them, oldest first. */
export function listTokens(site: Site, visit: Visit, limit: number, after: string | undefined) {
  const { tokens } = demandAdministrator(site, visit);
  const all = tokens.all();
  const start = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0)
    throw new GokeepError('bad_request', 'after is the next of the page before');
  const found = all.slice(start, start + limit);
  const uses = tokens.uses();
  return {
    tokens: found.map((token) => shown(token, uses, site.now())),
    total: all.length,
    next: start + limit < all.length ? found.at(-1)?.id : undefined,
  };
}

/** `POST /api/v1/tokens` makes one. The answer is the only one that has it. */
export async function createToken(site: Site, visit: Visit): Promise<Changed> {
  const { tokens } = demandTokenChanges(site, visit);
  checkNoBrowser(visit);
  if (!/^application\/json *(?:;|$)/i.test(visit.request.headers['content-type'] ?? ''))
    throw new GokeepError('bad_request', 'send JSON, and say so: Content-Type: application/json');
  const text = await uploadedText(visit.request, MAX_BODY, 'that is too much for a token');
  const { token, stored } = await tokens.create(wantedBy(text), site.exchange.actor(visit));
  return { status: 201, body: { token, ...shown(stored, undefined, site.now()) } };
}

/** `DELETE /api/v1/tokens/<name or id>` revokes one. */
export async function deleteToken(site: Site, visit: Visit, rest: string): Promise<Changed> {
  const { tokens } = demandTokenChanges(site, visit);
  checkNoBrowser(visit);
  const revoked = await tokens.revoke(decoded(rest), site.exchange.actor(visit));
  if (revoked === undefined)
    throw new GokeepError('not_found', 'there is no such token that could be revoked');
  return { status: 200, body: { ...revoked, state: 'revoked' } };
}

/** A browser sends credentials that it has by itself, for a page from anywhere; and a session is for pages. */
function checkNoBrowser({ request, signedIn }: Visit): void {
  if (!signedIn && BROWSER.every((name) => request.headers[name] === undefined)) return;
  throw new GokeepError(
    'refused',
    'tokens are changed over the API by programs with credentials of their own; in a browser use /ui/admin/tokens',
  );
}

function shown(token: StoredToken, uses: TokenUses | undefined, now: number) {
  const { id, name, read, publish, admin, created, expires, revoked } = token;
  const time = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());
  const { lastUsed, usesNotedSince } = useOf(token, uses);
  return {
    id,
    name,
    state: stateOf(token, now),
    read,
    publish,
    admin,
    created: time(created),
    expires: time(expires),
    revoked: time(revoked),
    lastUsed: lastUsed ?? undefined,
    usesNotedSince: usesNotedSince ?? undefined,
  };
}

const FIELDS = ['name', 'read', 'publish', 'admin', 'expires'];

/** The client's. Throws bad_request. */
function wantedBy(text: string): WantedToken {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new GokeepError(
      'bad_request',
      'send a JSON object: {"name": "ci", "read": ["corp.example/*"], "expires": "90d"}',
    );
  const fields = new Map<string, unknown>(Object.entries(value));
  const unknown = [...fields.keys()].find((name) => !FIELDS.includes(name));
  if (unknown !== undefined)
    throw new GokeepError(
      'bad_request',
      `${JSON.stringify(unknown)} is nothing that a token has; there are ${FIELDS.join(', ')}`,
    );
  const name = fields.get('name');
  if (name !== undefined && typeof name !== 'string')
    throw new GokeepError('bad_request', 'name is a string');
  return {
    name,
    grants: {
      read: patterns(fields, 'read'),
      publish: patterns(fields, 'publish'),
      admin: patterns(fields, 'admin'),
    },
    lifetime: lifetimeOf(fields.get('expires')),
  };
}

function patterns(fields: ReadonlyMap<string, unknown>, name: string): string[] {
  const value = fields.get(name) ?? [];
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw new GokeepError('bad_request', `${name} is a list of GOPRIVATE patterns, each a string`);
}

function lifetimeOf(value: unknown): WantedToken['lifetime'] {
  if (value === undefined) return DEFAULT_LIFETIME;
  const lifetime = typeof value === 'string' ? parseLifetime(value) : undefined;
  if (lifetime === undefined)
    throw new GokeepError(
      'bad_request',
      'expires is days or hours from now, such as "90d" or "12h", or "never"',
    );
  return lifetime;
}

function decoded(rest: string): string {
  try {
    return decodeURIComponent(rest);
  } catch (error) {
    throw new GokeepError('bad_request', 'the address is not encoded in UTF-8', { cause: error });
  }
}
