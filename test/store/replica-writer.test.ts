import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/store/database.ts';
import { LogReader } from '../../src/store/log-reader.ts';
import { ReplicaWriter, type Taken } from '../../src/store/replica-writer.ts';
import { changeScratch, ORIGIN, partsOf, writeScratch } from '../sumdb/scratch.ts';
import { FakeDatabase, h1 } from '../upstream/fake-database.ts';

const NOW = 1_700_000_000_123;

let directory: string;
let database: string;
let origin: FakeDatabase;
let scratches = 0;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-replica-'));
  database = path.join(directory, 'gokeep.db');
  origin = FakeDatabase.ofSize(300);
});

afterEach(() => rmSync(directory, { recursive: true }));

function scratch(ids: readonly number[], since = 0): Promise<string> {
  return writeScratch(path.join(directory, `scratch-${scratches++}.db`), origin, ids, since);
}

function take(file: string, evidence = 'a bundle'): Taken {
  using writer = new ReplicaWriter(database);
  return writer.take(file, ORIGIN, evidence, NOW);
}

function grow(by: number): void {
  const from = origin.shown;
  for (let n = from; n < from + by; n++) origin.add(`example.test/later${n}`, 'v1.0.0');
}

/** All that is stored, row by row. */
function everything(): unknown {
  const db = new Database(database, { readonly: true });
  try {
    return ['meta', 'records', 'evidence', 'tiles', 'heads', 'incidents'].map((table) =>
      db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all(),
    );
  } finally {
    db.close();
  }
}

/** Expects a take to be refused, with nothing changed. */
function refused(file: string, error: { code: string; message?: RegExp }): void {
  using writer = new ReplicaWriter(database);
  const before = everything();
  const { code, message } = error;
  const like = message === undefined ? {} : { message: expect.stringMatching(message) as string };
  expect(() => writer.take(file, ORIGIN, 'another bundle', NOW + 5)).toThrow(
    expect.objectContaining({ code, ...like }),
  );
  expect(everything()).toEqual(before);
}

describe('what a take leaves behind', () => {
  it('is the records at their own ids, as replicated, with what they were accepted on', async () => {
    expect(take(await scratch([7, 299]))).toMatchObject({ records: 2, head: { size: 300, signedAt: NOW } });
    using log = new LogReader(database);
    for (const id of [7, 299]) {
      const parts = partsOf(origin.text(id));
      expect(log.find(parts.path, parts.version)).toEqual({ id, ...parts });
      expect(log.provenance(id)).toEqual({
        source: 'replicated',
        firstSeen: 1_700_000_000,
        evidence: 'a bundle',
      });
    }
    expect(log.heldCount()).toBe(2);
    expect(log.replicaOf()).toBe(ORIGIN);
  });

  it('is the head, published as it was signed', async () => {
    take(await scratch([7]));
    using log = new LogReader(database);
    expect(log.publishedHead()).toMatchObject({ size: 300, note: origin.note(), signedAt: NOW });
  });

  it('is each tile as wide as it ever was', async () => {
    take(await scratch([299]));
    grow(100);
    take(await scratch([350], 300));
    using log = new LogReader(database);
    expect(log.tile(0, 1)).toEqual(origin.answer('/tile/8/0/001.p/144'));
  });

  it('the same bundle again changes nothing', async () => {
    const file = await scratch([7, 299]);
    const first = take(file);
    const before = everything();
    using writer = new ReplicaWriter(database);
    expect(writer.take(file, ORIGIN, 'a bundle', NOW + 60_000)).toEqual({ records: 0, head: first.head });
    expect(everything()).toEqual(before);
  });

  it('another bundle under the same head adds its records and no head', async () => {
    take(await scratch([7]));
    expect(take(await scratch([7, 8, 9])).records).toBe(2);
    using log = new LogReader(database);
    expect(log.heads(0, 1_000)).toHaveLength(1);
  });

  it('a tile that is narrower than the stored one, and a prefix of it, changes nothing', async () => {
    take(await scratch([299]));
    const narrow = changeScratch(
      await scratch([299]),
      'UPDATE tiles SET width = 3, data = substr(data, 1, 96) WHERE level = 0 AND n = 1',
    );
    take(narrow);
    using log = new LogReader(database);
    expect(log.tile(0, 1)).toHaveLength(44 * 32);
  });

  it('has nothing of another database in the same scratch file', async () => {
    const file = await scratch([7]);
    changeScratch(file, "INSERT INTO records VALUES ('other.test', 8, 'a.test/a', 'v1.0.0', 'x', 'y')");
    expect(take(file).records).toBe(1);
  });
});

describe('a take is refused, changing nothing,', () => {
  beforeEach(async () => {
    take(await scratch([7, 299]));
  });

  it('with other hashes for a recorded module version', async () => {
    grow(1);
    const file = await scratch([7, 8], 300);
    changeScratch(file, 'UPDATE records SET zip = ? WHERE id = 7', h1('other'));
    refused(file, { code: 'mismatch', message: /^SECURITY: example.test\/Module7@v1.0.0 in the bundle/ });
  });

  it('with another id for a recorded module version', async () => {
    grow(1);
    refused(changeScratch(await scratch([7], 300), 'UPDATE records SET id = 12 WHERE id = 7'), {
      code: 'mismatch',
    });
  });

  it('with another module version for a recorded id', async () => {
    grow(1);
    refused(changeScratch(await scratch([7], 300), "UPDATE records SET version = 'v1.0.1' WHERE id = 7"), {
      code: 'mismatch',
    });
  });

  it.each([1, 10])('with a tile that contradicts the stored one, in hash %i', async (at) => {
    grow(1);
    const file = await scratch([299], 300);
    const data = Buffer.from(origin.answer('/tile/8/0/001.p/45'));
    data[at * 32]! ^= 1;
    changeScratch(file, 'UPDATE tiles SET data = ? WHERE level = 0 AND n = 1', data);
    refused(file, { code: 'fork', message: /^SECURITY: .*tile\/8\/0\/001\.p\/45/ });
  });

  it('with a head that is older than the newest', async () => {
    origin.shown = 299;
    refused(await scratch([8]), { code: 'bad_proof', message: /older than what is here.*299.*300/ });
  });

  it('with another root for the newest head', async () => {
    const file = changeScratch(await scratch([7]), 'UPDATE heads SET root = ?', Buffer.alloc(32, 1));
    refused(file, { code: 'fork', message: /^SECURITY: .*two trees of 300 records/ });
  });

  it('without a head of the database', async () => {
    const file = changeScratch(await scratch([7]), "UPDATE heads SET database = 'other.test'");
    refused(file, { code: 'bad_proof' });
  });

  it('with a record beyond its head', async () => {
    refused(changeScratch(await scratch([7, 8]), 'UPDATE records SET id = 300 WHERE id = 8'), {
      code: 'bad_proof',
    });
  });

  it('with a hash that is none', async () => {
    refused(changeScratch(await scratch([7, 8]), "UPDATE records SET mod = 'h1:AAAA' WHERE id = 8"), {
      code: 'bad_record',
    });
  });

  it('with a tile whose length is not its width', async () => {
    refused(changeScratch(await scratch([8]), 'UPDATE tiles SET width = 200 WHERE n = 0 AND level = 0'), {
      code: 'bad_tile',
    });
  });

  it('without the tiles that what is held needs under the new head', async () => {
    grow(300);
    const file = await scratch([7]);
    refused(file, { code: 'bad_proof', message: /lacks tile\/8\/0\/001 of its tree/ });
  });

  it('from a scratch file that is none', async () => {
    refused(path.join(directory, 'nothing'), { code: 'storage_failed' });
  });
});

describe('the database of a replica', () => {
  it('takes nothing of a second log', async () => {
    const file = await scratch([7]);
    take(file);
    changeScratch(file, "UPDATE heads SET database = 'other.test'");
    using writer = new ReplicaWriter(database);
    expect(() => writer.take(file, 'other.test', 'x', NOW)).toThrow(/holds a replica of localhost/);
  });

  it('is not one that holds a log of its own', async () => {
    const own = openDatabase(database, 'log');
    own.prepare('INSERT INTO heads (size, root) VALUES (0, zeroblob(32))').run();
    own.close();
    refused(await scratch([7]), { code: 'bad_config', message: /holds a log of its own/ });
  });

  it('keeps incidents', () => {
    const incident = {
      at: 1,
      kind: 'zip',
      path: 'a',
      version: 'v1.0.0',
      recorded: 'x',
      seen: 'y',
      source: 'z',
    };
    using writer = new ReplicaWriter(database);
    writer.recordIncident(incident);
    using log = new LogReader(database);
    expect(log.incidents(10)).toEqual([incident]);
  });

  it('has nothing of a take that was killed in the middle, and takes it again afterwards', async () => {
    take(await scratch([7]));
    grow(1);
    const file = await scratch([9, 10, 299], 300);
    const before = everything();
    // Ends as kill -9 does when the transaction is about to put its last tiles.
    const child = fork(path.join(import.meta.dirname, 'killed-take.ts'), [database, file, ORIGIN]);
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    expect(everything()).toEqual(before);
    expect(take(file).records).toBe(3);
  });
});
