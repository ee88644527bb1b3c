import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeDirectories, makeDirectory } from '../../src/store/durable-file.ts';

/** Directories whose sync has returned, which takes its time here. */
const synced = new Set<string>();

vi.mock(import('node:fs/promises'), async (original) => {
  const real = await original();
  const open: typeof real.open = async (name, ...more) => {
    const handle = await real.open(name, ...more);
    const sync = handle.sync.bind(handle);
    handle.sync = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      await sync();
      synced.add(String(name));
    };
    return handle;
  };
  return { ...real, open };
});

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'gokeep-durable-'));
  synced.clear();
});

afterEach(() => rm(root, { recursive: true, force: true }));

describe('makeDirectory', () => {
  it.each([
    ['the same directory', 'a/b/c', 'a/b/c'],
    ['one below', 'a/b/c', 'a/b/c/d'],
    ['one above', 'a/b/c', 'a/b'],
    ['one beside', 'a/b/c', 'a/b/d'],
  ])('returns to nobody before all parents are synced: %s made at the same time', async (_, ...wanted) => {
    await Promise.all(
      wanted.map(async (relative, at) => {
        // The second comes once the first has made its directories, and syncs.
        if (at === 1) await vi.waitUntil(() => existsSync(path.join(root, 'a')), { interval: 1 });
        const directory = path.join(root, relative);
        await makeDirectory(directory);
        expect(existsSync(directory)).toBe(true);
        for (let above = path.dirname(directory); above !== path.dirname(root); above = path.dirname(above)) {
          expect(synced).toContain(above);
        }
      }),
    );
  });

  it('syncs nothing for a directory that is there', async () => {
    await makeDirectory(root);
    expect(synced.size).toBe(0);
  });
});

describe('makeDirectories', () => {
  const at = (...names: string[]) => path.join(root, ...names);

  it('syncs every parent once, also where an earlier process had made the directory', async () => {
    await mkdir(at('a', 'b', 'one'), { recursive: true });
    await makeDirectories([at('a', 'b', 'one'), at('a', 'b', 'two')], root);
    expect([...synced].sort()).toEqual([root, at('a'), at('a', 'b')]);
  });

  it('syncs nothing again of what it has synced: only what is new beside and below', async () => {
    await makeDirectories([at('a', 'b')], root);
    synced.clear();
    await makeDirectories([at('a', 'b')], root);
    expect([...synced]).toEqual([]);
    await makeDirectories([at('a', 'b'), at('a', 'c', 'd')], root);
    expect([...synced].sort()).toEqual([at('a'), at('a', 'c')]);
  });

  it('returns to nobody before the first has synced', async () => {
    const first = makeDirectories([at('a', 'b')], root);
    const second = makeDirectories([at('a', 'b')], root);
    await Promise.race([first, second]);
    expect([...synced].sort()).toEqual([root, at('a')]);
    await Promise.all([first, second]);
  });

  it('makes and syncs anew what was removed', async () => {
    await makeDirectories([at('a', 'b')], root);
    await rm(at('a'), { recursive: true });
    synced.clear();
    await makeDirectories([at('a', 'b')], root);
    expect(existsSync(at('a', 'b'))).toBe(true);
    expect([...synced].sort()).toEqual([root, at('a')]);
  });
});
