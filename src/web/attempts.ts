import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { SignInSecrets } from '../upstream/openid-provider.ts';

const COOKIE = 'gokeep_signing_in';
const FORM = /^[A-Za-z0-9_-]{1,3000}$/;
/** Milliseconds for a person to show the provider who he is. */
const ATTEMPT_MS = 10 * 60_000;
/** Sign-ins that came to their end within that time: far more than there are people. */
const MOST_USED = 10_000;
const NONCE = 12;
const TAG = 16;

/** A sign-in that has begun in one browser. */
export interface Attempt extends SignInSecrets {
  /** Where to go afterwards. */
  readonly next: string;
}

interface Sealed extends Attempt {
  /** Milliseconds since 1970. */
  readonly until: number;
}

/**
 * Sign-ins under way. Each is kept by the browser that began it, in a cookie that only this process can read or make: anybody can begin as
 * many as he likes, and none pushes out another's. The cookie goes back when the provider sends the browser here, which another site
 * does: so it is Lax, and of the addresses of signing in alone.
 */
export class Attempts {
  readonly #now: () => number;
  readonly #key = randomBytes(32);
  /** By state, until when. */
  readonly #used = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The Set-Cookie header. */
  begin(attempt: Attempt, secure: boolean): string {
    const sealed: Sealed = { ...attempt, until: this.#now() + ATTEMPT_MS };
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    const box = Buffer.concat([
      nonce,
      cipher.update(JSON.stringify(sealed)),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
    return `${COOKIE}=${box.toString('base64url')}; Path=/ui/sign-in; Max-Age=${ATTEMPT_MS / 1000}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
  }

  /** The one of this browser; undefined where it has begun none, or too long ago, or that has come to its end. */
  of(request: Pick<IncomingMessage, 'headers'>): Attempt | undefined {
    const attempt = this.#opened(request);
    if (attempt === undefined || this.#now() >= attempt.until || this.#used.has(attempt.state))
      return undefined;
    return attempt;
  }

  /** It signed somebody in, and does so no more. */
  end({ state }: Attempt): void {
    const now = this.#now();
    if (this.#used.size >= MOST_USED)
      for (const [used, until] of this.#used) if (now >= until) this.#used.delete(used);
    this.#used.set(state, now + ATTEMPT_MS);
  }

  /** The cookie is the client's: anything may stand in it. */
  #opened({ headers }: Pick<IncomingMessage, 'headers'>): Sealed | undefined {
    const pair = (headers.cookie ?? '').split(';').find((each) => each.trim().startsWith(`${COOKIE}=`));
    const value = pair?.trim().slice(COOKIE.length + 1);
    if (value === undefined || !FORM.test(value)) return undefined;
    const box = Buffer.from(value, 'base64url');
    if (box.length <= NONCE + TAG) return undefined;
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#key, box.subarray(0, NONCE), {
        authTagLength: TAG,
      });
      decipher.setAuthTag(box.subarray(-TAG));
      const text = Buffer.concat([decipher.update(box.subarray(NONCE, -TAG)), decipher.final()]);
      return JSON.parse(text.toString()) as Sealed;
    } catch {
      return undefined;
    }
  }
}
