import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeDirectory } from '../../src/store/durable-file.ts';

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
