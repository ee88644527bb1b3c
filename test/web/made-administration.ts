import { TrailPages } from '../../src/audit/trail-pages.ts';
import { EMPTY_TRAIL, entryHash, entryText, type TrailEvent } from '../../src/store/trail-entry.ts';
import type { StoredEntry } from '../../src/store/trail-table.ts';
import type { StoredToken } from '../../src/store/token-table.ts';
import type { Administration } from '../../src/web/administration.ts';

/** A chain of these, in memory. */
export function madeTrail(events: readonly TrailEvent[], now: number): StoredEntry[] {
  const entries: StoredEntry[] = [];
  for (const [at, event] of events.entries()) {
    const text = entryText(at + 1, now, event);
    entries.push({ n: at + 1, text, hash: entryHash(entries.at(-1)?.hash ?? EMPTY_TRAIL.hash, text) });
  }
  return entries;
}

/** Reads entries in memory as the table does. */
export function readerOf(entries: readonly StoredEntry[]) {
  const entry = (n: number) => entries.find((each) => each.n === n);
  return {
    head: () => entries.at(-1) ?? EMPTY_TRAIL,
    entry,
    hashAt: (n: number) => entry(n)?.hash,
    before: (n: number, limit: number) =>
      entries
        .filter((each) => each.n < n)
        .toReversed()
        .slice(0, limit),
  };
}

/** Tokens and a trail that are there, and never change. */
export function madeAdministration(now: number): Administration {
  const day = 86_400_000;
  const token = (name: string, more: Partial<StoredToken>): StoredToken => ({
    id: name.slice(0, 8),
    digest: '',
    name,
    read: [],
    publish: [],
    admin: [],
    created: now - 30 * day,
    expires: now + 60 * day,
    revoked: undefined,
    ...more,
  });
  const tokens = [
    token('operator', { admin: ['*'] }),
    token('long-'.repeat(12), {
      read: ['git.test/a/rather/long/path/of/a/module', 'corp.test/*'],
      expires: undefined,
    }),
    token('gone', { read: ['*'], revoked: now - day }),
  ];
  const asked = `GET /example.test/${'long/'.repeat(40)}@v/list`;
  const events: TrailEvent[] = [
    { kind: 'rights', who: 'gokeep', facts: { private: [], oidc: [{ issuer: 'https://login.test' }] } },
    { kind: 'publish', who: 'token:ci', from: '192.0.2.1', path: 'corp.test/lib', version: 'v1.0.0' },
    {
      kind: 'refusal',
      who: `oidc:${'subject-'.repeat(20)}`,
      from: '2001:db8::1',
      facts: { asked, code: 'forbidden' },
    },
    {
      kind: 'incident',
      who: 'gokeep',
      path: 'corp.test/lib',
      version: 'v1.0.0',
      facts: { recorded: 'h1:a', seen: 'h1:b' },
    },
  ];
  const uses = { days: new Map([['operator', Math.floor(now / day)]]), since: now - 10 * day };
  return {
    tokens: {
      all: () => tokens,
      uses: () => uses,
      create: () => Promise.reject(new Error('none is made here')),
      revoke: () => Promise.reject(new Error('none is revoked here')),
    },
    trail: new TrailPages(readerOf(madeTrail(events, now - 3_600_000))),
    heads: undefined,
    fromHereOnly: true,
  };
}
