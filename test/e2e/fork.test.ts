import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { gokeep as program } from '../cli/program.ts';
import { FakeDatabase } from '../upstream/fake-database.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { UpstreamWorld, WORLD_DATABASE } from '../world/upstream-world.ts';

it('a public database that contradicts itself is believed in nothing until a person has cleared it, restarts included (case 57)', async () => {
  await using world = await UpstreamWorld.start();
  const toml = `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`;
  const version = 'v1.0.0';
  await world.publish({ path: 'example.test/held', version });
  await using first = await GokeepProcess.start({ toml });
  const evidence = path.join(first.data, 'fork-evidence.txt');
  const status = async (gokeep: GokeepProcess, name: string) =>
    (await gokeep.get(`/example.test/${name}/@v/${version}.mod`)).status;
  expect(await status(first, 'held')).toBe(200);
  const honest = world.database;
  const honestNote = honest.note().toString();

  // The same key signs another history.
  Object.assign(world, { database: new FakeDatabase() });
  world.database.add('example.test/instead', version);
  await world.publish({ path: 'example.test/second', version });
  const refused = await first.get(`/example.test/second/@v/${version}.mod`);
  expect(refused.status).toBe(502);
  expect(await refused.text()).toContain('contradict');
  const text = readFileSync(evidence, 'utf8');
  expect(text).toContain(honestNote);
  expect(text).toContain(world.database.note().toString());
  expect(await (await first.get('/metrics')).text()).toContain('gokeep_incidents_total{kind="fork"} 1');
  expect(await status(first, 'held')).toBe(200);
  await first.stop();
  const told = await program(['audit', '--kind', 'incident', '--json', '--data', first.data]);
  expect(JSON.parse(told.stdout)).toMatchObject({
    who: 'gokeep',
    facts: { incident: 'fork', database: WORLD_DATABASE },
  });

  // The database is honest again, but that it says so is not enough.
  Object.assign(world, { database: honest });
  await world.publish({ path: 'example.test/third', version });
  await using second = await GokeepProcess.start({ toml, data: first.data });
  expect(await status(second, 'third')).toBe(502);
  expect(await status(second, 'held')).toBe(200);
  expect(existsSync(evidence)).toBe(true);
  await second.stop();

  await rm(evidence);
  await using third = await GokeepProcess.start({ toml, data: first.data });
  expect(await status(third, 'third')).toBe(200);
});

it('a fork is told, and what the database said is no longer served, even where the evidence cannot be written', async () => {
  await using world = await UpstreamWorld.start();
  const toml = `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`;
  const version = 'v1.0.0';
  await world.publish({ path: 'example.test/held', version });
  await using gokeep = await GokeepProcess.start({ toml });
  const lookup = `/sumdb/${WORLD_DATABASE}/lookup/example.test/held@${version}`;
  for (let i = 0; i < 3; i++) expect((await gokeep.get(lookup)).status).toBe(200);
  // What a full disk does, also to root: the file cannot be made.
  await mkdir(path.join(gokeep.data, 'fork-evidence.txt.tmp'));

  Object.assign(world, { database: new FakeDatabase() });
  world.database.add('example.test/instead', version);
  await world.publish({ path: 'example.test/second', version });
  const refused = await gokeep.get(`/example.test/second/@v/${version}.mod`);
  expect(refused.status).toBe(502);
  expect(await refused.text()).toContain('contradict');
  expect(await (await gokeep.get('/metrics')).text()).toContain('gokeep_incidents_total{kind="fork"} 1');
  expect((await gokeep.get(lookup)).status).toBe(502);
  await gokeep.stop();
  expect(gokeep.output).toContain('contradicts itself');
  expect(gokeep.output).toContain(JSON.stringify(world.database.note().toString()).slice(1, -1));
});
