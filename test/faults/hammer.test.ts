import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

/** More than are asked for while the clients are at work, by pace. */
const APPENDED = 2_000;
const USED = 30;

let world: UpstreamWorld;
let gokeep: GokeepProcess;

beforeAll(async () => {
  world = await UpstreamWorld.start();
  const publish = (name: string, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, n) =>
        world.publish({ path: `example.test/${name}${n}`, version: 'v1.0.0' }),
      ),
    );
  await publish('used', USED);
  await publish('appended', APPENDED);
  gokeep = await GokeepProcess.start({
    toml: `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`,
  });
});

afterAll(async () => {
  await gokeep[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

describe('while the log grows under it', () => {
  it('a real go verifies every module, with a tree that it remembers and without one', async () => {
    const name = gokeep.vkey.split('+')[0]!;
    const modules = Array.from({ length: USED }, (_, n) => `example.test/used${n}@v1.0.0`);
    await using early = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
    expect(await early.run('mod', 'download', modules[0]!)).toMatchObject({ code: 0, stderr: '' });

    let next = 0;
    const stop = new AbortController();
    const failed: string[] = [];
    const append = async () => {
      while (!stop.signal.aborted && next < APPENDED) {
        const module = `example.test/appended${next++}@v1.0.0`;
        const response = await gokeep.get(`/sumdb/${name}/lookup/${module}`);
        if (!response.ok) failed.push(`${module}: ${await response.text()}`);
        else await response.arrayBuffer();
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const appends = Promise.all([append(), append(), append(), append()]);
    await using late = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
    for (let at = 0; at < USED; at += 10) {
      const before = next;
      const some = modules.slice(at, at + 10);
      const [first, second] = await Promise.all([
        early.run('mod', 'download', ...some),
        late.run('mod', 'download', ...some),
      ]);
      expect(first).toMatchObject({ code: 0, stderr: '' });
      expect(second).toMatchObject({ code: 0, stderr: '' });
      expect(next).toBeGreaterThan(before);
    }
    stop.abort();
    await appends;
    expect(failed).toEqual([]);
    const latest = await (await gokeep.get(`/sumdb/${name}/latest`)).text();
    expect(latest.split('\n')[1]).toBe(String(next + USED));
    // A tree that has grown by hundreds of records is still the one that it remembers.
    expect(await early.run('mod', 'download', 'example.test/appended0@v1.0.0')).toMatchObject({
      code: 0,
      stderr: '',
    });
  });
});
