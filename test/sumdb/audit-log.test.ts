import { rmSync, writeFileSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateKey, parseSigner } from '../../src/note/signer.ts';
import { signNote } from '../../src/note/note.ts';
import { HighWaterMark } from '../../src/store/high-water-mark.ts';
import { LogReader } from '../../src/store/log-reader.ts';
import { LogWriter } from '../../src/store/log-writer.ts';
import { LogEngine } from '../../src/sumdb/log-engine.ts';
import { formatGoSumRecord } from '../../src/tlog/go-sum-record.ts';
import { recordHash } from '../../src/tlog/hash.ts';
import { RightEdge } from '../../src/tlog/right-edge.ts';
import { formatTree } from '../../src/tlog/tree-note.ts';
import { candidate, DataDirectory, LOG_NAME } from '../cli/data-directory.ts';

/** 300 records: one full tile, a partial one, and a level above; heads of 0, 1, 10, 11, 256 and 300 at least. */
let sound: DataDirectory;

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => candidate(from + i));

beforeAll(async () => {
  sound = await DataDirectory.create();
  await sound.append([candidate(0)], range(1, 10), [candidate(10)], range(11, 256), range(256, 300));
});

afterAll(() => sound[Symbol.dispose]());

/** Makes the tiles those of the records as they are now, as somebody would who rewrites history. */
function recomputeTiles(directory: DataDirectory): void {
  using log = new LogReader(directory.file('gokeep.db'));
  const edge = RightEdge.empty();
  for (const { path, version, zip, mod } of log.range(0, 300))
    edge.append(recordHash(formatGoSumRecord(path, version, zip, mod)));
  for (const { level, n, data } of edge.takeChangedTiles())
    directory.sql('UPDATE tiles SET data = ? WHERE level = ? AND n = ?', data, level, n);
}

function mark(size: number, root: string, name = LOG_NAME): string {
  return `gokeep high-water mark\n${name}\n${size}\n${root}\n`;
}

const ROOT = '11'.repeat(32);

interface Case {
  readonly name: string;
  readonly damage: (d: DataDirectory) => void;
  /** Subjects, and how each problem begins. */
  readonly finds: readonly (readonly [subject: string, problem: string])[];
}

const cases: readonly Case[] = [
  {
    name: 'a zip hash in a record that a full tile vouches against',
    damage: (d) => d.flip('records', 'zip_h1', 'id = 5', 0),
    finds: [['record 5 (example.test/m5@v1.0.0)', 'is not what was logged']],
  },
  {
    name: 'a go.mod hash in a record that the newest head vouches against',
    damage: (d) => d.flip('records', 'mod_h1', 'id = 280', 31),
    finds: [['record 280 (example.test/m280@v1.0.0)', 'is not what was logged']],
  },
  {
    name: 'the version of a record',
    damage: (d) => d.sql(`UPDATE records SET version = 'v1.0.1' WHERE id = 299`),
    finds: [['record 299 (example.test/m299@v1.0.1)', 'is not what was logged']],
  },
  {
    name: 'a record that cannot be one',
    damage: (d) => d.sql(`UPDATE records SET path = 'a' || char(10) || 'b' WHERE id = 7`),
    finds: [['record 7 (a\nb@v1.0.0)', 'cannot be what was logged']],
  },
  {
    name: 'a record that is gone from the middle',
    damage: (d) => d.sql('DELETE FROM records WHERE id = 100'),
    finds: [['record 100', 'is missing']],
  },
  {
    name: 'the last record gone',
    damage: (d) => d.sql('DELETE FROM records WHERE id = 299'),
    finds: [['record 299', 'is missing']],
  },
  {
    name: 'a record after the newest head',
    damage: (d) =>
      d.sql(
        'INSERT INTO records SELECT 300, path, ?, zip_h1, mod_h1, source, first_seen, evidence FROM records WHERE id = 1',
        'v9.0.0',
      ),
    finds: [['record 300', 'and what follows it are covered by no head']],
  },
  {
    name: 'a bit in a full tile',
    damage: (d) => d.flip('tiles', 'data', 'level = 0 AND n = 0', 1000),
    finds: [['tile/8/0/000', 'does not hold the hashes of the records']],
  },
  {
    name: 'a bit in a partial tile',
    damage: (d) => d.flip('tiles', 'data', 'level = 0 AND n = 1', 40),
    finds: [['tile/8/0/001.p/44', 'does not hold the hashes of the records']],
  },
  {
    name: 'a bit in the tile above',
    damage: (d) => d.flip('tiles', 'data', 'level = 1', 3),
    finds: [['tile/8/1/000.p/1', 'does not hold the hashes of the records']],
  },
  {
    name: 'a tile cut short',
    damage: (d) => d.sql('UPDATE tiles SET data = substr(data, 1, 8160) WHERE level = 0 AND n = 0'),
    finds: [['tile/8/0/000', 'has 8160 bytes instead of 8192']],
  },
  {
    name: 'a partial tile that is too long',
    damage: (d) =>
      d.sql('UPDATE tiles SET data = CAST(data || zeroblob(32) AS BLOB) WHERE level = 0 AND n = 1'),
    finds: [['tile/8/0/001.p/44', 'has 1440 bytes instead of 1408']],
  },
  {
    name: 'a tile that is gone',
    damage: (d) => d.sql('DELETE FROM tiles WHERE level = 0 AND n = 0'),
    finds: [['tile/8/0/000', 'is missing']],
  },
  {
    name: 'a tile beyond the end of the tree',
    damage: (d) => d.sql('INSERT INTO tiles VALUES (0, 2, zeroblob(32)), (2, 0, zeroblob(32))'),
    finds: [
      ['tile/8/0/002', 'lies beyond'],
      ['tile/8/2/000', 'lies beyond'],
    ],
  },
  {
    name: 'the root of an old head',
    damage: (d) => d.flip('heads', 'root', 'size = 11', 0),
    finds: [
      ['head 11', 'has a root that is not that of the records'],
      ['head 11', 'carries a signature for another tree'],
    ],
  },
  {
    name: 'the signature of an old head',
    damage: (d) => d.flip('heads', 'note', 'size = 11', 120),
    finds: [['head 11', "has no good signature by this log's key"]],
  },
  {
    name: 'a head signed by another key of the same name',
    damage: (d) => {
      using log = new LogReader(d.file('gokeep.db'));
      const { skey } = generateKey(LOG_NAME, Buffer.alloc(32, 9));
      const note = signNote(formatTree(log.headAt(11)!), [parseSigner(skey)]);
      d.sql('UPDATE heads SET note = ? WHERE size = 11', note);
    },
    finds: [['head 11', "has no good signature by this log's key"]],
  },
  {
    name: 'the note of another head',
    damage: (d) => d.sql('UPDATE heads SET note = (SELECT note FROM heads WHERE size = 1) WHERE size = 11'),
    finds: [['head 11', 'carries a signature for another tree, of size 1']],
  },
  {
    name: 'a head in the middle that was never signed',
    damage: (d) => d.sql('UPDATE heads SET note = NULL WHERE size = 11'),
    finds: [['head 11', 'was never signed']],
  },
  {
    name: 'a history rewritten with its tiles, through every head that was signed over it',
    damage: (d) => {
      d.flip('records', 'zip_h1', 'id = 10', 0);
      recomputeTiles(d);
    },
    finds: [
      ['head 11', 'has a root that is not'],
      ['head 12', 'has a root that is not'],
      ['head 256', 'has a root that is not'],
      ['head 257', 'has a root that is not'],
      ['head 300', 'has a root that is not'],
    ],
  },
  {
    name: 'a mark that is missing',
    damage: (d) => rmSync(d.file('sumdb.mark')),
    finds: [['the high-water mark', 'is missing']],
  },
  {
    name: 'a mark that is newer than the database',
    damage: (d) => writeFileSync(d.file('sumdb.mark'), mark(301, ROOT)),
    finds: [['the high-water mark', 'stands at 301 but the database ends at 300']],
  },
  {
    name: 'a mark on another history',
    damage: (d) => writeFileSync(d.file('sumdb.mark'), mark(300, ROOT)),
    finds: [['the high-water mark', 'stands on a head of size 300 that this database never had']],
  },
  {
    name: 'a mark of another log',
    damage: (d) => writeFileSync(d.file('sumdb.mark'), mark(300, ROOT, 'sum.other.test')),
    finds: [['the high-water mark', 'cannot be used']],
  },
  {
    name: 'a mark that was put back from a copy',
    damage: (d) => {
      using log = new LogReader(d.file('gokeep.db'));
      writeFileSync(d.file('sumdb.mark'), mark(11, log.headAt(11)!.root.toString('hex')));
    },
    finds: [['the high-water mark', 'stands at 11 while the database was signed up to 300']],
  },
];

describe('the audit of a log', () => {
  it('finds nothing in a sound log', () => {
    const { facts, findings } = sound.audit();
    expect(findings).toEqual([]);
    expect(facts).toMatchObject({ records: 300, waiting: false });
    expect(facts.heads).toBeGreaterThanOrEqual(6);
  });

  it.each(cases)('finds $name, and nothing else', ({ damage, finds }) => {
    using damaged = sound.copy();
    damage(damaged);
    const { findings } = damaged.audit();
    expect(findings.map(({ subject }) => subject)).toEqual(finds.map(([subject]) => subject));
    for (const [at, [, problem]] of finds.entries())
      expect(findings[at]!.problem.slice(0, problem.length)).toBe(problem);
  });

  it('allows one head at the end that is integrated and waits for its signature', () => {
    using interrupted = sound.copy();
    interrupted.sql('UPDATE heads SET note = NULL, signed_at = NULL WHERE size = 300');
    expect(interrupted.audit()).toMatchObject({ findings: [], facts: { waiting: true } });
  });

  it('finds nothing in a log that has no records yet', async () => {
    using empty = await DataDirectory.create();
    expect(empty.audit()).toMatchObject({ findings: [], facts: { records: 0, heads: 1 } });
  });

  it('says what SQLite finds in its own file', () => {
    using damaged = sound.copy();
    const bytes = readFileSync(damaged.file('gokeep.db'));
    const page = bytes.lastIndexOf('example.test/m250');
    bytes.fill(0xff, page - (page % 4096) + 8, page - (page % 4096) + 60);
    writeFileSync(damaged.file('gokeep.db'), bytes);
    expect(damaged.audit().findings.some(({ kind }) => kind === 'database')).toBe(true);
  });

  it('is not misled by a log that grows meanwhile', () => {
    using growing = sound.copy();
    const writer = new LogWriter(growing.file('gokeep.db'));
    const signer = parseSigner(growing.key.skey);
    const engine = new LogEngine(
      writer,
      new HighWaterMark(growing.file('sumdb.mark'), LOG_NAME),
      signer,
      Date.now,
    );
    let grown = 0;
    const { facts, findings } = growing.audit(() => {
      grown += 150;
      engine.append(range(150 + grown, 300 + grown));
    });
    expect(findings).toEqual([]);
    expect(grown).toBe(300);
    expect(facts.records).toBe(300);
    writer.close();
    expect(growing.audit()).toMatchObject({ findings: [], facts: { records: 600 } });
  });
});
