import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VulndbStore } from '../../src/store/vulndb-store.ts';

let data: string;
let store: VulndbStore;

beforeEach(() => {
  data = mkdtempSync(path.join(tmpdir(), 'gokeep-vulndb-'));
  store = new VulndbStore(data);
});

afterEach(() => rmSync(data, { recursive: true, force: true }));

const DB = 'index/db.json';
const inStore = (...names: string[]) => path.join(data, 'vulndb', ...names);
const held = () => readdirSync(inStore()).sort();

async function staged(text: string): Promise<string> {
  const directory = await store.stage();
  await store.put(directory, DB, Buffer.from(text));
  return directory;
}

async function publish(snapshot: string, text: string = snapshot): Promise<void> {
  await store.publish(await staged(text), snapshot);
}

describe('the store of vulnerability databases', () => {
  it('holds nothing before the first copy is published, staged or not', async () => {
    expect(store.current()).toBeUndefined();
    expect(await store.read(DB)).toBeUndefined();
    await staged('half');
    expect(store.current()).toBeUndefined();
    expect(await store.read(DB)).toBeUndefined();
  });

  it('serves the copy published last, and only files that are in it', async () => {
    await publish('first');
    const directory = await staged('second');
    await store.put(directory, 'ID/GO-2024-0001.json.gz', Buffer.from('gz'));
    expect(String(await store.read(DB))).toBe('first');
    await store.publish(directory, 'second');
    expect(store.current()).toBe('second');
    expect(String(await store.read(DB))).toBe('second');
    expect(String(await store.read('ID/GO-2024-0001.json.gz'))).toBe('gz');
    expect(await store.read('ID/GO-2024-0002.json')).toBeUndefined();
    await publish('third');
    expect(await store.read('ID/GO-2024-0001.json.gz')).toBeUndefined();
    expect(new VulndbStore(data).current()).toBe('third');
  });

  it('keeps the copy before the last for its readers, and none before that', async () => {
    for (const name of ['first', 'second', 'third']) await publish(name);
    expect(held()).toEqual(['current', 'second', 'third']);
  });

  it('removes at the next import what a crash left, and what is not served', async () => {
    await publish('first');
    await publish('second');
    mkdirSync(inStore('.staged-old', 'ID'), { recursive: true });
    writeFileSync(inStore('.staged-old', 'ID', 'x.json'), 'half');
    mkdirSync(inStore('orphan'));
    writeFileSync(inStore('current.tmp'), 'orph');
    const directory = await store.stage();
    expect(held()).toEqual([path.basename(directory), 'current', 'second']);
    expect(String(await store.read(DB))).toBe('second');
  });

  it('takes a name again that a crash left behind', async () => {
    await publish('first');
    const directory = await staged('new bytes');
    mkdirSync(inStore('second'));
    writeFileSync(inStore('second', 'half'), 'half');
    await store.publish(directory, 'second');
    expect(readdirSync(inStore('second')).sort()).toEqual(['ID', 'index']);
    expect(String(await store.read(DB))).toBe('new bytes');
  });

  it('does not touch the copy that is served when its name is published again', async () => {
    await publish('first', 'as it was');
    await publish('first', 'other bytes');
    expect(String(await store.read(DB))).toBe('as it was');
    expect(held()).toEqual(['current', 'first']);
  });

  it.each(['', 'current', 'Current', '.staged-x', '..', 'a/b', 'a\n', 'current.tmp', 'x'.repeat(101)])(
    'takes no copy under the name %j',
    async (name) => {
      await publish('first');
      const directory = await staged('second');
      await expect(store.publish(directory, name)).rejects.toMatchObject({ code: 'bad_request' });
      expect(String(await store.read(DB))).toBe('first');
    },
  );

  it.each(['../first/index/db.json', 'index/../../current', '/etc/passwd', 'ID/..%2fx.json', 'current'])(
    'reads and writes no file by the name %j',
    async (name) => {
      await publish('first');
      await expect(store.read(name)).rejects.toMatchObject({ code: 'bad_request' });
      const directory = await store.stage();
      await expect(store.put(directory, name, Buffer.from('x'))).rejects.toMatchObject({
        code: 'bad_request',
      });
    },
  );

  it('takes each file of a copy once, and nothing but files', async () => {
    const directory = await staged('first');
    await expect(store.put(directory, DB, Buffer.from('x'))).rejects.toMatchObject({
      code: 'storage_failed',
    });
    symlinkSync('/etc/passwd', path.join(directory, 'ID', 'x.json'));
    await expect(store.publish(directory, 'first')).rejects.toMatchObject({ code: 'storage_failed' });
    expect(store.current()).toBeUndefined();
  });

  it('says when its pointer is damaged, and a new import mends it', async () => {
    await publish('first');
    writeFileSync(inStore('current'), '../../etc\n');
    expect(() => store.current()).toThrow(expect.objectContaining({ code: 'storage_failed' }));
    await expect(store.read(DB)).rejects.toMatchObject({ code: 'storage_failed' });
    await publish('second');
    expect(String(await store.read(DB))).toBe('second');
  });

  it('serves the old copy when the new one cannot be put in place', async () => {
    await publish('first');
    const directory = await staged('second');
    rmSync(inStore('current.tmp'), { force: true });
    mkdirSync(inStore('current.tmp'));
    await expect(store.publish(directory, 'second')).rejects.toMatchObject({ code: 'storage_failed' });
    expect(String(await store.read(DB))).toBe('first');
    expect(readFileSync(inStore('current'), 'utf8')).toBe('first\n');
  });

  it('gives its readers the old file or the new one while copies are replaced, never none', async () => {
    await publish('v0');
    const stop = new AbortController();
    const seen = new Set<string>();
    const watch = (async () => {
      while (!stop.signal.aborted) seen.add(String(await store.read(DB)));
    })();
    for (let at = 1; at <= 20; at++) await publish(`v${at}`);
    stop.abort();
    await watch;
    expect(seen.size).toBeGreaterThan(2);
    expect([...seen].filter((text) => !/^v\d+$/.test(text))).toEqual([]);
  });
});
