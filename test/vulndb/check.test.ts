import { describe, expect, it } from 'vitest';
import { VulndbCheck } from '../../src/vulndb/check.ts';
import { gzipDeterministic } from '../../src/vulndb/gzip.ts';
import { makeDatabase, MODIFIED } from './made-database.ts';

const VULNS = [
  { id: 'GO-2024-0001', path: 'example.test/a' },
  { id: 'GO-2024-0002', path: 'example.test/a' },
  { id: 'GO-2024-0003', path: 'example.test/b' },
];

function problems(files: ReadonlyMap<string, Buffer>): string[] {
  const check = new VulndbCheck();
  for (const [name, body] of files) check.add(name, body);
  return check.finish().map((sentence) => sentence.replace(/^vulnerability (database files? )?/, ''));
}

function changed(change: (files: Map<string, Buffer>) => unknown): string[] {
  const files = makeDatabase(VULNS);
  change(files);
  return problems(files);
}

describe('a set of files', () => {
  it('is a whole database in any order, and says when it was modified', () => {
    const files = [...makeDatabase(VULNS)];
    for (const order of [files, files.toReversed()]) {
      const check = new VulndbCheck();
      for (const [name, body] of order) check.add(name, body);
      expect(check.finish()).toEqual([]);
      expect(check.modified).toBe(MODIFIED);
      expect(check.indexedIds.sort()).toEqual(VULNS.map(({ id }) => id));
    }
  });

  it('is whole without index/vulns.json, which old copies do not have', () => {
    expect(changed((files) => files.delete('index/vulns.json'))).toEqual([]);
  });

  it('is whole with a vulnerability of no module, which only index/vulns.json names', () => {
    const none = makeDatabase(VULNS.slice(0, 2)).get('index/modules.json')!;
    expect(changed((files) => files.set('index/modules.json', none))).toEqual([]);
  });

  it('is not whole when a file is missing', () => {
    expect(changed((files) => files.delete('index/db.json'))).toEqual(['index/db.json is missing']);
    expect(changed((files) => files.delete('index/modules.json'))).toEqual(['index/modules.json is missing']);
    expect(changed((files) => files.delete('ID/GO-2024-0002.json'))).toEqual([
      'ID/GO-2024-0002.json is missing, though index/modules.json names it',
    ]);
    expect(problems(new Map())).toHaveLength(2);
  });

  it('is not whole with an entry that no index names, or that one of the two does not', () => {
    const two = makeDatabase(VULNS.slice(0, 2));
    const less = (...names: string[]) =>
      changed((files) => names.forEach((name) => files.set(name, two.get(name)!)));
    expect(less('index/modules.json', 'index/vulns.json')).toEqual(['ID/GO-2024-0003.json is in no index']);
    expect(less('index/vulns.json')).toEqual([
      'GO-2024-0003 is in index/modules.json and not in index/vulns.json',
    ]);
  });

  it('is contradictory when index and entry differ on when it was modified: one of them is of another copy', () => {
    const later = makeDatabase([{ ...VULNS[0]!, modified: '2024-05-06T07:08:08Z' }]);
    const name = 'ID/GO-2024-0001.json';
    expect(changed((files) => files.set(name, later.get(name)!))).toEqual([
      `the indexes of the vulnerability database and its ${name} do not agree on when it was modified`,
    ]);
    const zone = makeDatabase([{ ...VULNS[0]!, modified: '2024-05-06T09:08:09.000+02:00' }]);
    expect(changed((files) => files.set(name, zone.get(name)!))).toEqual([]);
  });

  it('is contradictory when an entry is newer than the database', () => {
    expect(problems(makeDatabase(VULNS.slice(0, 1), '2024-05-06T07:08:08Z'))).toEqual([
      'GO-2024-0001 was modified after index/db.json says that anything was',
    ]);
  });

  it('has of each file both forms, saying the same, when it has gzip at all', () => {
    const both = (files: Map<string, Buffer>) => {
      const packed = [...files].map(([name, body]) => [`${name}.gz`, gzipDeterministic(body)] as const);
      for (const [name, body] of packed) files.set(name, body);
    };
    expect(changed(both)).toEqual([]);
    const name = 'ID/GO-2024-0001.json';
    expect(changed((files) => (both(files), files.delete(`${name}.gz`)))).toEqual([
      `${name}.gz is missing, others are there`,
    ]);
    expect(changed((files) => (both(files), files.delete(name)))).toEqual([
      `${name} is missing, ${name}.gz is there`,
    ]);
    const other = makeDatabase([{ ...VULNS[0]!, fixed: '9.9.9' }]).get(name)!;
    expect(changed((files) => (both(files), files.set(`${name}.gz`, gzipDeterministic(other))))).toEqual([
      `${name} and ${name}.gz do not say the same`,
    ]);
  });

  it('has no file twice', () => {
    const check = new VulndbCheck();
    const body = makeDatabase([]).get('index/db.json')!;
    check.add('index/db.json', body);
    expect(() => check.add('index/db.json', body)).toThrow(/is there twice/);
  });

  it('that misses thousands of files says so in some twenty sentences', () => {
    const many = Array.from({ length: 3000 }, (_, at) => ({ id: `GO-${at}`, path: 'example.test/a' }));
    const index = [...makeDatabase(many)].filter(([name]) => name.startsWith('index/'));
    expect(problems(new Map(index))).toHaveLength(21);
  });
});
