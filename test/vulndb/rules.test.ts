import { describe, expect, it } from 'vitest';
import { gzipDeterministic } from '../../src/vulndb/gzip.ts';
import { checkVulndbFile, checkVulndbName, entryName, maxVulndbBytes } from '../../src/vulndb/rules.ts';
import { makeDatabase, MODIFIED } from './made-database.ts';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const ENTRY = 'ID/GO-2024-0001.json';
const WHEN = Date.parse(MODIFIED);

describe('the name of a file of a vulnerability database', () => {
  it.each([
    ['index/db.json', 'db', false],
    ['index/modules.json.gz', 'modules', true],
    ['index/vulns.json', 'vulns', false],
    ['ID/GO-2024-0001.json.gz', 'entry', true],
    [`ID/${'x'.repeat(64)}.json`, 'entry', false],
  ])('%s is one', (name, kind, gzipped) => {
    expect(checkVulndbName(name)).toMatchObject({ kind, gzipped, plain: name.replace(/\.gz$/, '') });
  });

  it.each([
    '',
    'index/db',
    'index/other.json',
    'index/db.json.gz.gz',
    'index/db.json\n',
    '/index/db.json',
    'Index/db.json',
    'index/../index/db.json',
    'ID/.json',
    'ID/../index/db.json',
    'ID/..%2f..%2fetc.json',
    'ID/a/b.json',
    'ID/a\\b.json',
    'ID/a.b.json',
    'ID/a\0.json',
    'ID/ünicode.json',
    `ID/${'x'.repeat(65)}.json`,
    'id/GO-2024-0001.json',
  ])('%j is none', (name) => {
    expect(() => checkVulndbName(name)).toThrow(expect.objectContaining({ code: 'bad_request' }));
  });

  it.each(['../x', 'a/b', '', 'x'.repeat(65), 'a.b'])('is not made of the id %j', (id) => {
    expect(() => entryName(id)).toThrow(expect.objectContaining({ code: 'bad_request' }));
  });
});

describe('a file of a vulnerability database', () => {
  it('is accepted in the form of the public one, and says which vulnerabilities and when', () => {
    const files = makeDatabase([
      { id: 'GO-2024-0001', path: 'example.test/a', fixed: '1.2.0' },
      { id: 'GO-2024-0002', path: 'example.test/b' },
    ]);
    const content = (name: string) => checkVulndbFile(name, files.get(name)!);
    const vulns = [
      { id: 'GO-2024-0001', modified: WHEN },
      { id: 'GO-2024-0002', modified: WHEN },
    ];
    expect(content('index/db.json')).toEqual({ kind: 'db', modified: WHEN, modifiedText: MODIFIED });
    expect(content('index/modules.json')).toEqual({ kind: 'modules', vulns });
    expect(content('index/vulns.json')).toEqual({ kind: 'vulns', vulns });
    expect(content(ENTRY)).toEqual({ kind: 'entry', id: 'GO-2024-0001', modified: WHEN });
    const packed = gzipDeterministic(files.get(ENTRY)!);
    expect(checkVulndbFile(`${ENTRY}.gz`, packed)).toEqual(content(ENTRY));
  });

  it.each<[string, Buffer, RegExp]>([
    ['index/db.json', Buffer.from('<!DOCTYPE html>'), /is not JSON/],
    ['index/db.json', Buffer.from([0x22, 0xff, 0x22]), /is not JSON/],
    ['index/db.json', json([]), /should be an object/],
    ['index/db.json', json({}), /no time/],
    ['index/db.json', json({ modified: 'yesterday' }), /no time/],
    ['index/db.json', json({ modified: '2024-13-01T00:00:00Z' }), /no time/],
    ['index/db.json', json({ modified: 1 }), /no time/],
    ['index/modules.json', json({}), /no list of modules/],
    ['index/modules.json', json([null]), /should be an object/],
    ['index/modules.json', json([{ path: '', vulns: [] }]), /without a path/],
    ['index/modules.json', json([{ path: 'a' }]), /no list of vulnerabilities of "a"/],
    ['index/modules.json', json([{ path: 'a', vulns: [{ id: '../x', modified: MODIFIED }] }]), /is no id/],
    ['index/modules.json', json([{ path: 'a', vulns: [{ id: 'GO-1' }] }]), /no time/],
    [
      'index/modules.json',
      json([{ path: 'a', vulns: [{ id: 'G', modified: MODIFIED, fixed: 1 }] }]),
      /version/,
    ],
    [
      'index/modules.json',
      json([
        { path: 'a', vulns: [] },
        { path: 'a', vulns: [] },
      ]),
      /"a" twice/,
    ],
    ['index/vulns.json', json(null), /no list/],
    ['index/vulns.json', json([{ id: 7, modified: MODIFIED }]), /is no id/],
    [ENTRY, json({ id: 'GO-2024-0002', modified: MODIFIED }), /describes "GO-2024-0002" instead/],
    [ENTRY, json({ modified: MODIFIED }), /describes "undefined" instead/],
    [ENTRY, json({ id: 'GO-2024-0001' }), /no time/],
    [`${ENTRY}.gz`, json({ id: 'GO-2024-0001', modified: MODIFIED }), /not a whole gzip file/],
  ])('%s is refused when it is garbage: %#', (name, body, why) => {
    const said = expect.objectContaining({
      code: 'bad_request',
      message: expect.stringMatching(why) as string,
    });
    expect(() => checkVulndbFile(name, body)).toThrow(said);
  });

  it('is refused when it is too large, and as gzip when it becomes too large, without unpacking the rest', () => {
    const max = maxVulndbBytes(ENTRY);
    expect(() => checkVulndbFile(ENTRY, Buffer.alloc(max + 1, ' '))).toThrow(/larger than/);
    const bomb = gzipDeterministic(Buffer.alloc(max + 1, ' '));
    expect(bomb.length).toBeLessThan(max / 100);
    expect(() => checkVulndbFile(`${ENTRY}.gz`, bomb)).toThrow(/unpacks to more than/);
  });

  it('is refused as gzip when anything follows or its end is missing, as Go would', () => {
    const packed = gzipDeterministic(json({ modified: MODIFIED }));
    const file = 'index/db.json.gz';
    expect(checkVulndbFile(file, packed)).toMatchObject({ kind: 'db' });
    expect(() => checkVulndbFile(file, Buffer.concat([packed, Buffer.alloc(3)]))).toThrow(/goes on after/);
    expect(() => checkVulndbFile(file, packed.subarray(0, -1))).toThrow(/not a whole gzip/);
  });
});

describe('gzip of our own', () => {
  it('is the same for the same bytes, and names neither time nor system', () => {
    const body = Buffer.alloc(100_000, 'some text ');
    const packed = gzipDeterministic(body);
    expect(gzipDeterministic(Buffer.from(body)).equals(packed)).toBe(true);
    expect([...packed.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
  });
});
