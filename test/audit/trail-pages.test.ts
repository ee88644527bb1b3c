import { expect, it } from 'vitest';
import { TrailPages } from '../../src/audit/trail-pages.ts';
import { entryHash, entryText, type TrailEvent } from '../../src/store/trail-entry.ts';
import { madeTrail, readerOf } from '../web/made-administration.ts';

const event = (n: number): TrailEvent => ({ kind: n % 10 === 0 ? 'yank' : 'publish', who: `token:${n % 3}` });
const trailOf = (size: number) =>
  madeTrail(
    Array.from({ length: size }, (_, at) => event(at + 1)),
    0,
  );

it('goes from the newest to the first, page by page, and leaves out nothing', async () => {
  const pages = new TrailPages(readerOf(trailOf(601)));
  const seen: number[] = [];
  let next: number | undefined;
  do {
    const page = await pages.page({ who: 'token:1' }, next, 40);
    seen.push(...page.entries.map(({ n }) => n));
    next = page.next;
  } while (next !== undefined);
  expect(seen).toEqual(Array.from({ length: 201 }, (_, at) => 601 - 3 * at));
});

it('looks at a bounded number of entries for one page, and says where to go on', async () => {
  const pages = new TrailPages(readerOf(trailOf(20_500)));
  expect(await pages.page({ who: 'nobody' }, undefined, 40)).toEqual({ entries: [], next: 501 });
  expect(await pages.page({ who: 'nobody' }, 501, 40)).toEqual({ entries: [], next: undefined });
}, 20_000);

it('shows what is damaged, whatever was asked for, and no more of it than its number', async () => {
  const entries = trailOf(6).map((entry) =>
    entry.n === 3
      ? { ...entry, text: '{' }
      : entry.n === 4
        ? { ...entry, text: '{"n":4,"at":1,"kind":{"x":1},"who":[]}' }
        : entry,
  );
  const { entries: shown } = await new TrailPages(readerOf(entries)).page({ kind: ['sign'] }, undefined, 40);
  expect(shown.map(({ n, entry }) => [n, entry])).toEqual([
    [4, undefined],
    [3, undefined],
  ]);
});

it('says of an entry whether it is chained to the one before', () => {
  const entries = trailOf(5);
  const whole = new TrailPages(readerOf(entries));
  for (const n of [1, 2, 5]) expect(whole.entry(n)?.isChained).toBe(true);
  expect(whole.entry(6)).toBeUndefined();
  const changed = entries.map((each) =>
    each.n === 3 ? { ...each, text: each.text.replace('token:0', 'token:9') } : each,
  );
  expect(new TrailPages(readerOf(changed)).entry(3)?.isChained).toBe(false);
  const without = entries.filter(({ n }) => n !== 3);
  expect(new TrailPages(readerOf(without)).entry(4)).toMatchObject({ before: undefined, isChained: false });
});

it('takes what an entry after a gap says that it goes on behind', () => {
  const recorded = Buffer.alloc(32, 7);
  const text = entryText(9, 0, { kind: 'gap', who: 'gokeep', facts: { hash: recorded.toString('base64') } });
  const entries = [...trailOf(2), { n: 9, text, hash: entryHash(recorded, text) }];
  expect(new TrailPages(readerOf(entries)).entry(9)).toMatchObject({ before: recorded, isChained: true });
});
