import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectedSite } from '../airgap/connected-site.ts';
import { gokeep } from '../cli/program.ts';
import { GokeepProcess } from '../world/gokeep-process.ts';
import type { MadeModule } from '../world/modules.ts';
import { imported, type SiteState, stateOf, trusted } from './import-state.ts';
import { SmallDisk } from './small-disk.ts';

const disk = SmallDisk.mount(8 * 2 ** 20);

const HELD = 'example.test/held@v1.0.0';
const BIG = 'example.test/big/@v/v1.0.0.zip';
const SMALL = 'example.test/small/@v/v1.0.0.zip';
const NO_RESERVE = '[cache]\ndisk_reserve = "0B"\n';

/** The records of a log as sorted text, whatever their numbers are. */
function versionsIn(log: readonly string[]): readonly string[] {
  return log
    .map((row) => JSON.parse(row) as unknown[])
    .filter((row) => typeof row[1] === 'string' && row.length === 7)
    .map(([, ...record]) => JSON.stringify(record))
    .sort();
}

describe.skipIf(disk === undefined)('a disk that gets full during an import (a tmpfs)', () => {
  let site: ConnectedSite;
  let big: MadeModule;
  let second: string;
  let toml: string;
  let staging: string;
  let before: SiteState;
  let after: SiteState;
  const data = path.join(disk?.directory ?? '', 'data');

  const run = (directory: string, ...args: string[]) =>
    gokeep([...args, '--config', site.at('closed.toml'), '--data', directory], {
      PATH: process.env['PATH']!,
    });

  beforeAll(async () => {
    site = await ConnectedSite.start();
    await site.world.publish({ path: 'example.test/held', version: 'v1.0.0' });
    const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000)));
    big = await site.world.publish({
      path: 'example.test/big',
      version: 'v1.0.0',
      files: { 'data.bin': noise },
    });
    await site.world.publish({ path: 'example.test/small', version: 'v1.0.0' });
    const first = await site.bundle('first.tar', HELD);
    second = await site.bundle('second.tar', HELD, 'example.test/big@v1.0.0', 'example.test/small@v1.0.0');
    toml = `${await site.closedToml('offline')}${NO_RESERVE}`;
    await site.file('closed.toml', `version = 1\n${toml}`);
    await mkdir(site.at('base'));
    expect(await run(site.at('base'), 'bundle', 'import', first)).toMatchObject({ code: 0 });
    await cp(site.at('base'), site.at('whole'), { recursive: true });
    expect(await run(site.at('whole'), 'bundle', 'import', second)).toMatchObject({ code: 0 });
    before = stateOf(site.at('base'));
    after = stateOf(site.at('whole'));
    staging = path.join(data, 'import', await site.idOf(second), 'files');
  });

  afterAll(async () => {
    await site?.[Symbol.asyncDispose]();
    disk?.[Symbol.dispose]();
  });

  /** Sends that many bytes of the second bundle to a server, and the rest after `then`, which is to happen once they are `staged`. */
  async function interrupted(bytes: number, staged: () => boolean, then: () => void) {
    await rm(data, { recursive: true, force: true });
    await cp(site.at('base'), data, { recursive: true });
    await using server = await GokeepProcess.start({ data, toml });
    const bundle = await readFile(second);
    const body = (async function* () {
      yield bundle.subarray(0, bytes);
      await expect.poll(staged, { timeout: 15_000 }).toBe(true);
      then();
      yield bundle.subarray(bytes);
    })();
    try {
      const answer = await fetch(`${server.url}/api/v1/bundles`, {
        method: 'PUT',
        body: ReadableStream.from(body),
        duplex: 'half',
      });
      const said = { status: answer.status, text: await answer.text() };
      expect((await server.get('/example.test/held/@v/v1.0.0.zip')).status).toBe(200);
      return said;
    } finally {
      disk!.makeRoom();
      expect(await server.stop(), server.output).toBe(0);
    }
  }

  /** @param view where a record that was written and one that was not may have come in another order */
  async function expectGoesOn(view = (log: readonly string[]) => log): Promise<void> {
    expect(await run(data, 'fsck')).toMatchObject({ code: 0, stderr: '' });
    expect(await run(data, 'bundle', 'import', second)).toMatchObject({ code: 0, stderr: '' });
    const now = imported(stateOf(data));
    expect({ ...now, log: view(now.log) }).toEqual({ ...imported(after), log: view(after.log) });
  }

  const full = {
    status: 503,
    text: 'the disk of the gokeep server is full; its operator has to make room',
  };

  it('while a zip is checked says so, leaves log and store as they were, and imports once there is room', async () => {
    const middle = (await readFile(second)).indexOf(big.zip) + 30_000;
    const staged = () => existsSync(path.join(staging, `${BIG}.part`));
    expect(await interrupted(middle, staged, () => disk!.fill())).toEqual(full);
    expect(imported(trusted(stateOf(data)))).toEqual(imported(trusted(before)));
    // The server has recorded its audit trail in between, so numbers differ.
    await expectGoesOn(versionsIn);
  });

  it.each([0, 10])(
    'with %i blocks left once all was found good says so, stores nothing that is not logged, and imports once there is room',
    async (blocks) => {
      const staged = () => [BIG, SMALL].every((zip) => existsSync(path.join(staging, zip)));
      const allButTheEnd = (await readFile(second)).length - 1;
      const said = await interrupted(allButTheEnd, staged, () => disk!.fill(blocks));
      // That there is no room for records is seen before one is written; that there is too little, when it is used up.
      if (blocks === 0) expect(said.text).toMatch(/^the bundle needs \d+ MiB on the disk/);
      else expect(said.text).toBe(full.text);
      expect(said.status).toBe(full.status);
      const { files, log } = stateOf(data);
      if (blocks === 0) expect(log).toEqual(before.log);
      for (const [name, hash] of before.files)
        if (name.startsWith('download/')) expect(files.get(name), name).toBe(hash);
      const stored = [...files.keys()].some(
        (name) => name.startsWith('download/') && !before.files.has(name),
      );
      if (stored) expect(versionsIn(log)).toEqual(versionsIn(after.log));
      await expectGoesOn(versionsIn);
    },
  );

  it('that has less room than its reserve takes nothing in, and the command says how much is needed', async () => {
    await rm(data, { recursive: true, force: true });
    await cp(site.at('base'), data, { recursive: true });
    // The reserve that is there by default.
    await site.file('closed.toml', `version = 1\n${toml.replace(NO_RESERVE, '')}`);
    const refused = await run(data, 'bundle', 'import', second);
    await site.file('closed.toml', `version = 1\n${toml}`);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(
      /the bundle needs 1 MiB .* beside its reserve, and there is less; make room/,
    );
    expect(trusted(stateOf(data))).toEqual(trusted(before));
    await expectGoesOn();
  });
});
