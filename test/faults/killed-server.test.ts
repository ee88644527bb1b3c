import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gokeep as runProgram } from '../cli/program.ts';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const MODULES = 400;

let world: UpstreamWorld;
let directory: string;

beforeAll(async () => {
  world = await UpstreamWorld.start();
  await Promise.all(
    Array.from({ length: MODULES }, (_, n) =>
      world.publish({ path: `example.test/m${n}`, version: 'v1.0.0' }),
    ),
  );
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-killed-'));
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

describe('a server killed (-9) again and again while it takes modules in', () => {
  it('has every record that it answered with, and a go that remembers its tree still trusts it', async () => {
    const data = path.join(directory, 'data');
    const toml = `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`;
    const answered = new Map<string, string>();
    let gokeep = await GokeepProcess.start({ data, toml });
    const port = Number(new URL(gokeep.url).port);
    await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
    const name = gokeep.vkey.split('+')[0]!;
    let next = 0;
    for (let round = 0; round < 3; round++) {
      expect(await client.run('mod', 'download', `example.test/m${round}@v1.0.0`)).toMatchObject({
        code: 0,
        stderr: '',
      });
      const take = async (): Promise<void> => {
        for (;;) {
          const module = `example.test/m${next++ % MODULES}@v1.0.0`;
          // The record without the signed tree, which may have grown.
          const text = await gokeep.get(`/sumdb/${name}/lookup/${module}`).then(
            async (response) => (response.ok ? await response.text() : ''),
            () => undefined,
          );
          if (text === undefined) return;
          expect(text).not.toBe('');
          answered.set(module, text.split('\n\n')[0]!);
          void gokeep.get(`/${module.replace('@', '/@v/')}.zip`).catch(() => undefined);
        }
      };
      const under = [take(), take(), take()];
      await new Promise((resolve) => setTimeout(resolve, 150 + round * 100));
      await gokeep.stop('SIGKILL');
      await Promise.all(under);
      gokeep = await GokeepProcess.start({ data, toml, port });
    }
    expect(answered.size).toBeGreaterThan(10);
    for (const [module, record] of answered) {
      const response = await gokeep.get(`/sumdb/${name}/lookup/${module}`);
      expect((await response.text()).split('\n\n')[0]).toBe(record);
    }
    expect(await client.run('mod', 'download', 'example.test/m399@v1.0.0')).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect(await gokeep.stop()).toBe(0);
    expect(await runProgram(['fsck', '--data', data])).toMatchObject({ code: 0 });
  });
});
