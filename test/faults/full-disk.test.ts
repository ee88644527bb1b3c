import { readdir } from 'node:fs/promises';
import path from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UpstreamReader } from '../../src/store/upstream-reader.ts';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';
import { SmallDisk } from './small-disk.ts';

const disk = SmallDisk.mount(8 * 2 ** 20);

describe.skipIf(disk === undefined)('a full disk (a tmpfs, which needs the right to mount)', () => {
  let world: UpstreamWorld;
  let gokeep: GokeepProcess;

  beforeAll(async () => {
    world = await UpstreamWorld.start();
    for (const name of ['held', 'wanted', 'big', 'later']) {
      const files =
        name === 'big' ? { 'data.bin': Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))) } : {};
      await world.publish({ path: `example.test/${name}`, version: 'v1.0.0', files });
    }
    await world.publish({ path: 'private.test/own', version: 'v1.0.0' }, { inDatabase: false });
    gokeep = await GokeepProcess.start({
      data: path.join(disk!.directory, 'data'),
      toml: `private = ["private.test"]
[[upstream]]
match = ["private.test"]
private = true
proxy = "${world.url}"
[[upstream]]
proxy = "${world.url}"
sumdb = "${world.gosumdb}"
[cache]
memory = "0B"
disk_reserve = "0B"
`,
    });
  });

  afterAll(async () => {
    await gokeep?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
    disk?.[Symbol.dispose]();
  });

  const lookup = (module: string) => `/sumdb/${gokeep.vkey.split('+')[0]!}/lookup/${module}@v1.0.0`;
  const HELD = ['info', 'mod', 'zip'].map((kind) => `/example.test/held/@v/v1.0.0.${kind}`);

  it('takes in nothing and says so, serves what it holds, and goes on once there is room', async () => {
    for (const target of [...HELD, lookup('example.test/held')])
      expect((await gokeep.get(target)).status).toBe(200);
    disk!.fill();
    const wanted = [
      lookup('example.test/wanted'),
      '/example.test/wanted/@v/v1.0.0.info',
      '/example.test/wanted/@v/v1.0.0.mod',
      '/example.test/big/@v/v1.0.0.zip',
      '/private.test/own/@v/v1.0.0.zip',
    ];
    for (const target of wanted) {
      const response = await gokeep.get(target);
      expect({ target, status: response.status, text: await response.text() }).toEqual({
        target,
        status: 503,
        text: expect.stringMatching(/the\sdisk\sof\sthe\sgokeep\sserver\sis\sfull/i),
      });
    }
    for (const target of [...HELD, lookup('example.test/held')])
      expect((await gokeep.get(target)).status).toBe(200);
    expect((await gokeep.get('/livez')).status).toBe(200);
    expect((await gokeep.get('/readyz')).status).toBe(503);
    expect(await readdir(path.join(gokeep.data, 'tmp'))).toEqual([]);

    disk!.makeRoom();
    for (const target of wanted) expect((await gokeep.get(target)).status).toBe(200);
    await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
    const modules = ['example.test/wanted@v1.0.0', 'example.test/big@v1.0.0', 'example.test/later@v1.0.0'];
    expect(await client.run('mod', 'download', ...modules)).toMatchObject({ code: 0, stderr: '' });
    expect(gokeep.child.exitCode).toBeNull();
  });

  it('ends cleanly while it is full, and starts again', async () => {
    disk!.fill();
    expect(await gokeep.stop()).toBe(0);
    disk!.makeRoom();
    gokeep = await GokeepProcess.start({
      data: gokeep.data,
      toml: `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`,
    });
    for (const target of [...HELD, lookup('example.test/held')])
      expect((await gokeep.get(target)).status).toBe(200);
  });

  it('neither fails nor delays an answer that is to be remembered as served or as wished for', async () => {
    await gokeep.stop();
    const db = new Database(path.join(gokeep.data, 'upstream.db'));
    // What was served today already would not be written again.
    db.exec('DELETE FROM served');
    db.close();
    gokeep = await GokeepProcess.start({ data: gokeep.data, toml: 'offline = true\n' });
    disk!.fill();
    for (const target of HELD) expect((await gokeep.get(target)).status).toBe(200);
    const missing = await gokeep.get('/example.test/missing/@v/v1.0.0.zip');
    expect(missing.status).toBe(404);
    expect(await missing.text()).toContain('bundle wishlist');
    const hidden = async () =>
      Number(/^gokeep_background_errors_total (.+)$/m.exec(await (await gokeep.get('/metrics')).text())?.[1]);
    // One for the wishes and one for what was served.
    await expect.poll(hidden, { timeout: 15_000 }).toBe(2);
    for (const target of HELD) expect((await gokeep.get(target)).status).toBe(200);
    disk!.makeRoom();
    expect(await gokeep.stop()).toBe(0);
    using reader = new UpstreamReader(path.join(gokeep.data, 'upstream.db'));
    expect(reader.wishes()).toMatchObject([{ path: 'example.test/missing', query: 'v1.0.0' }]);
    const today = Math.floor(Date.now() / 86_400_000);
    const held = [...reader.servedSince(today - 1)].filter((one) => one.path === 'example.test/held');
    expect(held.map(({ kind }) => kind)).toEqual(['info', 'mod', 'zip']);
  });
});
