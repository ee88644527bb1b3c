import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { tokenDigest } from '../access/token.ts';
import type { Person } from './people.ts';

const COOKIE = 'gokeep_session';
const FORM = /^[A-Za-z0-9_-]{43}$/;

/** Milliseconds that one may stay signed in. */
export const SESSION_MS = 12 * 3_600_000;
/** Only good tokens open one: far more than there are people. */
const MOST = 1_000;
/** Of one person or token, so that whoever signs in over and over ends nobody's but his own. */
const MOST_OF_ONE = 20;

/** What a session stands for: the header that a client would have sent, or somebody whom a provider has vouched for. */
export type Held = string | Person;

interface Session {
  readonly held: Held;
  readonly who: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/**
 * Who is signed in, in memory: a restart ends all of it. The cookie holds a random number; what it stands for is the header that a client
 * would have sent, which is judged anew for each page, so that a token that is revoked or expires ends its sessions too. Of somebody whom
 * a provider has vouched for there is no header: he is kept with the rights that he was given.
 */
export class Sessions {
  readonly #now: () => number;
  /** By the digest of the id, as tokens are: no time tells how much of a guess is right. */
  readonly #open = new Map<string, Session>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns what the cookie has to say */
  open(held: Held): string {
    const who = typeof held === 'string' ? held : held.principal.name;
    const own: string[] = [];
    for (const [id, session] of this.#open) {
      if (this.#now() >= session.until) this.#open.delete(id);
      else if (session.who === who) own.push(id);
    }
    // A map is in the order of its making: the first is the oldest.
    if (own.length >= MOST_OF_ONE) this.#open.delete(own[0] ?? '');
    else if (this.#open.size >= MOST) this.#open.delete(this.#open.keys().next().value ?? '');
    const id = randomBytes(32).toString('base64url');
    this.#open.set(tokenDigest(id), { held, who, until: this.#now() + SESSION_MS });
    return id;
  }

  /** What a request's session stands for; undefined where it has none that holds. */
  held(request: Pick<IncomingMessage, 'headers'>): Held | undefined {
    const id = cookieOf(request);
    if (id === undefined) return undefined;
    const key = tokenDigest(id);
    const session = this.#open.get(key);
    if (session === undefined || this.#now() < session.until) return session?.held;
    this.#open.delete(key);
    return undefined;
  }

  close(request: Pick<IncomingMessage, 'headers'>): void {
    const id = cookieOf(request);
    if (id !== undefined) this.#open.delete(tokenDigest(id));
  }
}

/**
 * The Set-Cookie header; without an id, the one that takes it away.
 *
 * @param secure sent over TLS only: whether clients reach us by it
 */
export function sessionCookie(id: string | undefined, secure: boolean): string {
  const age = id === undefined ? 0 : SESSION_MS / 1000;
  return `${COOKIE}=${id ?? ''}; Path=/ui; Max-Age=${age}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}

/** The client's: anything may stand in it. */
function cookieOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  for (const pair of (headers.cookie ?? '').split(';')) {
    const [name, value = ''] = pair.trim().split('=');
    if (name === COOKIE && FORM.test(value)) return value;
  }
  return undefined;
}
