import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogReader } from '../../src/store/log-reader.ts';
import type { Incident } from '../../src/store/log-records.ts';
import { formatGoSumRecord } from '../../src/tlog/go-sum-record.ts';
import { GoClient, type GoResult } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { type MadeModule, makeModule } from '../world/modules.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const VERSION = 'v1.0.0';
const databaseName = (server: GokeepProcess): string => server.vkey.split('+')[0]!;

/** The same version once more, by somebody else: other code and another go.mod. */
const swapped = (made: MadeModule): Promise<MadeModule> =>
  makeModule({ ...made, go: '1.20', files: { 'module.go': 'package swapped\n\nfunc init() { evil() }\n' } });

async function download(server: GokeepProcess, gosumdb: string, ...modules: string[]): Promise<GoResult> {
  await using client = await GoClient.create({ GOPROXY: server.url, GOSUMDB: gosumdb });
  return await client.run('mod', 'download', ...modules);
}

/** What a person reads, without the line breaks. */
const readable = (text: string): string => text.replaceAll(/\s+/g, ' ');

function expectRefused({ code, stderr }: GoResult, { path: name, version }: MadeModule, what: string): void {
  expect(code).toBe(1);
  expect(readable(stderr)).toContain(`SECURITY: ${name}@${version} does not match its record: ${what}`);
  expect(readable(stderr)).toContain('Nothing was stored or served. Do not use this version');
}

/** Incidents are written behind the answer. */
async function incidentsOf(server: GokeepProcess, { path: name }: MadeModule): Promise<Incident[]> {
  const reader = new LogReader(path.join(server.data, 'gokeep.db'));
  try {
    return await expect
      .poll(() => reader.incidents(100).filter((incident) => incident.path === name), { timeout: 5_000 })
      .not.toEqual([])
      .then(() => reader.incidents(100).filter((incident) => incident.path === name));
  } finally {
    reader.close();
  }
}

const incidentCount = async (server: GokeepProcess, kind: string): Promise<number> =>
  Number(
    new RegExp(`^gokeep_incidents_total\\{kind="${kind}"\\} (\\d+)$`, 'm').exec(
      await (await server.get('/metrics')).text(),
    )?.[1] ?? 0,
  );

describe('a public module', () => {
  let world: UpstreamWorld;
  let gokeep: GokeepProcess;

  beforeAll(async () => {
    world = await UpstreamWorld.start();
    gokeep = await GokeepProcess.start({ toml: toml(world) });
  });

  afterAll(async () => {
    await gokeep[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  it('whose zip differs from the record is refused, and go prints why', async () => {
    const made = await world.publish({ path: 'example.test/zip', version: VERSION });
    const other = await swapped(made);
    world.serve({ ...made, zip: other.zip });
    const before = await incidentCount(gokeep, 'zip');
    expectRefused(await download(gokeep, gokeep.vkey, `${made.path}@${VERSION}`), made, 'the zip');
    expect(await incidentsOf(gokeep, made)).toMatchObject([
      { kind: 'zip', version: VERSION, recorded: made.h1.zip, seen: other.h1.zip, source: world.url },
    ]);
    expect(await incidentCount(gokeep, 'zip')).toBe(before + 1);
    const held = await gokeep.get(`/cached-only/${made.path}/@v/${VERSION}.zip`);
    expect(held.status).toBe(404);
    world.serve(made);
    expect(await download(gokeep, gokeep.vkey, `${made.path}@${VERSION}`)).toMatchObject({ code: 0 });
  });

  it('whose go.mod differs from the record is refused, and go prints why', async () => {
    const made = await world.publish({ path: 'example.test/mod', version: VERSION });
    const other = await swapped(made);
    world.serve({ ...made, mod: other.mod });
    const before = await incidentCount(gokeep, 'mod');
    expectRefused(await download(gokeep, gokeep.vkey, `${made.path}@${VERSION}`), made, 'the go.mod file');
    expect(await incidentsOf(gokeep, made)).toMatchObject([
      { kind: 'mod', recorded: made.h1.mod, seen: other.h1.mod },
    ]);
    expect(await incidentCount(gokeep, 'mod')).toBe(before + 1);
  });

  it('is refused to clients that check nothing, too', async () => {
    const made = await world.publish({ path: 'example.test/unchecked', version: VERSION });
    world.serve({ ...made, zip: (await swapped(made)).zip });
    expectRefused(await download(gokeep, 'off', `${made.path}@${VERSION}`), made, 'the zip');
  });

  it('that was admitted before the swap is served as it was', async () => {
    const made = await world.publish({ path: 'example.test/before', version: VERSION });
    expect(await download(gokeep, gokeep.vkey, `${made.path}@${VERSION}`)).toMatchObject({ code: 0 });
    world.serve(await swapped(made));
    expect(await download(gokeep, gokeep.vkey, `${made.path}@${VERSION}`)).toMatchObject({ code: 0 });
    const zip = await gokeep.get(`/${made.path}/@v/${VERSION}.zip`);
    expect(Buffer.from(await zip.arrayBuffer()).equals(made.zip)).toBe(true);
  });
});

describe('another record in the public database, proven by its tree like the first', () => {
  it('is refused to clients of that database, and ours stays as it was', async () => {
    await using world = await UpstreamWorld.start();
    await using gokeep = await GokeepProcess.start({ toml: toml(world) });
    const made = await world.publish({ path: 'example.test/record', version: VERSION });
    const version = `${made.path}@${VERSION}`;
    expect(await download(gokeep, gokeep.vkey, version)).toMatchObject({ code: 0 });
    await gokeep.stop();
    // What we remember of that database is gone, so it is asked anew; our own log remembers.
    for (const ending of ['', '-wal', '-shm']) {
      await rm(path.join(gokeep.data, `upstream.db${ending}`), { force: true });
    }
    const other = await swapped(made);
    world.serve(other);
    world.database.add(made.path, VERSION, formatGoSumRecord(made.path, VERSION, other.h1.zip, other.h1.mod));
    await using again = await GokeepProcess.start({ toml: toml(world), data: gokeep.data });
    const refused = await download(again, world.vkey, version);
    expectRefused(refused, made, 'the checksum');
    expect(await incidentsOf(again, made)).toMatchObject([
      { kind: 'record', recorded: made.h1.zip, seen: other.h1.zip, source: 'localhost.localdev/sumdb' },
    ]);
    expect(await incidentCount(again, 'record')).toBe(1);
    expect(await download(again, again.vkey, version)).toMatchObject({ code: 0 });
  });
});

describe('a module that only its own bytes speak for', () => {
  const cases = [
    {
      name: 'private',
      settings: (world: UpstreamWorld, own: UpstreamWorld) =>
        `private = ["corp.test"]\n[[upstream]]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n` +
        `[[upstream]]\nmatch = ["corp.test"]\nprivate = true\nproxy = "${own.url}"\n`,
    },
    {
      name: 'public, and upstream.sumdb = off',
      settings: (_world: UpstreamWorld, own: UpstreamWorld) =>
        `[upstream]\nproxy = "${own.url}"\nsumdb = "off"\n`,
    },
  ];
  it.each(cases)('$name: what was first seen is what is accepted, for ever', async ({ settings }) => {
    await using world = await UpstreamWorld.start();
    await using own = await UpstreamWorld.start();
    await using gokeep = await GokeepProcess.start({ toml: settings(world, own) });
    const made = await own.publish({ path: 'corp.test/team/lib', version: VERSION }, { inDatabase: false });
    const version = `${made.path}@${VERSION}`;
    expect(await download(gokeep, gokeep.vkey, version)).toMatchObject({ code: 0 });
    const lookup = `/sumdb/${databaseName(gokeep)}/lookup/${version}`;
    const record = (await (await gokeep.get(lookup)).text()).split('\n\n')[0];
    await gokeep.stop();
    // The files are lost, the log is not.
    await rm(path.join(gokeep.data, 'download'), { recursive: true });
    const other = await swapped(made);
    own.serve({ ...made, mod: other.mod });
    await using again = await GokeepProcess.start({ toml: settings(world, own), data: gokeep.data });
    expectRefused(await download(again, again.vkey, version), made, 'the go.mod file');
    own.serve({ ...made, zip: other.zip });
    expectRefused(await download(again, again.vkey, version), made, 'the zip');
    for (let more = 0; more < 3; more++) await again.get(`/${made.path}/@v/${VERSION}.zip`);
    await expect.poll(async () => (await incidentsOf(again, made)).length).toBe(2);
    expect(await incidentsOf(again, made)).toMatchObject([
      { kind: 'zip', recorded: made.h1.zip, seen: other.h1.zip },
      { kind: 'mod', recorded: made.h1.mod, seen: other.h1.mod },
    ]);
    expect(await (await again.get(lookup)).text()).toContain(record);
    own.serve(made);
    expect(await download(again, again.vkey, version)).toMatchObject({ code: 0 });
    expect(world.moduleTargets.filter((target) => target.includes('corp.test'))).toEqual([]);
  });
});

function toml(world: UpstreamWorld): string {
  return `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n`;
}
