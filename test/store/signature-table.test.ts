import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { SignatureTable } from '../../src/store/signature-table.ts';

let directory: string;
let db: Database;
let table: SignatureTable;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-signatures-'));
  db = openDatabase(path.join(directory, 'gokeep.db'), 'log');
  table = new SignatureTable(db);
});

afterEach(async () => {
  db.close();
  await rm(directory, { recursive: true, force: true });
});

const one = (kind: 'key' | 'unknown', verifiedAt = 1) => ({
  id: 'a',
  bundle: '{}',
  verdict: JSON.stringify({ signer: { kind } }),
  verifiedAt,
});
const keep = (path: string, version: string, ...signatures: ReturnType<typeof one>[]) =>
  table.keep([{ path, version, signatures }]);

describe('the signatures of versions', () => {
  it('keep the verdict that they have, unless nobody was known to vouch for it', () => {
    keep('a.test', 'v1.0.0', one('unknown', 1));
    keep('a.test', 'v1.0.0', one('unknown', 2));
    expect(table.of('a.test', 'v1.0.0')).toEqual([one('unknown', 1)]);
    keep('a.test', 'v1.0.0', one('key', 3));
    expect(table.of('a.test', 'v1.0.0')).toEqual([one('key', 3)]);
    keep('a.test', 'v1.0.0', one('key', 4));
    keep('a.test', 'v1.0.0', one('unknown', 5));
    expect(table.of('a.test', 'v1.0.0')).toEqual([one('key', 3)]);
  });

  it('of one call are kept all or not at all', () => {
    const broken = { ...one('key'), bundle: null as unknown as string };
    expect(() =>
      table.keep([
        { path: 'a.test', version: 'v1.0.0', signatures: [one('key')] },
        { path: 'b.test', version: 'v1.0.0', signatures: [broken] },
      ]),
    ).toThrow();
    expect(table.versionsAfter('', '', 10)).toEqual([]);
  });

  it('are found a page at a time, in the order of path and version', () => {
    const all = [
      { path: 'a.test', version: 'v1.0.0' },
      { path: 'a.test', version: 'v1.1.0' },
      { path: 'b.test', version: 'v0.9.0' },
    ];
    for (const { path: name, version } of all.toReversed())
      keep(name, version, one('key'), { ...one('key'), id: 'b' });
    expect(table.versionsAfter('', '', 2)).toEqual(all.slice(0, 2));
    expect(table.versionsAfter('a.test', 'v1.1.0', 2)).toEqual(all.slice(2));
    expect(table.versionsAfter('b.test', 'v0.9.0', 2)).toEqual([]);
  });
});
