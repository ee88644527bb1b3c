import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GoClient, type GoResult } from '../world/go-client.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { sameAsUpstream } from '../world/same-as-upstream.ts';
import { UpstreamWorld } from '../world/upstream-world.ts';

let world: UpstreamWorld;
let gokeep: GokeepProcess;

const same = (...args: string[]): Promise<GoResult> => sameAsUpstream(world, gokeep, args);
const json = ({ stdout }: GoResult): Record<string, unknown> => JSON.parse(stdout) as Record<string, unknown>;

/** Scripts a target until the callback has ended. */
async function whileUpstream<T>(
  target: string,
  reply: Parameters<UpstreamWorld['upstream']['on']>[1],
  run: () => Promise<T>,
): Promise<T> {
  world.upstream.on(target, reply);
  try {
    return await run();
  } finally {
    world.upstream.on(target);
  }
}

beforeAll(async () => {
  world = await UpstreamWorld.start();
  gokeep = await GokeepProcess.start({
    toml: `[upstream]\nproxy = "${world.url}"\nsumdb = "${world.gosumdb}"\n[refresh]\nttl = "100ms"\n`,
  });
  await world.publish({ path: 'example.test/plain', version: 'v1.0.0' });
  await world.publish({ path: 'example.test/plain', version: 'v1.2.0' });
  await world.publish({ path: 'example.test/plain', version: 'v1.3.0-rc.1' });
  await world.publish({ path: 'example.test/Upper/Case', version: 'v0.3.0-RC.1' });
  await world.publish({ path: 'example.test/major/v2', version: 'v2.1.0' });
  await world.publish({ path: 'example.test/incompatible', version: 'v2.0.0+incompatible' });
  await world.publish({ path: 'example.test/untagged', version: 'v0.0.0-20240102030405-abcdef012345' });
  await world.publish({ path: 'gopkg.in/yaml.v3', version: 'v3.0.1' });
  await world.publish({ path: 'gopkg.in/owner/some.pkg.v0', version: 'v0.4.0-beta.2' });
  for (const [version, mod] of [
    ['v1.0.0', ''],
    ['v1.1.0', ''],
    ['v1.2.0', '\n// too slow\nretract [v1.1.0, v1.2.0]\n'],
  ] as const) {
    const path = 'example.test/retracting';
    await world.publish({ path, version, files: { 'go.mod': `module ${path}\n\ngo 1.21\n${mod}` } });
  }
});

afterAll(async () => {
  await gokeep[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

describe('what go prints through gokeep is what it prints straight from upstream', () => {
  const commands: readonly (readonly string[])[] = [
    ['list', '-m', '-json', 'example.test/plain@v1.0.0'],
    ['list', '-m', '-json', 'example.test/plain@latest'],
    ['list', '-m', '-json', 'example.test/plain@upgrade'],
    ['list', '-m', '-json', 'example.test/plain@v1'],
    ['list', '-m', '-json', 'example.test/plain@v1.2'],
    ['list', '-m', '-json', 'example.test/plain@<v1.2.0'],
    ['list', '-m', '-json', 'example.test/plain@v1.9.9'],
    ['list', '-m', '-json', 'example.test/plain@no-such-branch'],
    ['list', '-m', '-json', 'example.test/nowhere@latest'],
    ['list', '-m', '-json', 'example.test/plain/v2@v2.0.0'],
    ['list', '-m', '-versions', 'example.test/plain'],
    ['list', '-m', '-versions', 'example.test/nowhere'],
    ['list', '-m', '-json', 'example.test/Upper/Case@v0.3.0-RC.1'],
    ['list', '-m', '-versions', 'example.test/Upper/Case'],
    ['list', '-m', '-json', 'example.test/major/v2@latest'],
    ['list', '-m', '-json', 'example.test/incompatible@latest'],
    ['mod', 'download', '-json', 'example.test/plain@v1.2.0'],
    ['mod', 'download', '-json', 'example.test/Upper/Case@v0.3.0-RC.1'],
    ['mod', 'download', '-json', 'example.test/incompatible@v2.0.0+incompatible'],
    ['mod', 'download', '-json', 'example.test/plain@v1.9.9'],
    ['mod', 'download', '-json', 'example.test/untagged@latest'],
    ['list', '-m', '-versions', 'gopkg.in/yaml.v3'],
    ['list', '-m', '-json', 'gopkg.in/yaml.v3@v2.4.0'],
    ['mod', 'download', '-json', 'gopkg.in/yaml.v3@v3.0.1'],
    ['mod', 'download', '-json', 'gopkg.in/owner/some.pkg.v0@latest'],
    ['get', 'gopkg.in/yaml.v3'],
    ['get', 'example.test/major/v2'],
    ['get', 'example.test/major/v2/no/such/package'],
    ['get', 'example.test/plain@v1.3.0-rc.1'],
  ];
  it.each(commands.map((args) => ({ args, name: args.join(' ') })))('go $name', async ({ args }) => {
    await same(...args);
  });
});

it('a gopkg.in module is verified and found under the name that it has', async () => {
  await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
  await client.write('main.go', 'package main\n\nimport _ "gopkg.in/yaml.v3"\n');
  expect(await client.run('get', 'gopkg.in/yaml.v3@v3.0.1')).toMatchObject({ code: 0 });
  const found = await client.run('list', '-deps', '-f', '{{with .Module}}{{.Path}} {{.Version}}{{end}}', '.');
  expect(found.stdout).toContain('gopkg.in/yaml.v3 v3.0.1\n');
  expect((await client.run('mod', 'verify')).stdout).toBe('all modules verified\n');
});

describe('.info, .mod and .zip stand alone', () => {
  const version = 'v1.0.0';
  it('a version whose zip is missing or bad can be read for its metadata', async () => {
    for (const [n, fault] of (['status', 'corrupt', 'zeros'] as const).entries()) {
      const { path, zip } = await world.publish({ path: `example.test/nozip${n}`, version });
      world.upstream.on(`/${path}/@v/${version}.zip`, {
        fault,
        status: fault === 'status' ? 404 : 200,
        body: zip,
      });
      const listed = await same('list', '-m', '-json', `${path}@${version}`);
      expect(json(listed)).toMatchObject({ Version: version, GoVersion: '1.21' });
      expect((await same('list', '-m', '-versions', path)).stdout).toBe(`${path} ${version}\n`);
      expect((await gokeep.get(`/${path}/@v/${version}.zip`)).status).toBe(fault === 'status' ? 404 : 502);
      expect((await gokeep.get(`/${path}/@v/${version}.info`)).status).toBe(200);
    }
  });

  it('a version whose .info is missing still has its .mod and .zip, and the other way round', async () => {
    const first = await world.publish({ path: 'example.test/noinfo', version });
    world.upstream.on(`/${first.path}/@v/${version}.info`, {
      fault: 'status',
      status: 404,
      body: 'no info\n',
    });
    await same('list', '-m', '-json', `${first.path}@${version}`);
    const mod = await gokeep.get(`/${first.path}/@v/${version}.mod`);
    expect({ status: mod.status, text: await mod.text() }).toEqual({ status: 200, text: first.mod });
    expect((await gokeep.get(`/${first.path}/@v/${version}.zip`)).status).toBe(200);
    const second = await world.publish({ path: 'example.test/nomod', version });
    world.upstream.on(`/${second.path}/@v/${version}.mod`, {
      fault: 'status',
      status: 404,
      body: 'no mod\n',
    });
    await same('list', '-m', '-json', `${second.path}@${version}`);
    expect((await gokeep.get(`/${second.path}/@v/${version}.info`)).status).toBe(200);
    expect((await gokeep.get(`/${second.path}/@v/${version}.zip`)).status).toBe(200);
  });

  it('a file that one command asks for is all that is fetched', async () => {
    const { path } = await world.publish({ path: 'example.test/onefile', version });
    await gokeep.get(`/${path}/@v/${version}.mod`);
    expect(world.moduleTargets.filter((target) => target.startsWith(`/${path}/`))).toEqual([
      `/${path}/@v/${version}.mod`,
    ]);
  });
});

describe('.info is upstream’s, byte for byte', () => {
  it.each([
    ['another time zone', '{"Version":"v1.0.0","Time":"2024-01-02T05:04:05.25+02:00"}'],
    [
      'an origin and fields nobody knows',
      '{ "Time": "2024-01-02T03:04:05Z",\n "Version": "v1.0.0",\r\n "Origin": {"VCS":"git","URL":"https://example.test/x","Ref":"refs/tags/v1.0.0","Hash":"0123456789012345678901234567890123456789"}, "Extra": [1, 2.50] }\n\n',
    ],
    ['no time', '{"Version":"v1.0.0"}'],
    ['characters beyond ASCII', '{"Version":"v1.0.0","Name":"Grüße \\u00e4","Short":"ä"}'],
  ])('with %s', async (name, info) => {
    const path = `example.test/info/${name.replaceAll(/[^a-z]/g, '')}`;
    const made = await world.publish({ path, version: 'v1.0.0' });
    world.serve({ ...made, info });
    await same('list', '-m', '-json', `${path}@v1.0.0`);
    await same('mod', 'download', '-json', `${path}@v1.0.0`);
    for (const time of ['first', 'second', 'third']) {
      const response = await gokeep.get(`/${path}/@v/v1.0.0.info`);
      expect(Buffer.from(await response.arrayBuffer()).toString(), time).toBe(info);
    }
    const latest = await gokeep.get(`/${path}/@latest`);
    expect(Buffer.from(await latest.arrayBuffer()).toString()).toBe(info);
  });
});

describe('list is upstream’s', () => {
  it('200 and empty for a module without tags', async () => {
    const list = await gokeep.get('/example.test/untagged/@v/list');
    expect({ status: list.status, text: await list.text() }).toEqual({ status: 200, text: '' });
    const latest = json(await same('list', '-m', '-json', 'example.test/untagged@latest'));
    expect(latest['Version']).toBe('v0.0.0-20240102030405-abcdef012345');
    await same('list', '-m', '-versions', 'example.test/untagged');
  });

  it('with pre-releases and retracted versions', async () => {
    const list = await (await gokeep.get('/example.test/plain/@v/list')).text();
    expect(list).toBe('v1.0.0\nv1.2.0\nv1.3.0-rc.1\n');
    const args = ['list', '-m', '-retracted', '-versions', 'example.test/retracting'];
    expect((await same(...args)).stdout).toBe('example.test/retracting v1.0.0 v1.1.0 v1.2.0\n');
    expect((await same('list', '-m', '-versions', 'example.test/retracting')).stdout).toBe(
      'example.test/retracting v1.0.0\n',
    );
    const old = json(await same('list', '-m', '-u', '-retracted', '-json', 'example.test/retracting@v1.1.0'));
    expect(old['Retracted']).toEqual(['too slow']);
    expect((await same('get', 'example.test/retracting')).stderr).toContain('v1.0.0');
    expect((await same('get', 'example.test/retracting@v1.1.0')).stderr).toContain('too slow');
  });

  it('without duplicates, further words and other versions’ names', async () => {
    const path = 'example.test/messy';
    await world.publish({ path, version: 'v1.0.0' });
    const listed = 'v1.0.0\r\nv1.0.0 2024-01-02T03:04:05Z\nnonsense\nv1.0.0\n';
    await whileUpstream(`/${path}/@v/list`, listed, async () => {
      expect(await (await gokeep.get(`/${path}/@v/list`)).text()).toBe('v1.0.0\n');
      expect(json(await same('list', '-m', '-json', `${path}@latest`))['Version']).toBe('v1.0.0');
    });
    // What cannot be a version of this path makes go itself fail; it is left out.
    await whileUpstream(`/${path}/@v/list`, 'v1.0.0\nv2.0.0\n', async () => {
      await sleep(150);
      expect(await (await gokeep.get(`/${path}/@v/list`)).text()).toBe('v1.0.0\n');
    });
  });
});

describe('golang.org/toolchain', () => {
  const path = 'golang.org/toolchain';
  const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const version = `v0.0.1-go1.99.1.${platform}`;
  const program = '#!/bin/sh\necho toolchain "$@"\n';
  // Only what go looks for before it hands over.
  const files = {
    'bin/go': program,
    'bin/gofmt': '',
    'pkg/tool/none': '',
    'lib/none': '',
    'src/_go.mod': '',
  };

  it('is a module whose list, .info and .zip work each alone, however odd its .mod', async () => {
    const made = await world.publish({ path, version, files });
    world.serve({ ...made, mod: 'this is no go.mod\n' });
    expect((await gokeep.get(`/${path}/@v/${version}.zip`)).status).toBe(200);
    expect(await (await gokeep.get(`/${path}/@v/list`)).text()).toBe(`${version}\n`);
    expect(await (await gokeep.get(`/${path}/@v/${version}.info`)).text()).toBe(made.info);
    await same('list', '-m', '-versions', 'go');
    await same('list', '-m', '-json', 'toolchain@go1.99.1');
    await same('list', '-m', '-json', 'go@latest');
  });

  it('is switched to', async () => {
    const run = (gotoolchain: string) =>
      sameAsUpstream(world, gokeep, ['version'], { env: { GOTOOLCHAIN: gotoolchain } });
    expect(await run('go1.99.1')).toMatchObject({ code: 0, stdout: 'toolchain version\n' });
    expect((await run('go1.99.2')).stderr).toContain('go1.99.2');
    const auto = await sameAsUpstream(world, gokeep, ['list'], {
      env: { GOTOOLCHAIN: 'auto' },
      files: { 'go.mod': 'module main.test/main\n\ngo 1.99.1\n' },
    });
    expect(auto).toMatchObject({ code: 0, stdout: 'toolchain list\n' });
  });
});

describe('an authentic absence', () => {
  const texts: readonly (readonly [string, string])[] = [
    ['one line', 'not found: example.test/absent@v1.0.0: invalid version: unknown revision v1.0.0\n'],
    ['no line break at the end', 'gone fishing'],
    [
      'many lines',
      'not found: module example.test/absent: git ls-remote -q origin:\n\tfatal: nothing\n\tthere\n',
    ],
    ['an empty line', 'before\n\nafter\n'],
    ['umlauts', 'nicht gefunden: früher vielleicht\n'],
    ['more than go shows', 'all work and no play makes Jack a dull boy\n'.repeat(20)],
  ];
  const asked = ['info', 'mod', 'zip', 'list', 'latest'] as const;

  it.each(texts.flatMap(([name, text], n) => [404, 410].map((status) => ({ name, text, n, status }))))(
    '$status with $name is passed on verbatim',
    async ({ text, n, status }) => {
      const version = 'v1.0.0';
      for (const kind of asked) {
        const path = `absent.test/${kind}/${status}/n${n}`;
        await world.publish({ path, version });
        const target = `/${path}/${kind === 'latest' ? '@latest' : kind === 'list' ? '@v/list' : `@v/${version}.${kind}`}`;
        await whileUpstream(target, { fault: 'status', status, body: text }, async () => {
          const response = await gokeep.get(target);
          expect({ kind, status: response.status, text: await response.text() }).toEqual({
            kind,
            status,
            text,
          });
        });
      }
      const path = `absent.test/go/${status}/n${n}`;
      await world.publish({ path, version });
      const info = { fault: 'status', status, body: text } as const;
      await whileUpstream(`/${path}/@v/${version}.info`, info, () =>
        same('list', '-m', `${path}@${version}`),
      );
      await whileUpstream(`/${path}/@v/${version}.zip`, info, () =>
        same('mod', 'download', `${path}@${version}`),
      );
      await whileUpstream(`/${path}/@v/list`, info, () => same('list', '-m', `${path}@latest`));
    },
  );
});

describe('trouble is never an absence', () => {
  const version = 'v1.0.0';
  it.each([401, 403, 429, 500, 502, 503, 504])(
    'status %i ends the search: the next proxy of the client is not asked',
    async (status) => {
      await using second = await UpstreamWorld.start();
      const { path } = await world.publish({ path: `trouble.test/n${status}`, version });
      await second.publish({ path, version });
      await using client = await GoClient.create({
        GOPROXY: `${gokeep.url},${second.url},direct`,
        GOSUMDB: 'off',
      });
      for (const [file, args] of [
        [`@v/${version}.info`, ['list', '-m', `${path}@${version}`]],
        ['@v/list', ['list', '-m', '-versions', path]],
        [`@v/${version}.zip`, ['mod', 'download', `${path}@${version}`]],
      ] as const) {
        await whileUpstream(`/${path}/${file}`, { fault: 'status', status, body: 'because\n' }, async () => {
          const failed = await client.run(...args);
          expect(failed.code, file).toBe(1);
          const said = failed.stderr.replaceAll(/\s+/g, ' ');
          expect(said).toContain('server response:');
          expect(said).toContain('(because)');
        });
      }
      expect(second.moduleTargets).toEqual([]);
      // What is wrong with the scene, if anything: the second proxy is asked when the first has nothing.
      const elsewhere = await second.publish({ path: `trouble.test/elsewhere${status}`, version });
      expect((await client.run('list', '-m', `${elsewhere.path}@${version}`)).code).toBe(0);
      expect(second.moduleTargets).not.toEqual([]);
    },
  );
});

describe('one miss is one upstream request', () => {
  it('however many clients ask at once, and none when it is held', async () => {
    const { path, version } = await world.publish({ path: 'example.test/once', version: 'v1.0.0' });
    const download = async () => {
      await using client = await GoClient.create({ GOPROXY: gokeep.url, GOSUMDB: gokeep.vkey });
      return await client.run('mod', 'download', `${path}@${version}`);
    };
    for (const { code } of await Promise.all(Array.from({ length: 6 }, download))) expect(code).toBe(0);
    expect((await download()).code).toBe(0);
    const targets = world.upstream.targets.filter((target) => target.includes(`/${path}`));
    expect(targets.toSorted()).toEqual([
      `/${path}/@v/${version}.info`,
      `/${path}/@v/${version}.mod`,
      `/${path}/@v/${version}.zip`,
      `/sumdb/localhost.localdev/sumdb/lookup/${path}@${version}`,
    ]);
  });
});

describe('nothing is stored before it was checked, although the client checks nothing', () => {
  const version = 'v1.0.0';
  it.each([
    ['.info of another version', 'info', 'wrongVersion'],
    ['.mod with one changed byte', 'mod', 'corrupt'],
    ['.zip with one changed byte', 'zip', 'corrupt'],
    ['.zip cut short', 'zip', 'longerThanDeclared'],
  ] as const)('%s', async (name, kind, fault) => {
    const path = `unchecked.test/${kind}/${fault.toLowerCase()}`;
    const made = await world.publish({ path, version });
    await using client = await GoClient.create({
      GOPROXY: gokeep.url,
      GOSUMDB: 'off',
      GOFLAGS: '-modcacherw',
    });
    const reply = { fault, body: made[kind] };
    await whileUpstream(`/${path}/@v/${version}.${kind}`, reply, async () => {
      const failed = await client.run('mod', 'download', `${path}@${version}`);
      expect(failed.code, name).toBe(1);
      expect(failed.stderr.replaceAll(/\s+/g, '')).toContain(`${path}@${version}`);
    });
    expect((await gokeep.get(`/cached-only/${path}/@v/${version}.${kind}`)).status).toBe(404);
    expect(await client.run('mod', 'download', `${path}@${version}`)).toMatchObject({ code: 0, stderr: '' });
  });
});
