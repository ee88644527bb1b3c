import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gokeep as program } from '../cli/program.ts';
import { GoClient } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import type { MadeModule } from '../world/modules.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

const UPPER = 'example.test/Upper';
const LEAF = 'example.test/leaf';
const ALTERED = 'example.test/altered';
const OWN = 'corp.test/own';

let world: UpstreamWorld;
let directory: string;
const made: MadeModule[] = [];

const at = (...names: string[]) => path.join(directory, ...names);

/** Runs `gokeep import` into a data directory of its own. */
async function importInto(data: string, from: string, ...options: string[]) {
  const toml = [
    'version = 1',
    `[[upstream]]\nmatch = ["corp.test"]\nprivate = true\nproxy = "off"`,
    `[[upstream]]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"`,
  ];
  await writeFile(at('gokeep.toml'), toml.join('\n'));
  const result = await program([
    'import',
    from,
    '--config',
    at('gokeep.toml'),
    '--data',
    at(data),
    ...options,
  ]);
  expect(result.stderr).toBe('');
  return result;
}

beforeAll(async () => {
  world = await UpstreamWorld.start();
  directory = await mkdtemp(path.join(tmpdir(), 'gokeep-import-'));
  made.push(await world.publish({ path: UPPER, version: 'v1.0.0', require: { [LEAF]: 'v1.0.0' } }));
  made.push(await world.publish({ path: LEAF, version: 'v1.0.0' }));
  made.push(await world.publish({ path: LEAF, version: 'v0.9.0' }));
  made.push(await world.publish({ path: ALTERED, version: 'v1.0.0' }));
  made.push(await world.publish({ path: OWN, version: 'v1.2.0' }, { inDatabase: false }));
});

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** What an unmodified `go` gets of all of it from the data directory alone. */
async function expectServed(data: string): Promise<void> {
  await using gokeep = await GokeepProcess.start({
    data: at(data),
    toml: 'offline = true\nprivate = ["corp.test"]\n',
  });
  await using go = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
  const got = await go.run('mod', 'download', '-json', `${UPPER}@v1.0.0`, `${LEAF}@v1.0.0`, `${OWN}@v1.2.0`);
  expect(got).toMatchObject({ code: 0, stderr: '' });
}

describe('gokeep import', () => {
  let cache: string;

  beforeAll(async () => {
    // Both signs separate proxies in a list.
    cache = at('go,mod|cache');
    const env = { GOPROXY: world.url, GOSUMDB: 'off', GOFLAGS: '-modcacherw', GOMODCACHE: cache };
    await using go = await GoClient.create(env);
    for (const { path: modulePath, version } of made)
      if (version !== 'v0.9.0')
        expect(await go.run('mod', 'download', `${modulePath}@${version}`)).toMatchObject({ code: 0 });
    const altered = path.join(cache, 'cache', 'download', 'example.test', 'altered', '@v', 'v1.0.0.zip');
    const bytes = await readFile(altered);
    await writeFile(altered, Buffer.concat([bytes.subarray(0, 40), Buffer.from('!'), bytes.subarray(41)]));
    // What a graph is loaded from has its go.mod alone.
    const leaf = path.join(cache, 'cache', 'download', 'example.test', 'leaf', '@v');
    await writeFile(path.join(leaf, 'v0.9.0.mod'), made[2]?.mod ?? '');
    await writeFile(path.join(leaf, 'main.mod'), 'of a branch');
  });

  it('takes in a GOMODCACHE, every byte verified, and go builds from it offline', async () => {
    const planned = await importInto('cache', cache, '--dry-run');
    expect(planned.stdout).toContain('4 versions with their zips, 1 with their go.mod only\ndry run');
    const { code, stdout } = await importInto('cache', cache);
    expect(stdout).toMatch(/passed over: example\.test\/leaf\/@v\/main\.mod names no module version\n/);
    expect(stdout).toMatch(/not taken: example\.test\/altered@v1\.0\.0: /);
    expect(stdout).toContain(
      '3 versions taken in with their zips, 1 with their go.mod only; 0 were here before, 1 were not taken',
    );
    expect(code).toBe(1);
    await expectServed('cache');
  });

  it('takes in only what it has not got yet, another time', async () => {
    await rm(path.join(cache, 'cache', 'download', 'example.test', 'altered', '@v', 'v1.0.0.zip'));
    const { stdout } = await importInto('cache', cache, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ layout: 'static', zips: 0, mods: 1, held: 4, refused: [] });
  });

  it('takes in the disk store of Athens, whose paths are not escaped', async () => {
    const athens = at('athens');
    for (const { path: modulePath, version, mod, zip, info } of made) {
      const folder = path.join(athens, modulePath, version);
      await mkdir(folder, { recursive: true });
      await writeFile(path.join(folder, 'go.mod'), mod);
      await writeFile(path.join(folder, 'source.zip'), zip);
      await writeFile(path.join(folder, `${version}.info`), info);
    }
    await mkdir(path.join(athens, 'no module', 'v1.0.0'), { recursive: true });
    for (const name of ['go.mod', 'source.zip'])
      await writeFile(path.join(athens, 'no module', 'v1.0.0', name), '');
    const { code, stdout } = await importInto('from-athens', athens);
    expect(stdout).toBe(
      'passed over: no module/v1.0.0 names no module version\ndisk store of Athens: 5 versions taken in with their zips, 0 with their go.mod only; 0 were here before, 0 were not taken\n',
    );
    expect(code).toBe(0);
    await expectServed('from-athens');
  });

  it('is refused where nothing could be proven, where a server runs, and for what holds no modules', async () => {
    const refused = async (...args: string[]) => {
      const { code, stderr } = await program(['import', ...args]);
      expect(code).toBe(2);
      return stderr;
    };
    const config = at('gokeep.toml');
    expect(await refused(at('nowhere'), '--config', config, '--data', at('x'))).toContain('no directory');
    await mkdir(at('empty'));
    expect(await refused(at('empty'), '--config', config, '--data', at('x'))).toContain('holds no modules');
    await writeFile(at('offline.toml'), 'version = 1\noffline = true\n');
    expect(await refused(cache, '--config', at('offline.toml'), '--data', at('x'))).toContain(
      'an offline gokeep',
    );
    await using running = await GokeepProcess.start({ toml: 'offline = true\n' });
    expect(await refused(cache, '--config', config, '--data', running.data)).toContain(
      'uses this data directory',
    );
  });
});
