import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Prefetch } from '../../src/proxy/prefetch.ts';

const goMod = (path: string, go: string, ...required: string[]): Buffer =>
  Buffer.from(`module ${path}\n\ngo ${go}\n\n${required.map((name) => `require ${name} v1.0.0\n`).join('')}`);

interface World {
  readonly prefetch: Prefetch;
  /** In the order asked for. */
  readonly asked: string[];
  readonly mostAtOnce: () => number;
  readonly signals: AbortSignal[];
}

/** `files` by module path; a path without a file fails. */
function start(files: Readonly<Record<string, Buffer>>, concurrency = 4, hang = false): World {
  const asked: string[] = [];
  const signals: AbortSignal[] = [];
  let running = 0;
  let most = 0;
  const prefetch = new Prefetch({
    concurrency,
    leaveAlone: (path) => path.startsWith('private.test/'),
    fetchMod: async (path, _version, signal) => {
      asked.push(path);
      signals.push(signal);
      most = Math.max(most, ++running);
      if (hang) {
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
      }
      await turn();
      running--;
      const file = files[path];
      if (file === undefined) throw new Error('upstream failed');
      return file;
    },
  });
  return { prefetch, asked, signals, mostAtOnce: () => most };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await turn();
}

describe('Prefetch', () => {
  it('follows a go.mod older than graph pruning all the way down, each file once', async () => {
    const w = start({
      'a.test/b': goMod('a.test/b', '1.16', 'a.test/c'),
      'a.test/c': goMod('a.test/c', '1.12', 'a.test/d', 'a.test/gone'),
      'a.test/d': goMod('a.test/d', '1.21', 'a.test/never'),
    });
    w.prefetch.follow('a.test/a', goMod('a.test/a', '1.16', 'a.test/b', 'a.test/c'));
    await settle();
    expect([...new Set(w.asked)].sort()).toEqual(['a.test/b', 'a.test/c', 'a.test/d', 'a.test/gone']);
    expect(w.prefetch.fetched).toBeGreaterThanOrEqual(3);
  });

  it.each(['1.17', '1.21', '1.22.3', '1.26'])('stops at go %s: go reads no further either', async (go) => {
    const w = start({});
    w.prefetch.follow('a.test/a', goMod('a.test/a', go, 'a.test/b'));
    await settle();
    expect(w.asked).toEqual([]);
  });

  it('a go.mod without a go line predates graph pruning', async () => {
    const w = start({ 'a.test/b': goMod('a.test/b', '1.21') });
    w.prefetch.follow('a.test/a', Buffer.from('module a.test/a\nrequire a.test/b v1.0.0\n'));
    await settle();
    expect(w.asked).toEqual(['a.test/b']);
  });

  it('never fetches a private path that a go.mod names, and never follows a private go.mod', async () => {
    const w = start({});
    w.prefetch.follow('a.test/a', goMod('a.test/a', '1.16', 'private.test/x', 'a.test/c', 'private.test/y'));
    w.prefetch.follow('private.test/p', goMod('private.test/p', '1.16', 'a.test/b'));
    await settle();
    expect(w.asked).toEqual(['a.test/c']);
  });

  it('is bounded: so many at a time, so many waiting', async () => {
    const names = Array.from({ length: 3_000 }, (_, i) => `a.test/m${i}`);
    const w = start({}, 3);
    w.prefetch.follow('a.test/a', goMod('a.test/a', '1.16', ...names));
    for (let i = 0; i < 3_000; i++) await turn();
    expect(w.mostAtOnce()).toBe(3);
    expect(w.asked.length).toBe(2_000);
  });

  it('concurrency 0 fetches nothing', async () => {
    const w = start({}, 0);
    w.prefetch.follow('a.test/a', goMod('a.test/a', '1.16', 'a.test/b'));
    await settle();
    expect(w.asked).toEqual([]);
  });

  it('what is no go.mod, or was held already, is followed no further', async () => {
    const w = start({});
    w.prefetch.follow('a.test/a', Buffer.from('<!DOCTYPE html>'));
    w.prefetch.follow('a.test/a', Buffer.alloc(100, 0xff));
    await settle();
    expect(w.asked).toEqual([]);
  });

  it('close stops what is under way and what waits', async () => {
    const w = start({}, 2, true);
    w.prefetch.follow('a.test/a', goMod('a.test/a', '1.16', 'a.test/b', 'a.test/c', 'a.test/d'));
    await settle();
    w.prefetch.close();
    await settle();
    expect(w.asked).toHaveLength(2);
    expect(w.signals.every((signal) => signal.aborted)).toBe(true);
  });
});
