import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

let world: UpstreamWorld;

beforeEach(async () => {
  world = await UpstreamWorld.start();
});

afterEach(() => world[Symbol.asyncDispose]());

const withoutDatabase = () => `[upstream]\nproxy = "${world.url}"\nsumdb = "off"\n`;
const withDatabase = () => `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`;

describe('with upstream.sumdb = off', () => {
  it('a go.mod that names others has none of their zips fetched ahead', async () => {
    await world.publish({ path: 'example.test/named', version: 'v1.0.0' });
    const require = { 'example.test/named': 'v1.0.0' };
    await world.publish({ path: 'example.test/old', version: 'v1.0.0', go: '1.16', require });
    await using gokeep = await GokeepProcess.start({ toml: withoutDatabase() });
    expect((await gokeep.get('/example.test/old/@v/v1.0.0.mod')).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(world.moduleTargets.filter((target) => target.includes('named'))).toEqual([]);
  });

  it('a record is compared with the database once there is one: agreement is served, disagreement refused', async () => {
    const honest = await world.publish({ path: 'example.test/honest', version: 'v1.0.0' });
    const first = await world.publish(
      { path: 'example.test/swapped', version: 'v1.0.0' },
      { inDatabase: false },
    );
    const gokeep = await GokeepProcess.start({ toml: withoutDatabase() });
    await using _ = gokeep;
    for (const { path } of [honest, first]) {
      await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
      expect(await client.run('mod', 'download', `${path}@v1.0.0`)).toMatchObject({ code: 0 });
    }
    await gokeep.stop();

    // The database knows other bytes under that version than those that we were given first.
    await world.publish({ path: 'example.test/swapped', version: 'v1.0.0', files: { 'other.txt': 'other' } });
    await using again = await GokeepProcess.start({ toml: withDatabase(), data: gokeep.data });
    await using client = await GoClient.create({ GOPROXY: again.url, GOSUMDB: again.vkey });
    expect(await client.run('mod', 'download', 'example.test/honest@v1.0.0')).toMatchObject({ code: 0 });
    const refused = await client.run('mod', 'download', 'example.test/swapped@v1.0.0');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('SECURITY: example.test/swapped@v1.0.0 does not match its record');
  });
});

describe('an address that is taken', () => {
  it('is said in one sentence', async () => {
    await using gokeep = await GokeepProcess.start({ toml: withDatabase() });
    const port = Number(new URL(gokeep.url).port);
    await expect(GokeepProcess.start({ toml: withDatabase(), port })).rejects.toThrow(
      /ended \(2\):\n.*gokeep: listen: 127\.0\.0\.1:[0-9]+ is taken by another program; choose another/s,
    );
  });
});
