import { beforeEach, describe, expect, it } from 'vitest';
import { RefusalNotes, type Refused } from '../../src/audit/refusals.ts';
import { GokeepError } from '../../src/errors.ts';
import type { TrailEvent } from '../../src/store/trail-entry.ts';

const HOUR = 3_600_000;

let now: number;
let noted: TrailEvent[];
let notes: RefusalNotes;

beforeEach(() => {
  now = 0;
  noted = [];
  notes = new RefusalNotes({ note: (event) => noted.push(event), now: () => now, most: 5 });
});

const refused = (more: Partial<Refused> = {}): Refused => ({
  who: 'token:ci',
  from: '192.0.2.1',
  method: 'GET',
  target: '/corp.test/a/@v/list',
  hasCredentials: true,
  error: new GokeepError('forbidden', 'no right'),
  ...more,
});

describe('refusals in the audit trail', () => {
  it('say who asked for what, and why it was refused', () => {
    notes.add(refused());
    expect(noted).toEqual([
      {
        kind: 'refusal',
        who: 'token:ci',
        from: '192.0.2.1',
        facts: { asked: 'GET /corp.test/a/@v/list', code: 'forbidden', why: 'no right' },
      },
    ]);
  });

  it('are once an hour for the same, and a sum of what was left out when the hour has passed', () => {
    for (let n = 0; n < 10; n++) notes.add(refused());
    expect(noted).toHaveLength(1);
    now = HOUR;
    notes.add(refused());
    expect(noted.slice(1)).toMatchObject([
      { who: 'gokeep', facts: { since: '1970-01-01T00:00:00.000Z', more: 9 } },
      { who: 'token:ci' },
    ]);
  });

  it('are bounded in an hour, whatever clients ask for, and at the end the rest is counted', () => {
    for (let n = 0; n < 100; n++) notes.add(refused({ target: `/corp.test/${n}/@v/list` }));
    expect(noted).toHaveLength(5);
    notes.close();
    expect(noted.at(-1)).toMatchObject({ who: 'gokeep', facts: { more: 95 } });
  });

  it('of those whom nobody knows do not push out what a token is refused', () => {
    const error = new GokeepError('unauthenticated', 'not known');
    for (let n = 0; n < 100; n++) notes.add(refused({ who: 'anonymous', target: `/${n}`, error }));
    notes.add(refused());
    expect(noted.at(-1)).toMatchObject({ who: 'token:ci' });
    expect(noted).toHaveLength(6);
  });

  it('are not questions without credentials, which is how go asks first; wrong ones are', () => {
    const error = new GokeepError('unauthenticated', 'this needs credentials');
    notes.add(refused({ error, hasCredentials: false }));
    expect(noted).toEqual([]);
    notes.add(refused({ error, hasCredentials: true }));
    expect(noted).toHaveLength(1);
  });

  it('are not what does not exist, nor trouble', () => {
    for (const code of ['not_found', 'upstream_failed', 'busy', 'bad_path'] as const)
      notes.add(refused({ error: new GokeepError(code, 'no') }));
    expect(noted).toEqual([]);
  });

  it('hold so much of a long request and no more', () => {
    notes.add(refused({ target: `/${'a'.repeat(8_000)}` }));
    expect(JSON.stringify(noted).length).toBeLessThan(600);
  });
});
