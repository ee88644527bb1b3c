import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectedSite } from '../airgap/connected-site.ts';
import { gokeep } from '../cli/program.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import { needs } from '../world/programs.ts';
import type { MadeModule } from '../world/modules.ts';
import { imported, sha256, type SiteState, stateOf, trusted } from './import-state.ts';

type Kind = 'offline' | 'replica';

/** Where an import is killed: on entering the `nth` call of a thread, or, with a file, the nth on that file. */
interface Point {
  readonly what: string;
  readonly kind: Kind;
  readonly call: string;
  readonly nth: number;
  readonly file?: string;
}

/** In their order, a sample of the calls that change something on disk. The two kinds differ in what they do to the log. */
const CHECKING: readonly Point[] = [
  { what: 'a directory of what is checked', kind: 'offline', call: 'mkdir', nth: 8 },
  { what: 'the name of the first zip that was found good', kind: 'replica', call: 'rename', nth: 1 },
  { what: 'the name of the last zip', kind: 'offline', call: 'rename', nth: 3 },
];
const COMMITTING: readonly Point[] = [
  { what: 'the first write of the log', kind: 'replica', call: 'pwrite64', nth: 1, file: 'gokeep.db-wal' },
  { what: 'the sync of the log', kind: 'offline', call: 'fsync', nth: 2, file: 'gokeep.db-wal' },
  { what: 'the sync of the log', kind: 'replica', call: 'fsync', nth: 2, file: 'gokeep.db-wal' },
  { what: 'the sync of the mark', kind: 'offline', call: 'fsync', nth: 1, file: 'sumdb.mark.tmp' },
  { what: 'the sync of the signed head', kind: 'offline', call: 'fsync', nth: 3, file: 'gokeep.db-wal' },
  {
    what: 'a write of the public database',
    kind: 'replica',
    call: 'pwrite64',
    nth: 5,
    file: 'upstream.db-wal',
  },
  {
    what: 'the sync of the public database',
    kind: 'offline',
    call: 'fsync',
    nth: 3,
    file: 'upstream.db-wal',
  },
  { what: 'the first file for the store', kind: 'replica', call: 'rename', nth: 4 },
  { what: 'the zip that comes after its info and go.mod', kind: 'offline', call: 'rename', nth: 6 },
  { what: 'a file of the next module', kind: 'offline', call: 'rename', nth: 9 },
  { what: 'a list of versions', kind: 'replica', call: 'rename', nth: 10 },
  { what: 'a vulnerability database', kind: 'replica', call: 'rename', nth: 12 },
  { what: 'the pointer to it', kind: 'offline', call: 'rename', nth: 13 },
  { what: 'the receipt', kind: 'replica', call: 'rename', nth: 14 },
];

const HELD = 'example.test/leaf@v1.0.0';
const ZIPS = [
  'example.test/leaf/@v/v1.0.0.zip',
  'example.test/leaf/@v/v1.1.0.zip',
  'example.test/new/@v/v1.0.0.zip',
];

const traced = needs('strace');

describe.skipIf(!traced)('an import killed (-9) at a write boundary, by strace', () => {
  let site: ConnectedSite;
  let second: string;
  const made: MadeModule[] = [];
  const before = {} as Record<Kind, SiteState>;
  const after = {} as Record<Kind, SiteState>;
  const toml = {} as Record<Kind, string>;

  const command = (kind: Kind, data: string, args: string[], wrapper: string[] = []) =>
    gokeep(
      [...args, '--config', site.at(`${kind}.toml`), '--data', data],
      // One thread for files: strace counts each thread's own calls.
      { PATH: process.env['PATH']!, UV_THREADPOOL_SIZE: '1' },
      wrapper,
    );
  const base = (kind: Kind) => site.at(kind);

  beforeAll(async () => {
    site = await ConnectedSite.start();
    const { world } = site;
    for (const [name, version] of [
      ['leaf', 'v1.0.0'],
      ['tree', 'v1.0.0'],
      ['leaf', 'v1.1.0'],
      ['new', 'v1.0.0'],
    ] as const)
      made.push(await world.publish({ path: `example.test/${name}`, version }));
    world.upstream.on('/example.test/new/@v/main.info', { fault: 'ok', body: made[3]!.info });
    const first = await site.bundle('first.tar', HELD, 'example.test/tree@v1.0.0');
    const vulndb = ['--vulndb', await site.vulndb('example.test/leaf')];
    second = await site.bundle(
      'second.tar',
      HELD,
      'example.test/leaf@v1.1.0',
      'example.test/new@main',
      ...vulndb,
    );
    for (const kind of ['offline', 'replica'] as const) {
      toml[kind] = await site.closedToml(kind);
      await writeFile(site.at(`${kind}.toml`), `version = 1\n${toml[kind]}`);
      await mkdir(base(kind));
      expect(await command(kind, base(kind), ['bundle', 'import', first])).toMatchObject({ code: 0 });
      const whole = `${base(kind)}-whole`;
      await cp(base(kind), whole, { recursive: true });
      expect(await command(kind, whole, ['bundle', 'import', second])).toMatchObject({ code: 0 });
      before[kind] = stateOf(base(kind));
      after[kind] = stateOf(whole);
    }
  });

  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
  });

  /** Imports the second bundle into a copy of the site until it is killed there; looks at what is left, and goes on. */
  async function killedAt({ kind, call, nth, file }: Point, look: (data: string) => Promise<void>) {
    const data = site.at([kind, call, nth, file].join('-'));
    await cp(base(kind), data, { recursive: true });
    try {
      const inject = `-f -qqq -o /dev/null -e trace=${call} -e inject=${call}:signal=KILL:when=${nth}`;
      const only = file === undefined ? [] : ['-P', path.join(data, file)];
      const strace = ['strace', ...inject.split(' '), ...only];
      const killed = await command(kind, data, ['bundle', 'import', second], strace);
      expect({ code: killed.code, stdout: killed.stdout }).toEqual({ code: -1, stdout: '' });
      await look(data);
      await expectGoesOn(kind, data);
    } finally {
      await rm(data, { recursive: true, force: true });
    }
  }

  /** What is served after the kill is whole, the same import succeeds, and all is as after one that nobody killed. */
  async function expectGoesOn(kind: Kind, data: string): Promise<void> {
    const fsck = await command(kind, data, ['fsck', '--json']);
    expect(fsck).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(fsck.stdout)).toMatchObject({ problems: 0 });
    await using server = await GokeepProcess.start({ data, toml: toml[kind] });
    for (const { path: modulePath, version, info, mod, zip } of made) {
      const held = `${modulePath}@${version}` === HELD || modulePath.endsWith('tree');
      for (const [ending, body] of Object.entries({ info, mod, zip })) {
        const got = await server.get(`/${modulePath}/@v/${version}.${ending}`);
        expect([200, ...(held ? [] : [404])]).toContain(got.status);
        if (got.status === 200)
          expect(sha256(Buffer.from(await got.arrayBuffer()))).toBe(sha256(Buffer.from(body)));
      }
    }
    for (const module of ['leaf', 'new']) {
      const list = await server.get(`/example.test/${module}/@v/list`);
      for (const version of list.ok ? (await list.text()).trim().split('\n') : [])
        expect((await server.get(`/example.test/${module}/@v/${version}.zip`)).status).toBe(200);
    }
    const again = await fetch(`${server.url}/api/v1/bundles`, {
      method: 'PUT',
      body: await readFile(second),
    });
    expect(again.status, await again.text()).toBeLessThan(300);
    expect(await server.stop()).toBe(0);
    expect(imported(stateOf(data))).toEqual(imported(after[kind]));
  }

  it.concurrent.each(CHECKING)(
    'leaves log and store as they were: at $what ($kind)',
    (point) =>
      killedAt(point, async (data) => {
        expect(trusted(stateOf(data))).toEqual(trusted(before[point.kind]));
      }),
    120_000,
  );

  it.concurrent.each(COMMITTING)(
    'has found all of the bundle good, and nothing is in the store that is not in the log: at $what ($kind)',
    (point) =>
      killedAt(point, async (data) => {
        const { kind } = point;
        const { files, log } = stateOf(data);
        const staged = path.join(data, 'import', await site.idOf(second), 'files');
        for (const zip of ZIPS)
          expect(files.has(`download/${zip}`) || existsSync(path.join(staged, zip)), zip).toBe(true);
        const stored = [...files].filter(([name]) => name.startsWith('download/'));
        if (stored.some(([name]) => !before[kind].files.has(name))) expect(log).toEqual(after[kind].log);
        for (const [name, hash] of stored)
          expect([before[kind].files.get(name), after[kind].files.get(name)], name).toContain(hash);
      }),
    120_000,
  );

  it(
    'leaves nothing behind when it was only clearing up and is run again',
    () => killedAt({ what: 'the clearing', kind: 'offline', call: 'rmdir', nth: 12 }, async () => undefined),
    120_000,
  );
});
