import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { UsageCount } from '../../src/proxy/usage.ts';
import { openDatabase } from '../../src/store/database.ts';
import { ServedToTable } from '../../src/store/served-to-table.ts';
import { ServedUsage } from '../../src/store/served-usage.ts';

const TODAY = 20_000;

let directory: string;
let db: ReturnType<typeof openDatabase>;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-usage-'));
  db = openDatabase(path.join(directory, 'upstream.db'), 'upstream');
});

afterEach(() => {
  db.close();
  rmSync(directory, { recursive: true });
});

function serve(...served: readonly (readonly [path: string, version: string, to: string, day?: number])[]) {
  const notes = served.map(([path, version, to, day = TODAY]) => ({
    path,
    version,
    kind: 'zip' as const,
    day,
    to: { id: to, name: `token:${to}` },
  }));
  db.transaction(() => new ServedToTable(db).add(notes)).immediate();
}

const count = (now = () => 0) => new UsageCount({ served: new ServedUsage(db), today: () => TODAY, now });

it('adds up modules over their versions, and clients over modules, the most used first', async () => {
  serve(
    ['a', 'v1.0.0', 'ci'],
    ['a', 'v1.1.0', 'ci'],
    ['a', 'v1.1.0', 'bob'],
    ['b', 'v1.0.0', 'ci', TODAY - 3],
  );
  expect(await count().usage()).toEqual({
    since: TODAY - 29,
    modules: [
      { path: 'a', clients: 2, versions: 2, downloads: 3, lastDay: TODAY },
      { path: 'b', clients: 1, versions: 1, downloads: 1, lastDay: TODAY - 3 },
    ],
    clients: [
      { name: 'token:ci', modules: 2, downloads: 3, lastDay: TODAY },
      { name: 'token:bob', modules: 1, downloads: 1, lastDay: TODAY },
    ],
  });
});

it('leaves out what was served before its time', async () => {
  serve(['old', 'v1.0.0', 'ci', TODAY - 30], ['new', 'v1.0.0', 'ci', TODAY - 29]);
  expect((await count().usage()).modules.map(({ path }) => path)).toEqual(['new']);
});

it('finds each zip once, however many steps it takes, and lets others have their turn between them', async () => {
  serve(...Array.from({ length: 333 }, (_, n) => [`m${n % 111}`, `v1.0.${n}`, 'ci'] as const));
  let turns = 0;
  const ticking = setInterval(() => turns++, 0);
  const { modules, clients } = await count().usage();
  clearInterval(ticking);
  expect(modules).toHaveLength(111);
  expect(modules.every(({ versions }) => versions === 3)).toBe(true);
  expect(clients).toMatchObject([{ modules: 111, downloads: 333 }]);
  expect(turns).toBeGreaterThan(0);
});

it('is counted again only after a while', async () => {
  let now = 0;
  const usage = count(() => now);
  expect((await usage.usage()).modules).toHaveLength(0);
  serve(['a', 'v1.0.0', 'ci']);
  expect((await usage.usage()).modules).toHaveLength(0);
  now += 5 * 60_000;
  expect((await usage.usage()).modules).toHaveLength(1);
});
