import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { IndexCatalogue } from '../../src/catalogue/index-catalogue.ts';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

describe('a server that a real go downloads from', () => {
  it('has what was downloaded in its catalogue, with sizes and times', async () => {
    await using world = await UpstreamWorld.start();
    await world.publish({ path: 'example.test/leaf', version: 'v1.0.0' });
    await using gokeep = await GokeepProcess.start({
      toml: `[[upstream]]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`,
    });
    await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
    expect(await client.run('mod', 'download', 'example.test/leaf@v1.0.0')).toMatchObject({ code: 0 });
    using catalogue = new IndexCatalogue(path.join(gokeep.data, 'catalogue.db'), () => undefined);
    await vi.waitFor(
      () => {
        catalogue.reopen();
        expect(catalogue.facts('example.test/leaf', 'v1.0.0')).toMatchObject({
          packages: [{ importPath: 'example.test/leaf' }],
        });
      },
      { timeout: 20_000, interval: 100 },
    );
    expect(catalogue.versions('example.test/leaf')).toEqual([
      { version: 'v1.0.0', size: expect.any(Number), time: expect.any(Number) },
    ]);
    expect(catalogue.search('leaf', { mayRead: () => true, limit: 5 }).modules).toMatchObject([
      { path: 'example.test/leaf', version: 'v1.0.0' },
    ]);
  });
});
