import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EVERYBODY, Granted, NO_GRANTS } from '../../src/access/principal.ts';
import { GokeepError } from '../../src/errors.ts';
import { Served, type ServedMark } from '../../src/proxy/served.ts';
import type { ServedNote } from '../../src/store/served-to-table.ts';

const DAY = 86_400_000;

let disk: ServedNote[];
let full: boolean;
let hidden: string[];

beforeEach(() => {
  vi.useFakeTimers({ now: 20_000 * DAY + 5 });
  disk = [];
  full = false;
  hidden = [];
});

afterEach(() => {
  vi.useRealTimers();
});

const start = () =>
  new Served({
    write: async (files) => {
      if (full) throw new GokeepError('storage_full', 'full');
      disk.push(...files);
    },
    now: Date.now,
    onHiddenError: (_error, what) => hidden.push(what),
  });

const mark = (kind: ServedMark['kind'] = 'mod'): ServedMark => ({
  path: 'a.test/m',
  version: 'v1.0.0',
  kind,
  day: -1,
  to: '',
});
const client = (name: string, id?: string) => new Granted(name, NO_GRANTS, () => true, id);
const named = () => disk.map(({ day, to }) => `${day} ${to?.id} ${to?.name}`);

describe('what was served', () => {
  it('is written once a day, however many marks of it there are', async () => {
    const served = start();
    const first = mark();
    for (const one of [first, mark(), first]) served.note(one, EVERYBODY);
    expect(served.isNoted(first, EVERYBODY)).toBe(true);
    await vi.advanceTimersByTimeAsync(10_000);
    served.note(mark(), EVERYBODY);
    await served.close();
    expect(disk).toEqual([{ path: 'a.test/m', version: 'v1.0.0', kind: 'mod', day: 20_000 }]);
  });

  it('knows the day by a clock of its own, and writes the next one too', async () => {
    const served = start();
    const first = mark();
    served.note(first, EVERYBODY);
    await vi.advanceTimersByTimeAsync(DAY);
    expect(served.today).toBe(20_001);
    expect(served.isNoted(first, EVERYBODY)).toBe(false);
    served.note(first, EVERYBODY);
    await served.close();
    expect(disk.map(({ day }) => day)).toEqual([20_000, 20_001]);
  });

  it('waits for room on a full disk, and only the log hears of it', async () => {
    const served = start();
    full = true;
    served.note(mark(), EVERYBODY);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(hidden).toEqual(['remembering what was served']);
    full = false;
    await served.close();
    expect(disk).toHaveLength(1);
  });
});

describe('to whom zips were served', () => {
  it('is written once a day for each client, also where they take turns on one mark', async () => {
    const served = start();
    const [a, b] = [client('token:a', 'aa'), client('oidc:b')];
    const zip = mark('zip');
    for (const one of [a, b, a, b, a]) served.note(zip, one);
    expect(served.isNoted(zip, a)).toBe(true);
    expect(served.isNoted(zip, b)).toBe(false);
    await vi.advanceTimersByTimeAsync(DAY);
    served.note(zip, a);
    await served.close();
    expect(named()).toEqual(['20000 aa token:a', '20000 oidc:b oidc:b', '20001 aa token:a']);
  });

  it('knows a client again that was identified anew, and tells tokens of one name apart', async () => {
    const served = start();
    const zip = mark('zip');
    served.note(zip, client('token:a', 'aa'));
    expect(served.isNoted(zip, client('token:a', 'aa'))).toBe(true);
    expect(served.isNoted(zip, client('token:a', 'bb'))).toBe(false);
    served.note(zip, client('token:a', 'bb'));
    await served.close();
    expect(named()).toEqual(['20000 aa token:a', '20000 bb token:a']);
  });

  it('is not written of a go.mod, which is no code', async () => {
    const served = start();
    const mod = mark();
    for (const one of [client('token:a', 'aa'), client('token:b', 'bb')]) served.note(mod, one);
    await served.close();
    expect(named()).toEqual(['20000 undefined undefined']);
  });

  it('counts a name that is too long to be held among others', async () => {
    const served = start();
    served.note(mark('zip'), client(`oidc:${'x'.repeat(5_000)}`));
    await served.close();
    expect(named()).toEqual(['20000 others others']);
  });
});
