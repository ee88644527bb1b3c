import { beforeEach, describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { errorBody } from '../../src/http/error-body.ts';
import { notHeld } from '../../src/proxy/records.ts';
import { Wishes, type Wished } from '../../src/proxy/wishes.ts';
import { WISH_KINDS, type Wish } from '../../src/store/wish-table.ts';

const MOD: Wished = { kind: 'mod', path: 'a.test/m', version: 'v1.0.0' };
const ZIP: Wished = { ...MOD, kind: 'zip' };

let clock: number;
let disk: Wish[];
let writes: number;
let full: boolean;
let hidden: string[];

beforeEach(() => {
  clock = 1_000_000;
  disk = [];
  writes = 0;
  full = false;
  hidden = [];
});

const start = () =>
  new Wishes({
    write: async (wishes) => {
      writes++;
      if (full) throw new GokeepError('storage_full', 'full');
      disk.push(...wishes);
    },
    now: () => clock,
    onHiddenError: (_error, what) => hidden.push(what),
    every: 1_000_000,
  });

const wish = (wishes: Wishes, wished: Wished) => wishes.instead(notHeld(wished.path), wished);

describe('the wish list', () => {
  it('has versions, branches, and the newest of a module of which nothing is held', async () => {
    const wishes = start();
    wish(wishes, MOD);
    wish(wishes, { kind: 'lookup', path: 'a.test/m', version: 'v1.0.0' });
    wish(wishes, { kind: 'info', path: 'a.test/m', version: 'main' });
    wish(wishes, { kind: 'list', path: 'a.test/other' });
    wish(wishes, { kind: 'latest', path: 'a.test/other' });
    await wishes.close();
    expect(disk).toEqual([
      {
        path: 'a.test/m',
        query: 'v1.0.0',
        kinds: WISH_KINDS.mod | WISH_KINDS.lookup,
        asked: 1,
        lastAsked: clock,
      },
      { path: 'a.test/m', query: 'main', kinds: WISH_KINDS.info, asked: 1, lastAsked: clock },
      {
        path: 'a.test/other',
        query: 'latest',
        kinds: WISH_KINDS.list | WISH_KINDS.latest,
        asked: 1,
        lastAsked: clock,
      },
    ]);
  });

  it('takes no notice of a repeat within a minute, and counts one after it', async () => {
    const wishes = start();
    wish(wishes, MOD);
    for (let n = 0; n < 10; n++) {
      clock += 5_000;
      wish(wishes, MOD);
      wish(wishes, ZIP);
    }
    clock += 9_999;
    wish(wishes, MOD);
    await wishes.close();
    expect(disk).toMatchObject([{ asked: 1, kinds: WISH_KINDS.mod | WISH_KINDS.zip, lastAsked: 1_005_000 }]);

    disk = [];
    clock += 1;
    wish(wishes, MOD);
    await wishes.close();
    expect(disk).toMatchObject([{ asked: 1, kinds: WISH_KINDS.mod, lastAsked: 1_060_000 }]);
  });

  it('takes a question for a new one after the clock was set back', async () => {
    const wishes = start();
    wish(wishes, MOD);
    await wishes.close();
    clock -= 500_000;
    wish(wishes, MOD);
    await wishes.close();
    expect(disk).toHaveLength(2);
  });

  it('says so in a text that go prints whole, also for a long path, and passes other errors on', () => {
    const wishes = start();
    const said = (path: string) =>
      errorBody(wishes.instead(notHeld(path, 'v1.0.0'), { kind: 'zip', path, version: 'v1.0.0' }));
    expect(said('a.test/m').replaceAll('\n', ' ')).toBe(
      'a.test/m@v1.0.0 is not held here, and this gokeep answers from its store only. It goes on the wish list (gokeep bundle wishlist): ask the operator to bring it in.',
    );
    const long = said(`a.test/${'long/'.repeat(50)}m`);
    expect(long.split('\n').length).toBeLessThanOrEqual(8);
    expect(long).toMatch(/ask the\s+operator to bring it in\.$/);
    const other = new GokeepError('not_found', 'gone');
    expect(wishes.instead(other, MOD)).toBe(other);
    expect(hidden).toEqual([]);
  });

  it('is noted again once a full disk has room, and no question fails or is told', async () => {
    const wishes = start();
    full = true;
    expect(wish(wishes, MOD)).toMatchObject({ code: 'not_stored' });
    await wishes.close();
    expect(hidden).toEqual(['remembering what was asked for and is not held']);
    full = false;
    await wishes.close();
    expect(disk).toHaveLength(1);
  });

  it('is bounded in memory, whatever a client makes up', async () => {
    const wishes = start();
    full = true;
    for (let n = 0; n < 50_000; n++) wish(wishes, { ...MOD, path: `a.test/${n}/${'x'.repeat(200)}` });
    await new Promise((resolve) => setTimeout(resolve, 10));
    full = false;
    const before = writes;
    await wishes.close();
    expect(writes - before).toBe(1);
    expect(disk).toHaveLength(2_000);
    expect(disk.at(-1)?.path).toMatch(/^a\.test\/49999\//);
  });
});
