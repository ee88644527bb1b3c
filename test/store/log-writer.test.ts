import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogReader } from '../../src/store/log-reader.ts';
import { LogWriter, type NewRecord } from '../../src/store/log-writer.ts';

let directory: string;
let writer: LogWriter;
let reader: LogReader;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'gokeep-writer-'));
  writer = new LogWriter(path.join(directory, 'log.db'));
  reader = new LogReader(path.join(directory, 'log.db'));
});

afterEach(() => {
  reader.close();
  writer.close();
  rmSync(directory, { recursive: true, force: true });
});

const hash = (byte: number) => Buffer.alloc(32, byte);
const record = (path: string, byte = 1): NewRecord => ({
  path,
  version: 'v1.0.0',
  zipH1: hash(byte),
  modH1: hash(byte),
  provenance: { source: 'seeded', firstSeen: 12, evidence: 'go.sum of app' },
});
const head = (size: number) => ({ size, root: hash(size) });
const failed = expect.objectContaining({ code: 'storage_failed' });

describe('integrate', () => {
  it.each([
    ['a record that is there', 1, [record('b.test/b'), record('a.test/a', 2)], head(3)],
    ['an index that is taken', 0, [record('b.test/b')], head(2)],
    ['a head of a size that is there', 1, [record('b.test/b')], head(1)],
    [
      'a hash that is too short',
      1,
      [record('b.test/b'), { ...record('c.test/c'), modH1: Buffer.alloc(5) }],
      head(3),
    ],
  ])('leaves nothing behind when it fails: %s', (_what, from, records, to) => {
    writer.integrate(0, [record('a.test/a')], [{ level: 0, n: 0, data: hash(1) }], head(1));
    expect(() => writer.integrate(from, records, [{ level: 0, n: 0, data: hash(2) }], to)).toThrow(failed);
    expect(reader.recordCount()).toBe(1);
    expect(reader.find('b.test/b', 'v1.0.0')).toBeUndefined();
    expect(reader.tile(0, 0)).toEqual(hash(1));
    expect(writer.newestHead()).toMatchObject(head(1));
  });

  it('keeps where each record came from', () => {
    writer.integrate(0, [record('a.test/a'), record('b.test/b')], [], head(2));
    expect(reader.provenance(1)).toEqual({ source: 'seeded', firstSeen: 12, evidence: 'go.sum of app' });
    expect(reader.provenance(2)).toBeUndefined();
  });
});

describe('publish', () => {
  it('signs the head that waits, once, and no other', () => {
    writer.integrate(0, [record('a.test/a')], [], head(1));
    expect(reader.publishedHead()).toBeUndefined();
    expect(() => writer.publish({ size: 1, root: hash(9) }, Buffer.from('note'), 5)).toThrow(failed);
    expect(() => writer.publish(head(2), Buffer.from('note'), 5)).toThrow(failed);
    writer.publish(head(1), Buffer.from('note'), 5);
    expect(() => writer.publish(head(1), Buffer.from('another note'), 6)).toThrow(failed);
    expect(reader.publishedHead()).toEqual({ ...head(1), note: Buffer.from('note'), signedAt: 5 });
  });
});

describe('recordIncident', () => {
  it('keeps what was seen, newest first', () => {
    const incident = {
      kind: 'zip',
      path: 'a.test/a',
      version: 'v1.0.0',
      recorded: 'h1:a',
      seen: 'h1:b',
      source: 's',
    };
    writer.recordIncident({ ...incident, at: 1 });
    writer.recordIncident({ ...incident, at: 2, kind: 'mod' });
    expect(reader.incidents(10).map(({ at, kind }) => [at, kind])).toEqual([
      [2, 'mod'],
      [1, 'zip'],
    ]);
    expect(reader.incidents(1)).toHaveLength(1);
  });
});
