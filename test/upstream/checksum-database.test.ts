import { setImmediate } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { parseRecord } from '../../src/tlog/record.ts';
import { type Tile, tilePath } from '../../src/tlog/tile.ts';
import { ChecksumDatabase, type DatabaseFetch } from '../../src/upstream/checksum-database.ts';
import { FakeDatabase, h1, MapMemory, moduleAt } from './fake-database.ts';

const { signal } = new AbortController();
let fake: FakeDatabase;
let memory: MapMemory;

function client(): ChecksumDatabase {
  return new ChecksumDatabase({ verifier: FakeDatabase.verifier, memory, fetch: fake.fetch });
}

beforeEach(() => {
  fake = FakeDatabase.ofSize(700);
  memory = new MapMemory();
});

describe('lookup', () => {
  test('a record comes with its hashes and the head that proves it', async () => {
    const [path, version] = moduleAt(5);
    const record = await client().lookup(path, version, { signal });
    expect(record).toMatchObject({
      id: 5,
      zip: h1(`${path} ${version} zip`),
      mod: h1(`${path} ${version} mod`),
      head: { size: 700 },
    });
    expect(record.text).toEqual(fake.text(5));
    expect(record.note).toEqual(fake.note());
    expect(parseRecord(record.body)).toEqual({ id: 5, text: record.text, rest: record.note });
    expect(memory.note).toEqual(fake.note());
  });

  test('what is asked for is what the go command asks for', async () => {
    const database = client();
    await database.lookup(...moduleAt(5), { signal });
    expect(fake.takeAsked().toSorted()).toEqual([
      '/lookup/example.test/!module5@v1.0.0',
      '/tile/8/0/000',
      '/tile/8/0/002.p/188',
      '/tile/8/1/000.p/2',
    ]);
    await database.lookup(...moduleAt(6), { signal });
    expect(fake.takeAsked()).toEqual(['/lookup/example.test/!module6@v1.0.0']);
    fake.add('example.test/one-more', 'v1.0.0');
    await database.lookup('example.test/one-more', 'v1.0.0', { signal });
    expect(fake.takeAsked()).toEqual(['/lookup/example.test/one-more@v1.0.0', '/tile/8/0/002.p/189']);
  });

  test('a tree of three levels costs what it costs the go command', async () => {
    fake = FakeDatabase.ofSize(70000);
    await client().lookup(...moduleAt(0), { signal });
    expect(fake.takeAsked().toSorted()).toEqual(
      ['/lookup/example.test/!module0@v1.0.0', '/tile/8/0/000', '/tile/8/0/273.p/112', '/tile/8/1/000']
        .concat(['/tile/8/1/001.p/17', '/tile/8/2/000.p/1'])
        .toSorted(),
    );
  });

  test('a second lookup, in this process or the next, asks nothing', async () => {
    const database = client();
    const first = await database.lookup(...moduleAt(300), { signal });
    fake.takeAsked();
    expect(await database.lookup(...moduleAt(300), { signal })).toEqual(first);
    expect(await client().lookup(...moduleAt(300), { signal })).toEqual(first);
    expect(fake.asked).toEqual([]);
  });

  test('concurrent lookups of one module version share one request, and tiles are shared by all', async () => {
    const database = client();
    const ids = [1, 1, 1, 2, 300, 699, 1];
    const records = await Promise.all(ids.map((id) => database.lookup(...moduleAt(id), { signal })));
    expect(records.map((r) => r.id)).toEqual(ids);
    const asked = fake.takeAsked();
    expect(asked.filter((path) => path.startsWith('/lookup/'))).toHaveLength(4);
    expect(new Set(asked).size).toBe(asked.length);
  });

  test('one asker giving up takes nothing from the others', async () => {
    const database = client();
    const impatient = new AbortController();
    const first = database.lookup(...moduleAt(1), { signal: impatient.signal });
    const second = database.lookup(...moduleAt(1), { signal });
    impatient.abort(new GokeepError('busy', 'gone away'));
    await expect(first).rejects.toMatchObject({ code: 'busy' });
    expect(await second).toMatchObject({ id: 1 });
  });

  test('an absence is passed on as the database said it, and is not remembered', async () => {
    const database = client();
    const ask = () => database.lookup('example.test/new', 'v1.0.0', { signal });
    await expect(ask()).rejects.toMatchObject({ code: 'not_found', verbatim: 'not found' });
    fake.add('example.test/new', 'v1.0.0');
    expect(await ask()).toMatchObject({ id: 700 });
  });

  test.each([
    ['no dot', 'v1.0.0', 'bad_path'],
    ['example.test/m', 'v1.0.0/go.mod', 'bad_version'],
    ['example.test/m', '../v1', 'bad_version'],
  ])('%s@%s is refused before anything is asked', async (path, version, code) => {
    await expect(client().lookup(path, version, { signal })).rejects.toMatchObject({ code });
    expect(fake.asked).toEqual([]);
  });

  test('an older head that is consistent is accepted and the newest is kept (threat 56)', async () => {
    const database = client();
    await database.latest({ signal });
    fake.shown = 600;
    const record = await database.lookup(...moduleAt(5), { signal });
    expect(record.head.size).toBe(700);
    expect(record.note).toEqual(fake.note(700));
    expect(memory.note).toEqual(fake.note(700));
  });

  test('a tile that has come but is not proven yet is not asked for again', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const fetch: DatabaseFetch = async (path, ...rest) => {
      const data = await fake.fetch(path, ...rest);
      if (path === '/tile/8/1/000.p/2') await gate;
      return data;
    };
    const database = new ChecksumDatabase({ verifier: FakeDatabase.verifier, memory, fetch });
    const first = database.lookup(...moduleAt(5), { signal });
    while (fake.asked.length < 4) await setImmediate();
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    const second = database.lookup(...moduleAt(6), { signal });
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    open();
    expect((await Promise.all([first, second])).map((r) => r.id)).toEqual([5, 6]);
    expect(fake.asked).toHaveLength(5);
  });

  test('a tile is kept once', async () => {
    await client().lookup(...moduleAt(5), { signal });
    await client().lookup(...moduleAt(6), { signal });
    await client().lookup(...moduleAt(300), { signal });
    expect(memory.keptTiles.toSorted()).toEqual(
      ['tile/8/0/000', 'tile/8/0/001', 'tile/8/0/002.p/188', 'tile/8/1/000.p/2'].toSorted(),
    );
  });

  test('two clients over one memory move its head forward together', async () => {
    const [one, two] = [client(), client()];
    await Promise.all([one.latest({ signal }), two.latest({ signal })]);
    fake.add('example.test/x', 'v1.0.0');
    await one.lookup('example.test/x', 'v1.0.0', { signal });
    fake.add('example.test/y', 'v1.0.0');
    await two.lookup('example.test/y', 'v1.0.0', { signal });
    fake.shown = 701;
    await one.lookup(...moduleAt(3), { signal });
    expect(memory.note).toEqual(fake.note(702));
  });

  test('damage in what is remembered is healed by asking again', async () => {
    await client().lookup(...moduleAt(5), { signal });
    for (const data of memory.tiles.values()) data[0]! ^= 1;
    memory.lookups.get('example.test/Module5@v1.0.0')![3]! ^= 1;
    const damaged = new Map([...memory.tiles].map(([path, data]) => [path, Buffer.from(data)]));
    expect(await client().lookup(...moduleAt(5), { signal })).toMatchObject({ id: 5 });
    for (const [path, data] of damaged) expect(memory.tiles.get(path)).not.toEqual(data);
  });
});

describe('tile', () => {
  const tile = (level: number, n: number, width = 256): Tile => ({ height: 8, level, n, width });

  test.each([
    tile(0, 0),
    tile(0, 1, 7),
    tile(0, 2, 188),
    tile(0, 2, 5),
    tile(1, 0, 2),
    tile(1, 0, 1),
    tile(-1, 0),
    tile(-1, 1, 200),
    tile(-1, 2, 188),
    tile(-1, 2, 1),
  ])('tile $level/$n of width $width is what the database has, then and later and offline', async (which) => {
    const want = fake.answer(`/${tilePath(which)}`);
    const database = client();
    expect(await database.tile(which, { signal })).toEqual(want);
    fake.takeAsked();
    expect(await database.tile(which, { signal })).toEqual(want);
    expect(await client().tile(which, { signal, offline: true })).toEqual(want);
    expect(fake.asked).toEqual([]);
  });

  test('a partial tile of what is full by now is cut from the full one', async () => {
    await client().tile(tile(0, 0, 9), { signal });
    expect(fake.asked).toContain('/tile/8/0/000');
    expect(fake.asked).not.toContain('/tile/8/0/000.p/9');
  });

  test('a tile beyond the newest head makes us ask for the latest one, once', async () => {
    const database = client();
    await database.latest({ signal });
    fake.add('example.test/x', 'v1.0.0');
    fake.takeAsked();
    expect(await database.tile(tile(0, 2, 189), { signal })).toEqual(fake.answer('/tile/8/0/002.p/189'));
    expect(fake.takeAsked().filter((path) => path === '/latest')).toHaveLength(1);
    await expect(database.tile(tile(0, 2, 190), { signal })).rejects.toMatchObject({ code: 'not_found' });
    await expect(database.tile(tile(2, 0, 1), { signal })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('what is no tile, or not of our height, is refused (threat 58)', async () => {
    await expect(client().tile(tile(0, 0, 257), { signal })).rejects.toMatchObject({ code: 'bad_tile' });
    await expect(client().tile({ ...tile(0, 0, 4), height: 2 }, { signal })).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(fake.asked).toEqual([]);
  });
});

describe('latest', () => {
  test('it is asked for, verified and kept', async () => {
    expect(await client().latest({ signal })).toEqual(fake.note());
    expect(memory.note).toEqual(fake.note());
  });

  test('it never goes back', async () => {
    const database = client();
    await database.latest({ signal });
    fake.shown = 650;
    expect(await database.latest({ signal })).toEqual(fake.note(700));
    expect(await client().latest({ signal })).toEqual(fake.note(700));
  });
});

describe('offline', () => {
  const offline = { signal, offline: true };

  test('what was proven is answered, and nothing is asked', async () => {
    const online = await client().lookup(...moduleAt(5), { signal });
    fake.takeAsked();
    const database = client();
    expect(await database.lookup(...moduleAt(5), offline)).toEqual(online);
    expect(await database.latest(offline)).toEqual(fake.note());
    expect(fake.asked).toEqual([]);
  });

  test('a record proven against an older head is still answered', async () => {
    await client().lookup(...moduleAt(5), { signal });
    fake.add('example.test/x', 'v1.0.0');
    await client().lookup('example.test/x', 'v1.0.0', { signal });
    fake.takeAsked();
    expect(await client().lookup(...moduleAt(5), offline)).toMatchObject({ id: 5, head: { size: 700 } });
    expect(fake.asked).toEqual([]);
  });

  test('what is not held is not stored, and nothing is asked', async () => {
    const database = client();
    const notStored = { code: 'not_stored' };
    await expect(database.lookup(...moduleAt(5), offline)).rejects.toMatchObject(notStored);
    await expect(database.latest(offline)).rejects.toMatchObject(notStored);
    for (const level of [0, -1]) {
      await expect(database.tile({ height: 8, level, n: 0, width: 256 }, offline)).rejects.toMatchObject(
        notStored,
      );
    }
    expect(fake.asked).toEqual([]);
  });

  test('a remembered lookup that was tampered with is not stored', async () => {
    await client().lookup(...moduleAt(5), { signal });
    memory.lookups.get('example.test/Module5@v1.0.0')![40]! ^= 1;
    await expect(client().lookup(...moduleAt(5), offline)).rejects.toMatchObject({ code: 'not_stored' });
  });
});
