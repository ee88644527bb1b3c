import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ModuleStore } from '../../src/store/module-store.ts';

let data: string;
let store: ModuleStore;

beforeEach(async () => {
  data = mkdtempSync(path.join(tmpdir(), 'gokeep-store-'));
  store = new ModuleStore(data);
  await store.clearTemporary();
});

afterEach(() => rmSync(data, { recursive: true, force: true }));

const temporaries = () => readdirSync(path.join(data, 'tmp'));

describe('the module store', () => {
  it('keeps files where GOPROXY=file:// finds them, in escaped form', async () => {
    await store.keep('mod', 'example.test/Upper', 'v1.0.0-RC.1', Buffer.from('module x\n'));
    const file = path.join(data, 'download', 'example.test/!upper/@v/v1.0.0-!r!c.1.mod');
    expect(readFileSync(file, 'utf8')).toBe('module x\n');
    expect(store.fileName('mod', 'example.test/Upper', 'v1.0.0-RC.1')).toBe(file);
    expect(await store.read('mod', 'example.test/Upper', 'v1.0.0-RC.1')).toEqual(Buffer.from('module x\n'));
    expect(await store.size('mod', 'example.test/Upper', 'v1.0.0-RC.1')).toBe(9);
    expect(temporaries()).toEqual([]);
  });

  it('says undefined for what it does not hold', async () => {
    expect(await store.read('zip', 'example.test/a', 'v1.0.0')).toBeUndefined();
    expect(await store.size('zip', 'example.test/a', 'v1.0.0')).toBeUndefined();
    expect(await store.heldVersions('zip', 'example.test/a')).toEqual([]);
    await store.discard('zip', 'example.test/a', 'v1.0.0');
  });

  it('never changes a file that has its name', async () => {
    await store.keep('mod', 'example.test/a', 'v1.0.0', Buffer.from('first'));
    await store.keep('mod', 'example.test/a', 'v1.0.0', Buffer.from('second'));
    expect(await store.read('mod', 'example.test/a', 'v1.0.0')).toEqual(Buffer.from('first'));
    expect(temporaries()).toEqual([]);
  });

  it('has a whole file or none under a name while many write it', async () => {
    const body = Buffer.alloc(300_000, 'x');
    const stop = new AbortController();
    const seen = new Set<number | undefined>();
    const watch = (async () => {
      while (!stop.signal.aborted) {
        seen.add((await store.read('mod', 'example.test/a', 'v1.0.0'))?.length);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await Promise.all(Array.from({ length: 20 }, () => store.keep('mod', 'example.test/a', 'v1.0.0', body)));
    stop.abort();
    await watch;
    seen.delete(undefined);
    expect([...seen].filter((size) => size !== body.length)).toEqual([]);
    expect(temporaries()).toEqual([]);
  });

  it('lists the releases whose zip it holds, in order, for file:// clients', async () => {
    const versions = ['v1.10.0', 'v1.9.0', 'v2.0.0-RC.1', 'v0.0.0-20240102030405-0123456789ab'];
    await Promise.all(
      versions.map((version) => store.keep('zip', 'example.test/a', version, Buffer.from('z'))),
    );
    await store.keep('mod', 'example.test/a', 'v3.0.0', Buffer.from('module x\n'));
    const list = path.join(data, 'download', 'example.test/a/@v/list');
    expect(readFileSync(list, 'utf8')).toBe('v1.9.0\nv1.10.0\nv2.0.0-RC.1\n');
  });

  it('cleans up what a crash left half-written, and nothing else', async () => {
    await store.keep('mod', 'example.test/a', 'v1.0.0', Buffer.from('kept'));
    mkdirSync(path.join(data, 'tmp', 'directory'));
    writeFileSync(path.join(data, 'tmp', 'half'), 'half of a zi');
    await new ModuleStore(data).clearTemporary();
    expect(temporaries()).toEqual([]);
    expect(await store.read('mod', 'example.test/a', 'v1.0.0')).toEqual(Buffer.from('kept'));
  });

  it('leaves no temporary file when the place for a file is taken by something else, and says storage_failed', async () => {
    writeFileSync(path.join(data, 'download', 'example.test'), 'a file where a directory has to be');
    await expect(store.keep('zip', 'example.test/a', 'v1.0.0', Buffer.from('z'))).rejects.toMatchObject({
      code: 'storage_failed',
    });
    expect(temporaries()).toEqual([]);
  });

  it('says storage_failed when a list cannot be written; the next, waiting behind it, is', async () => {
    await store.keep('zip', 'example.test/a', 'v1.0.0', Buffer.from('z'));
    const list = path.join(data, 'download', 'example.test/a/@v/list');
    rmSync(list);
    mkdirSync(path.join(list, 'in-the-way'), { recursive: true });
    const first = store.writeList('example.test/a');
    const second = store.writeList('example.test/a');
    await expect(first).rejects.toMatchObject({ code: 'storage_failed' });
    rmSync(list, { recursive: true });
    await second;
    expect(readFileSync(list, 'utf8')).toBe('v1.0.0\n');
  });
});
