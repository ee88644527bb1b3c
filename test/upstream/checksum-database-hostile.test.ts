import { beforeEach, expect, test, vi } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { signatureLine, signNote } from '../../src/note/note.ts';
import { generateKey, parseSigner } from '../../src/note/signer.ts';
import { checkTree } from '../../src/tlog/proof.ts';
import { formatRecord, parseRecord } from '../../src/tlog/record.ts';
import { formatTree, parseTree } from '../../src/tlog/tree-note.ts';
import { ChecksumDatabase, type ForkEvidence } from '../../src/upstream/checksum-database.ts';
import { FakeDatabase, h1, MapMemory, moduleAt, sign } from './fake-database.ts';

const { signal } = new AbortController();
const [PATH, VERSION] = moduleAt(5);
let fake: FakeDatabase;
let memory: MapMemory;
let forks: ForkEvidence[];
let database: ChecksumDatabase;

function client(frozen = false): ChecksumDatabase {
  return new ChecksumDatabase({
    verifier: FakeDatabase.verifier,
    memory,
    fetch: (...asked) => fake.fetch(...asked),
    onFork: (evidence) => forks.push(evidence),
    frozen,
  });
}

/** Makes the database answer something else to what `path` matches. */
function lie(path: RegExp, change: (honest: () => Buffer, path: string) => Buffer): () => void {
  const answer = fake.answer.bind(fake);
  fake.answer = (asked) => (path.test(asked) ? change(() => answer(asked), asked) : answer(asked));
  return () => {
    fake.answer = answer;
  };
}

/** The lookup of PATH fails, nothing is kept of it, and it works once the database is honest again. */
async function refused(code: string, honest: () => void): Promise<void> {
  await expect(database.lookup(PATH, VERSION, { signal })).rejects.toMatchObject({ code });
  expect(memory.lookups.size).toBe(0);
  honest();
  expect(await database.lookup(PATH, VERSION, { signal })).toMatchObject({ id: 5 });
}

function lookupWith(note: Buffer, id = 5, text = fake.text(5)): Buffer {
  return Buffer.concat([formatRecord(id, text), note]);
}

beforeEach(() => {
  fake = FakeDatabase.ofSize(700);
  memory = new MapMemory();
  forks = [];
  database = client();
});

test('zeroed hashes in any one tile are refused and no tile of that kind is kept (threat 52)', async () => {
  for (const path of [/8\/0\/000$/, /8\/0\/002\.p/, /8\/1\/000/]) {
    memory = new MapMemory();
    database = client();
    const honest = lie(path, (answer) => Buffer.from(answer()).fill(0, 32, 64));
    await expect(database.lookup(PATH, VERSION, { signal })).rejects.toMatchObject({ code: 'bad_tile' });
    expect([...memory.tiles.keys()].filter((kept) => path.test(kept))).toEqual([]);
    await refused('bad_tile', honest);
  }
});

test('the refusal names the module', async () => {
  lie(/8\/0\/000$/, (answer) => Buffer.from(answer()).fill(0));
  await expect(database.lookup(PATH, VERSION, { signal })).rejects.toThrow(
    'example.test/Module5@v1.0.0 cannot be',
  );
});

test.each([-1, 1, 32, -32])('a tile that is %d bytes longer than it should be is refused', async (more) => {
  const honest = lie(/8\/0\/000$/, (answer) =>
    Buffer.concat([answer(), Buffer.alloc(32)]).subarray(0, 8192 + more),
  );
  // One that is too long never gets past the limit that the fetcher is given.
  await refused(more < 0 ? 'bad_tile' : 'upstream_failed', honest);
});

test('lines after the three of the tree head are tolerated and say nothing (threat 53)', async () => {
  const text = `${formatTree(parseTree(fake.note().toString()))}999999\n${Buffer.alloc(32).toString('base64')}\n`;
  lie(/lookup/, () => lookupWith(sign(text)));
  expect((await database.lookup(PATH, VERSION, { signal })).head.size).toBe(700);
});

test('lines before the record, and hash lines outside of it, are never read (CVE-2026-56864)', async () => {
  const forged = `${PATH} ${VERSION} ${h1('evil')}\n${PATH} ${VERSION}/go.mod ${h1('evil')}\n`;
  const honestText = parseTree(fake.note().toString());
  lie(/lookup/, () => lookupWith(sign(`${formatTree(honestText)}${forged}`)));
  expect((await database.lookup(PATH, VERSION, { signal })).zip).toBe(h1(`${PATH} ${VERSION} zip`));
  database = client();
  memory.lookups.clear();
  lie(/lookup/, () => Buffer.concat([Buffer.from(forged), lookupWith(fake.note())]));
  await expect(database.lookup(PATH, VERSION, { signal })).rejects.toMatchObject({ code: 'bad_record' });
});

test('the text of a record that is not the one in the log is refused', async () => {
  const forged = Buffer.from(
    fake
      .text(5)
      .toString()
      .replace(h1(`${PATH} ${VERSION} zip`), h1('evil')),
  );
  await refused(
    'bad_proof',
    lie(/lookup/, () => lookupWith(fake.note(), 5, forged)),
  );
});

test('a record under the number of another one is refused', async () => {
  await refused(
    'bad_proof',
    lie(/lookup/, () => lookupWith(fake.note(), 6)),
  );
});

test('a record beyond the signed size is refused', async () => {
  const honest = lie(/lookup/, () => lookupWith(fake.note(), 700));
  await expect(database.lookup(PATH, VERSION, { signal })).rejects.toThrow('beyond the end of its own log');
  await refused('bad_proof', honest);
});

test.each([[/8\/0\/000$/], [/8\/0\/002/], [/8\/1\//]])(
  'a database without the tile %s of its own tree has failed: it has not said that the module does not exist',
  async (path) => {
    const honest = lie(path, () => {
      throw new GokeepError('not_found', 'no such tile');
    });
    await refused('upstream_failed', honest);
  },
);

test.each(['not_found', 'gone'] as const)(
  'a database without a head or a data tile (%s) has failed',
  async (code) => {
    const honest = lie(/latest|data/, () => {
      throw new GokeepError(code, 'no such thing');
    });
    const failed = { code: 'upstream_failed' };
    const tile = { height: 8, level: -1, n: 0, width: 256 };
    await expect(database.latest({ signal })).rejects.toMatchObject(failed);
    honest();
    await database.latest({ signal });
    lie(/data/, () => {
      throw new GokeepError(code, 'no such thing');
    });
    await expect(database.tile(tile, { signal })).rejects.toMatchObject(failed);
  },
);

test('a proven record of another module is refused (CVE-2026-42501)', async () => {
  await refused(
    'bad_record',
    lie(/lookup/, () => lookupWith(fake.note(), 6, fake.text(6))),
  );
});

test('a proven record without the lines of the module is refused (CVE-2026-42501)', async () => {
  const id = fake.add('example.test/empty', 'v1.0.0', Buffer.from('nothing to see\n'));
  await refused(
    'bad_record',
    lie(/lookup/, () => lookupWith(fake.note(), id, fake.text(id))),
  );
});

test.each([
  ['nothing', () => Buffer.alloc(0)],
  ['a page', () => Buffer.from('<html>\n\n<body>log in\n\n')],
  ['a record without a note', () => formatRecord(5, fake.text(5))],
  ['only a note', () => fake.note()],
])('an answer that is %s is refused (threat 54)', async (what, answer) => {
  await refused(what.includes('without') ? 'bad_note' : 'bad_record', lie(/lookup/, answer));
});

test.each([
  ['changed after signing', () => Buffer.from(fake.note().toString().replace('700', '701'))],
  ['signed by an unknown key', () => foreignNote('localhost.localdev/sumdb')],
  ['signed under another name', () => foreignNote('sum.example')],
  ['of another kind', () => sign('go.sum database tree v2\n700\nAAAA\n')],
  ['without signatures', () => Buffer.from(formatTree(parseTree(fake.note().toString())))],
])('a note that is %s is refused (threat 55)', async (_, note) => {
  await refused(
    'bad_note',
    lie(/lookup/, () => lookupWith(note())),
  );
});

test('a note that is refused for the latest head leaves the newest one alone', async () => {
  lie(/latest/, () => foreignNote('sum.example'));
  await expect(database.latest({ signal })).rejects.toMatchObject({ code: 'bad_note' });
  expect(memory.note).toBeUndefined();
});

function foreignNote(name: string): Buffer {
  const { skey } = generateKey(name, Buffer.alloc(32, 2));
  return signNote(formatTree(parseTree(fake.note().toString())), [parseSigner(skey)]);
}

/** Another history that begins as `fake` does and parts from it after `common` records. */
function otherHistory(common: number, size: number): FakeDatabase {
  const other = FakeDatabase.ofSize(common);
  for (let n = common; n < size; n++) other.add(`example.test/other${n}`, 'v1.0.0');
  other.add(PATH, VERSION, fake.text(5));
  return other;
}

test.each([
  ['newer', 700, 720],
  ['older', 700, 650],
  ['as large', 700, 699],
])(
  'a head of another history that is %s freezes the client, with a proof (threat 57)',
  async (_, ours, theirs) => {
    const honest = fake;
    expect(await database.lookup(...moduleAt(3), { signal })).toMatchObject({ head: { size: ours } });
    const keptNote = memory.note;
    const other = otherHistory(600, theirs);
    // An older head is held against our tree, whose tiles the honest side serves.
    fake = theirs > ours ? other : honest;
    lie(/lookup/, () => lookupWith(other.note()));
    await expect(database.lookup(PATH, VERSION, { signal })).rejects.toMatchObject({ code: 'fork' });

    expect(forks).toHaveLength(1);
    const { older, newer, proof } = forks[0]!;
    const [oldHead, newHead] = [parseTree(older.toString()), parseTree(newer.toString())];
    expect([older, newer]).toContainEqual(honest.note());
    expect([older, newer]).toContainEqual(other.note());
    expect(proof.root.equals(oldHead.root)).toBe(false);
    expect(() => checkTree(proof.hashes, newHead.size, newHead.root, oldHead.size, proof.root)).not.toThrow();

    expect(memory.note).toEqual(keptNote);
    const fork = { code: 'fork' };
    await expect(database.lookup(...moduleAt(3), { signal })).rejects.toMatchObject(fork);
    await expect(database.lookup(...moduleAt(3), { signal, offline: true })).rejects.toMatchObject(fork);
    await expect(database.latest({ signal, offline: true })).rejects.toMatchObject(fork);
    await expect(database.tile({ height: 8, level: 0, n: 0, width: 256 }, { signal })).rejects.toMatchObject(
      fork,
    );
    expect(forks).toHaveLength(1);
  },
);

test('what an intermediary adds to a note is not kept: not as the newest head, not with a record', async () => {
  const added = Array.from({ length: 90 }, (_, i) => signatureLine(`evil${i}`, i, Buffer.alloc(8000, i)));
  lie(/lookup|latest/, (honest) => Buffer.concat([honest(), Buffer.from(added.join(''))]));
  const found = await database.lookup(PATH, VERSION, { signal });
  expect(memory.note).toEqual(fake.note());
  expect(found.body).toEqual(lookupWith(fake.note()));
  expect(found.text.buffer.byteLength).toBeLessThan(100_000);
  expect(memory.lookups.get(`${PATH}@${VERSION}`)).toEqual(found.body);
  expect(await database.latest({ signal })).toEqual(fake.note());
});

test('a head with additions that is in the memory already is replaced by what was signed', async () => {
  memory.note = Buffer.concat([fake.note(), Buffer.from(signatureLine('evil', 1, Buffer.alloc(8000)))]);
  await database.latest({ signal });
  expect(memory.note).toEqual(fake.note());
});

test('proven records at hand have a budget of bytes, however long the heads that their database signs', async () => {
  const long = sign(`${formatTree(parseTree(fake.note().toString()))}${'x'.repeat(900_000)}\n`);
  lie(/lookup/, (_, path) => {
    const id = Number(/[0-9]+(?=@)/.exec(path)?.[0]);
    return lookupWith(long, id, fake.text(id));
  });
  const recall = vi.spyOn(memory, 'lookup');
  await database.lookup(...moduleAt(0), { signal });
  await database.lookup(...moduleAt(0), { signal });
  expect(recall).toHaveBeenCalledTimes(1);
  for (let n = 1; n <= 6; n++) await database.lookup(...moduleAt(n), { signal });
  await database.lookup(...moduleAt(0), { signal });
  expect(recall).toHaveBeenCalledTimes(8);
});

test('a client that starts with evidence on file believes nothing', async () => {
  await expect(client(true).lookup(PATH, VERSION, { signal })).rejects.toMatchObject({ code: 'fork' });
  expect(fake.asked).toEqual([]);
});

test('bad tiles are no fork: the head stays, and so does the client', async () => {
  await database.latest({ signal });
  fake.add('example.test/x', 'v1.0.0');
  await refused(
    'bad_tile',
    lie(/8\/0\/002\.p\/189/, (answer) => Buffer.from(answer()).fill(0)),
  );
  expect(forks).toEqual([]);
});

test.each(['not_found', 'gone', 'upstream_failed'] as const)(
  'a partial tile that is %s is cut from the full one, which is not kept (threat 58)',
  async (code) => {
    await database.latest({ signal });
    for (let n = 700; n < 800; n++) fake.add(...moduleAt(n));
    lie(/\.p\/188$/, () => {
      throw new GokeepError(code, 'only the full one is here');
    });
    fake.shown = 700;
    expect(await database.lookup(PATH, VERSION, { signal })).toMatchObject({ id: 5 });
    expect(fake.asked).toContain('/tile/8/0/002');
    expect(memory.tiles.has('tile/8/0/002')).toBe(false);
    expect(memory.tiles.has('tile/8/0/002.p/188')).toBe(true);
  },
);

test.each(['upstream_unreachable', 'upstream_timeout', 'upstream_refused'] as const)(
  'trouble (%s) is passed on as it is, without another try, and is not remembered',
  async (code) => {
    const honest = lie(/\.p\/188$/, () => {
      throw new GokeepError(code, 'trouble');
    });
    await refused(code, honest);
    expect(fake.asked).not.toContain('/tile/8/0/002');
  },
);

test.each([
  ['a hash', /data/, (data: Buffer) => Buffer.from(data.toString().replace('h1:', 'h2:'))],
  ['a record missing', /data/, (data: Buffer) => data.subarray(data.indexOf('\n\n') + 2)],
  [
    'a record twice',
    /data/,
    (data: Buffer) => Buffer.concat([data, data.subarray(0, data.indexOf('\n\n') + 2)]),
  ],
  ['two records exchanged', /data/, exchanged],
  ['hashes of its own', /tile\/8\/0\/000/, (data: Buffer) => Buffer.from(data).fill(7, 0, 32)],
])('a data tile with %s is refused and not kept', async (_, path, change) => {
  lie(path, (answer) => change(answer()));
  const asked = database.tile({ height: 8, level: -1, n: 0, width: 256 }, { signal });
  await expect(asked).rejects.toMatchObject({ code: expect.stringMatching(/^bad_(?:tile|record|proof)$/) });
  expect(memory.tiles.has('tile/8/data/000')).toBe(false);
});

function exchanged(data: Buffer): Buffer {
  const [first, second, ...rest] = data.toString().split('\n\n');
  return Buffer.from([second, first, ...rest].join('\n\n'));
}

test('a data tile in which blank lines only separate is read, and given on in the usual form', async () => {
  const usual = fake.answer('/tile/8/data/000');
  lie(/data/, (answer) => answer().subarray(0, -1));
  expect(await database.tile({ height: 8, level: -1, n: 0, width: 256 }, { signal })).toEqual(usual);
});

test('a hash tile that is wrong is refused and not kept', async () => {
  lie(/8\/0\/001/, (answer) => Buffer.from(answer()).fill(0, 0, 32));
  const asked = database.tile({ height: 8, level: 0, n: 1, width: 256 }, { signal });
  await expect(asked).rejects.toMatchObject({ code: 'bad_tile' });
  expect(memory.tiles.has('tile/8/0/001')).toBe(false);
});

test('a memory whose head is not the database’s is not built upon', async () => {
  memory.note = foreignNote('sum.example');
  await expect(database.lookup(PATH, VERSION, { signal })).rejects.toMatchObject({ code: 'bad_note' });
  memory.note = undefined;
  expect(await database.lookup(PATH, VERSION, { signal })).toMatchObject({ id: 5 });
});

test('a body that is kept holds the record and the head it was proven against', async () => {
  await database.latest({ signal });
  fake.shown = 650;
  await database.lookup(PATH, VERSION, { signal });
  const kept = parseRecord(memory.lookups.get(`${PATH}@${VERSION}`)!);
  expect(parseTree(kept.rest.toString()).size).toBe(700);
});
