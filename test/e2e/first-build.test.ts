import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { publishTree } from '../world/published-tree.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

let world: UpstreamWorld;
let gokeep: GokeepProcess;

beforeAll(async () => {
  world = await UpstreamWorld.start();
  await publishTree(world);
  gokeep = await GokeepProcess.start({
    toml: `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`,
  });
});

afterAll(async () => {
  await gokeep[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

async function build(client: GoClient): Promise<void> {
  await client.write(
    'main.go',
    'package main\n\nimport "example.test/tree/v2"\n\nfunc main() { println(tree.Version) }\n',
  );
  const get = await client.run('get', 'example.test/tree/v2@v2.1.0');
  expect(get.stderr).toContain('added example.test/tree/v2 v2.1.0');
  const built = await client.run('build', '-o', 'program', '.');
  expect(built).toMatchObject({ code: 0, stderr: '' });
}

describe('a real go build through gokeep alone', () => {
  it('verifies against our own database, reached through GOPROXY', async () => {
    await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
    await build(client);
  });

  it('verifies against our own database, reached by its address', async () => {
    await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.gosumdbWithUrl });
    await build(client);
  });

  it('verifies against the upstream database, proxied', async () => {
    await using client = await GoClient.create({
      GOPROXY: gokeep.url,
      GOSUMDB: world.vkey,
    });
    await build(client);
  });
});
