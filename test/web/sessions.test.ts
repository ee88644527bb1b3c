import { expect, it } from 'vitest';
import { SESSION_MS, Sessions, sessionCookie } from '../../src/web/sessions.ts';

const sent = (id: string) => ({ headers: { cookie: `other=1; ${sessionCookie(id, false).split(';')[0]}` } });

it('holds for its time and no longer', () => {
  let now = 0;
  const sessions = new Sessions(() => now);
  const id = sessions.open('Bearer a');
  now = SESSION_MS - 1;
  expect(sessions.held(sent(id))).toBe('Bearer a');
  now = SESSION_MS;
  expect(sessions.held(sent(id))).toBeUndefined();
  now = 0;
  expect(sessions.held(sent(id))).toBeUndefined();
});

it('takes nothing for a session that was not opened', () => {
  const sessions = new Sessions(() => 0);
  sessions.open('Bearer a');
  for (const cookie of [
    '',
    'gokeep_session=',
    `gokeep_session=${'A'.repeat(43)}`,
    'gokeep_session=__proto__',
  ])
    expect(sessions.held({ headers: { cookie } })).toBeUndefined();
});

it('keeps a bounded number, the newest', () => {
  const sessions = new Sessions(() => 0);
  const first = sessions.open('Bearer first');
  for (let n = 0; n < 1000; n++) sessions.open(`Bearer ${n}`);
  const last = sessions.open('Bearer last');
  expect(sessions.held(sent(first))).toBeUndefined();
  expect(sessions.held(sent(last))).toBe('Bearer last');
});

it('of one who signs in over and over, ends his own oldest, and nobody else’s', () => {
  const sessions = new Sessions(() => 0);
  const other = sessions.open('Bearer other');
  const first = sessions.open('Bearer a');
  const ids = Array.from({ length: 1500 }, () => sessions.open('Bearer a'));
  expect(sessions.held(sent(other))).toBe('Bearer other');
  expect(sessions.held(sent(first))).toBeUndefined();
  expect(ids.filter((id) => sessions.held(sent(id)) !== undefined)).toEqual(ids.slice(-20));
});
