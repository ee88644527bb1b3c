import { expect, it } from 'vitest';
import { Attempts } from '../../src/web/attempts.ts';

const ATTEMPT = { state: 's', nonce: 'n', verifier: 'a-verifier', next: '/ui/log' };
const MINUTE = 60_000;
const sent = (cookie: string) => ({ headers: { cookie: `other=1; ${cookie.split(';')[0]}` } });

it('comes back from the browser that has it, for ten minutes, until it has come to its end', () => {
  let now = 0;
  const attempts = new Attempts(() => now);
  const cookie = attempts.begin(ATTEMPT, true);
  expect(cookie).toMatch(/; Path=\/ui\/sign-in; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/);
  expect(attempts.of(sent(cookie))).toMatchObject(ATTEMPT);
  attempts.end(ATTEMPT);
  expect(attempts.of(sent(cookie))).toBeUndefined();
  const other = attempts.begin({ ...ATTEMPT, state: 't' }, false);
  now = 10 * MINUTE - 1;
  expect(attempts.of(sent(other))).toMatchObject({ state: 't' });
  now = 10 * MINUTE;
  expect(attempts.of(sent(other))).toBeUndefined();
});

it('is read and made by this process alone', () => {
  const attempts = new Attempts(() => 0);
  const cookie = attempts.begin(ATTEMPT, false);
  const value = cookie.slice(cookie.indexOf('=') + 1, cookie.indexOf(';'));
  expect(Buffer.from(value, 'base64url').toString('latin1')).not.toContain('verifier');
  expect(new Attempts(() => 0).of(sent(cookie))).toBeUndefined();
  const box = Buffer.from(value, 'base64url');
  for (let at = 0; at < box.length; at++) {
    const changed = Buffer.from(box);
    changed[at]! ^= 1;
    expect(attempts.of(sent(`gokeep_signing_in=${changed.toString('base64url')}`))).toBeUndefined();
  }
  for (const other of ['', 'A', 'A'.repeat(38), 'A'.repeat(3_001), '__proto__'])
    expect(attempts.of(sent(`gokeep_signing_in=${other}`))).toBeUndefined();
});

it('is another cookie each time, for the same values', () => {
  const attempts = new Attempts(() => 0);
  expect(attempts.begin(ATTEMPT, false)).not.toBe(attempts.begin(ATTEMPT, false));
});
