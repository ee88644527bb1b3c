import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UpstreamReader } from '../../src/store/upstream-reader.ts';
import { UpstreamStore } from '../../src/store/upstream-store.ts';
import { WISH_KINDS, type Wish, type WishKind } from '../../src/store/wish-table.ts';
import { ModuleStore } from '../../src/store/module-store.ts';
import { makeModule } from '../world/modules.ts';
import { DataDirectory } from './data-directory.ts';
import { gokeep } from './program.ts';

const LAST = Date.UTC(2026, 10, 24, 12);

let directory: DataDirectory;
let store: UpstreamStore;

beforeEach(async () => {
  directory = await DataDirectory.create();
  const fail = (error: Error) => {
    throw error;
  };
  store = new UpstreamStore(directory.file('upstream.db'), fail, fail);
});

afterEach(async () => {
  await store.close();
  directory[Symbol.dispose]();
});

function wish(entry: string, kinds: readonly WishKind[] = ['info'], more: Partial<Wish> = {}): Wish {
  const at = entry.indexOf('@');
  const bits = kinds.reduce((all, kind) => all | WISH_KINDS[kind], 0);
  return {
    path: entry.slice(0, at),
    query: entry.slice(at + 1),
    kinds: bits,
    asked: 1,
    lastAsked: LAST,
    ...more,
  };
}

const wishlist = (...args: string[]) => gokeep(['bundle', 'wishlist', ...args, '--data', directory.data]);
const entries = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const listed = async () => entries((await wishlist()).stdout).map((line) => line.split(' ')[0]);

describe('gokeep bundle wishlist', () => {
  it('prints a line a wish, by path and version, below lines that say what it is', async () => {
    await store.keepWishes([
      wish('b.test/m@v1.10.0', ['mod', 'lookup']),
      wish('b.test/m@v1.9.0', ['info', 'mod', 'zip'], { asked: 3 }),
      wish('b.test/m@main'),
      wish('a.test/parent@latest', ['list', 'latest']),
      wish('a.test/Upper/x@v0.0.0-20240102030405-abcdefabcdef', ['zip']),
    ]);
    const { code, stdout, stderr } = await wishlist();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^(# .+\n){3}[^#]/);
    expect(stdout).toContain('gokeep bundle create');
    expect(entries(stdout)).toEqual([
      'a.test/Upper/x@v0.0.0-20240102030405-abcdefabcdef  # asked 1 time, last 2026-11-24',
      '?a.test/parent@latest  # asked 1 time, last 2026-11-24',
      'b.test/m@main  # asked 1 time, last 2026-11-24',
      'b.test/m@v1.9.0  # asked 3 times, last 2026-11-24',
      'b.test/m@v1.10.0  # asked 1 time, last 2026-11-24, only for its go.mod',
    ]);
  });

  it('prints an array with --json, and says where there is nothing without it', async () => {
    expect(JSON.parse((await wishlist('--json')).stdout)).toEqual([]);
    expect((await wishlist()).stdout).toMatch(/^# Nothing\.$/m);
    await store.keepWishes([wish('b.test/m@v1.9.0', ['zip', 'mod']), wish('a.test/m@latest', ['latest'])]);
    expect(JSON.parse((await wishlist('--json')).stdout)).toEqual([
      {
        path: 'a.test/m',
        version: 'latest',
        uncertain: true,
        kinds: ['latest'],
        asked: 1,
        last: '2026-11-24T12:00:00Z',
      },
      {
        path: 'b.test/m',
        version: 'v1.9.0',
        uncertain: false,
        kinds: ['mod', 'zip'],
        asked: 1,
        last: '2026-11-24T12:00:00Z',
      },
    ]);
  });

  it('leaves out what is held by now, with its record, and nothing else', async () => {
    const held = await makeModule({ path: 'example.test/held', version: 'v1.2.0' });
    await directory.hold(held);
    await directory.place(await makeModule({ path: 'example.test/unrecorded', version: 'v1.0.0' }));
    await store.keepAnswer('/example.test/held/@v/main.info', {
      body: Buffer.from('{"Version":"v1.2.0"}'),
      source: 'bundle',
      fetchedAt: 1,
    });
    await store.keepWishes([
      wish('example.test/held@v1.2.0', ['info', 'mod', 'zip', 'lookup']),
      wish('example.test/held@latest', ['list']),
      wish('example.test/held@v1'),
      wish('example.test/held@main'),
      wish('example.test/held@next'),
      wish('example.test/held@v1.3.0'),
      wish('example.test/unrecorded@v1.0.0', ['zip']),
      wish('example.test/unrecorded@latest', ['list']),
    ]);
    expect(await listed()).toEqual([
      'example.test/held@next',
      'example.test/held@v1.3.0',
      '?example.test/unrecorded@latest',
      'example.test/unrecorded@v1.0.0',
    ]);
  });

  it('keeps asking for a zip of which only go.mod and .info are held', async () => {
    const made = await makeModule({ path: 'example.test/half', version: 'v1.0.0' });
    await directory.append([
      {
        path: made.path,
        version: made.version,
        zip: made.h1.zip,
        mod: made.h1.mod,
        provenance: { source: 'proven', firstSeen: 1_700_000_000, evidence: 'x' },
      },
    ]);
    const files = new ModuleStore(directory.data);
    await files.keep('mod', made.path, made.version, Buffer.from(made.mod));
    await store.keepWishes([wish('example.test/half@v1.0.0', ['mod', 'lookup'])]);
    expect(await listed()).toEqual([]);
    await store.keepWishes([wish('example.test/half@v1.0.0', ['info'])]);
    expect(await listed()).toEqual(['example.test/half@v1.0.0']);
    await files.keep('info', made.path, made.version, Buffer.from(made.info));
    expect(await listed()).toEqual([]);
    await store.keepWishes([wish('example.test/half@v1.0.0', ['zip'])]);
    expect(await listed()).toEqual(['example.test/half@v1.0.0']);
  });

  it('forgets with --clear what it has written, while the server goes on', async () => {
    await store.keepWishes([wish('a.test/m@v1.0.0')]);
    const file = directory.file('wishes.txt');
    const { code, stdout } = await wishlist('--output', file, '--clear');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(entries(readFileSync(file, 'utf8'))).toEqual(['a.test/m@v1.0.0  # asked 1 time, last 2026-11-24']);
    expect(await listed()).toEqual([]);
    await store.keepWishes([wish('a.test/m@v1.1.0')]);
    expect(await listed()).toEqual(['a.test/m@v1.1.0']);
  });

  it('forgets nothing when it could not write', async () => {
    await store.keepWishes([wish('a.test/m@v1.0.0')]);
    const { code, stderr } = await wishlist('--clear', '--output', directory.file('none/such.txt'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/cannot be written; name another file by --output/);
    using reader = new UpstreamReader(directory.file('upstream.db'));
    expect(reader.wishes()).toHaveLength(1);
  });

  it('refuses a directory without a log, in a sentence', async () => {
    const { code, stderr } = await gokeep(['bundle', 'wishlist', '--data', directory.file('nowhere')]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^gokeep: .*there is no log here/);
  });
});
