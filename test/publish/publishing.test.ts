import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GokeepError } from '../../src/errors.ts';
import { MAX_ZIP } from '../../src/modzip/file-rules.ts';
import { h1OfGoMod } from '../../src/modzip/dirhash.ts';
import { verifyModuleZip } from '../../src/modzip/verify.ts';
import type { Outcome } from '../../src/sumdb/log-engine.ts';
import { Staging } from '../../src/publish/staging.ts';
import { parseClaim } from '../../src/publish/version-info.ts';
import { memorySource } from '../modzip/zip.ts';
import { CORP, moduleZipOf, PublishingSite, uncompressedZipOf } from './publishing-site.ts';

let site: PublishingSite;

beforeEach(async () => {
  site = await PublishingSite.open();
});

afterEach(() => site[Symbol.asyncDispose]());

const GOOD = moduleZipOf(CORP, 'v1.0.0');
const OTHER = moduleZipOf(CORP, 'v1.0.0', { 'a.go': 'package a // other\n' });
const h1 = async (zip: Buffer, version = 'v1.0.0', at = CORP) =>
  (await verifyModuleZip(memorySource(zip), at, version)).h1;

/** Nothing of it anywhere. */
async function expectNothing(version = 'v1.0.0', at = CORP): Promise<void> {
  expect(site.log.find(at, version)).toBeUndefined();
  expect(site.hosted(at)).toEqual([]);
  for (const kind of ['info', 'mod', 'zip'] as const)
    expect(await site.store.size(kind, at, version)).toBeUndefined();
  expect(await site.leftovers()).toEqual([]);
}

describe('a published version', () => {
  it('is logged as published, held, and listed, and nothing waits any more', async () => {
    const published = await site.publish(CORP, 'v1.0.0', GOOD);
    expect(published).toEqual({
      path: CORP,
      version: 'v1.0.0',
      zip: await h1(GOOD),
      mod: h1OfGoMod(Buffer.from(`module ${CORP}\n\ngo 1.21\n`)),
      added: true,
    });
    const record = site.log.find(CORP, 'v1.0.0')!;
    expect(record).toMatchObject({ zip: published.zip, mod: published.mod });
    expect(site.log.provenance(record.id)?.source).toBe('published');
    expect(await site.store.read('zip', CORP, 'v1.0.0')).toEqual(GOOD);
    expect(site.hosted(CORP)).toEqual(['v1.0.0']);
    expect(site.changes).toBe(1);
    expect(await site.leftovers()).toEqual([]);
  });

  it('has the .mod that its zip has', async () => {
    const goMod = `module ${CORP}\r\n\r\ngo 1.21\r\n`;
    await site.publish(CORP, 'v1.0.0', moduleZipOf(CORP, 'v1.0.0', { 'go.mod': goMod }));
    expect((await site.store.read('mod', CORP, 'v1.0.0'))?.toString()).toBe(goMod);
  });

  it('without a go.mod has the one that go makes up', async () => {
    await site.publish(CORP, 'v1.0.0', moduleZipOf(CORP, 'v1.0.0', { 'go.mod': '' }));
    expect((await site.store.read('mod', CORP, 'v1.0.0'))?.toString()).toBe(`module ${CORP}\n`);
  });

  it('has the time and commit that its publisher says, or the time at which it came', async () => {
    const claim = parseClaim(
      `{"Time":"2024-01-02T03:04:05Z","Origin":{"VCS":"git","Hash":"${'a'.repeat(40)}"}}`,
    );
    const body = (async function* () {
      yield GOOD;
    })();
    const { signal } = new AbortController();
    await site.publishing.publish({ path: CORP, version: 'v1.0.0' }, body, claim, signal);
    expect(JSON.parse(String(await site.store.read('info', CORP, 'v1.0.0')))).toEqual({
      Version: 'v1.0.0',
      Time: '2024-01-02T03:04:05Z',
      Origin: { VCS: 'git', Hash: 'a'.repeat(40) },
    });
    const before = Math.floor(Date.now() / 1000) * 1000;
    await site.publish(CORP, 'v1.0.1', moduleZipOf(CORP, 'v1.0.1'));
    const { Time } = JSON.parse(String(await site.store.read('info', CORP, 'v1.0.1'))) as { Time: string };
    expect(Date.parse(Time)).toBeGreaterThanOrEqual(before);
  });

  it('published again with the same bytes changes nothing, nor recompressed', async () => {
    await site.publish(CORP, 'v1.0.0', GOOD);
    const info = await site.store.read('info', CORP, 'v1.0.0');
    const packedAnew = uncompressedZipOf(CORP, 'v1.0.0');
    expect(packedAnew.equals(GOOD)).toBe(false);
    for (const zip of [GOOD, packedAnew])
      expect(await site.publish(CORP, 'v1.0.0', zip)).toMatchObject({ added: false });
    expect(await site.store.read('info', CORP, 'v1.0.0')).toEqual(info);
    expect(await site.store.read('zip', CORP, 'v1.0.0')).toEqual(GOOD);
    expect(await site.leftovers()).toEqual([]);
    expect(site.incidents).toEqual([]);
    expect(site.changes).toBe(1);
  });

  it('published again with other bytes is refused, and an incident', async () => {
    const { zip } = await site.publish(CORP, 'v1.0.0', GOOD);
    const again = site.publish(CORP, 'v1.0.0', OTHER);
    await expect(again).rejects.toMatchObject({
      code: 'taken',
      message: expect.stringContaining(zip) as string,
    });
    expect(site.incidents).toMatchObject([
      { kind: 'zip', path: CORP, version: 'v1.0.0', recorded: zip, seen: await h1(OTHER) },
    ]);
    expect(await site.store.read('zip', CORP, 'v1.0.0')).toEqual(GOOD);
    expect(await site.leftovers()).toEqual([]);
  });

  it('that had been fetched with these bytes is hosted from then on', async () => {
    const { zip, mod } = await site.publish(CORP, 'v1.0.0', GOOD);
    await using fetched = await PublishingSite.open();
    const provenance = { source: 'computed', firstSeen: 1, evidence: undefined } as const;
    await fetched.sequencer.add({ path: CORP, version: 'v1.0.0', zip, mod, provenance });
    for (const kind of ['info', 'mod', 'zip'] as const)
      await fetched.store.keep(kind, CORP, 'v1.0.0', (await site.store.read(kind, CORP, 'v1.0.0'))!);
    expect(await fetched.publish(CORP, 'v1.0.0', GOOD)).toMatchObject({ added: false });
    expect(fetched.hosted(CORP)).toEqual(['v1.0.0']);
    await expect(fetched.publish(CORP, 'v1.0.0', OTHER)).rejects.toMatchObject({ code: 'taken' });
  });
});

describe('two publishes of one version at once', () => {
  it('with other bytes: one wins, and the other is told', async () => {
    const both = await Promise.allSettled([
      site.publish(CORP, 'v1.0.0', GOOD),
      site.publish(CORP, 'v1.0.0', OTHER),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const lost = both.find((each) => each.status === 'rejected')!;
    expect(lost.reason).toMatchObject({ code: 'taken' });
    expect(site.incidents).toHaveLength(1);
    const won = both[0].status === 'fulfilled' ? GOOD : OTHER;
    expect(await site.store.read('zip', CORP, 'v1.0.0')).toEqual(won);
    expect(await site.leftovers()).toEqual([]);
  });

  it('with the same bytes: both are told that it is there', async () => {
    const both = await Promise.all([GOOD, GOOD, GOOD].map((zip) => site.publish(CORP, 'v1.0.0', zip)));
    expect(both.filter(({ added }) => added)).toHaveLength(1);
    expect(site.incidents).toEqual([]);
  });
});

describe('a log that does not take the record', () => {
  const sequencer = (add: () => Promise<Outcome>) => ({
    add,
    noteHosted: async () => undefined,
    keepSignatures: async () => undefined,
  });

  it('since it has another one by now, leaves nothing, and the publisher is told', async () => {
    const conflict = { kind: 'conflict', zip: 'h1:other', mod: 'h1:m' } as const;
    await using late = await PublishingSite.open({ sequencer: sequencer(async () => conflict) });
    await expect(late.publish(CORP, 'v1.0.0', GOOD)).rejects.toMatchObject({ code: 'taken' });
    expect(late.incidents).toMatchObject([{ kind: 'zip', recorded: 'h1:other' }]);
    expect(await late.leftovers()).toEqual([]);
  });

  it('since it has too much to do, leaves nothing', async () => {
    const busy = () => Promise.reject(new GokeepError('busy', 'later'));
    await using full = await PublishingSite.open({ sequencer: sequencer(busy) });
    await expect(full.publish(CORP, 'v1.0.0', GOOD)).rejects.toMatchObject({ code: 'busy' });
    expect(await full.leftovers()).toEqual([]);
  });

  it('or may have taken it, leaves the files for the next start', async () => {
    const lost = () => Promise.reject(new GokeepError('storage_failed', 'ended'));
    await using ended = await PublishingSite.open({ sequencer: sequencer(lost) });
    await expect(ended.publish(CORP, 'v1.0.0', GOOD)).rejects.toMatchObject({ code: 'storage_failed' });
    expect(await ended.leftovers()).toHaveLength(1);
  });
});

describe('refused, with nothing left behind:', () => {
  it.each([
    [
      'another module line',
      moduleZipOf(CORP, 'v1.0.0', { 'go.mod': 'module corp.test/fork\n' }),
      /says that it is module "corp\.test\/fork"/,
    ],
    [
      'a go.mod of replacements alone',
      moduleZipOf(CORP, 'v1.0.0', { 'go.mod': 'replace a.test/b => ../b\n' }),
      /has no module line/,
    ],
    [
      'a go.mod that cannot be read',
      moduleZipOf(CORP, 'v1.0.0', { 'go.mod': 'module (\n' }),
      /cannot be read/,
    ],
    ['the zip of another version', moduleZipOf(CORP, 'v1.0.1'), /refused/],
    ['no zip', Buffer.from('<html>'), /refused/],
    ['nothing', Buffer.alloc(0), /refused/],
    ['half a zip', GOOD.subarray(0, GOOD.length / 2), /refused/],
    ['a symbolic link', withMode(GOOD, 0o120777), /file "go\.mod" is a symbolic link/],
  ])('%s', async (_, zip, message) => {
    await expect(site.publish(CORP, 'v1.0.0', zip)).rejects.toMatchObject({
      code: 'bad_upload',
      message: expect.stringMatching(message) as string,
    });
    await expectNothing();
  });

  it('a mode that says that it is a file is none of our business', async () => {
    expect(await site.publish(CORP, 'v1.0.0', withMode(GOOD, 0o100755))).toMatchObject({ added: true });
  });

  it.each([
    [CORP, 'v1.0'],
    [CORP, 'v1.0.0+meta'],
    [CORP, 'v2.0.0'],
    [`${CORP}/v2`, 'v1.0.0'],
    [`${CORP}/v2`, 'v2.0.0+incompatible'],
    [CORP, 'v0.0.0-20240102030405-abcdefabcdef'],
  ])('%s@%s, before a byte is read', (at, version) => {
    expect(() => site.publishing.check(at, version)).toThrow(expect.objectContaining({ code: 'bad_upload' }));
  });

  it('version 2 without a go.mod', async () => {
    const zip = moduleZipOf(`${CORP}/v2`, 'v2.0.0', { 'go.mod': '' });
    await expect(site.publish(`${CORP}/v2`, 'v2.0.0', zip)).rejects.toMatchObject({ code: 'bad_upload' });
    await expectNothing('v2.0.0', `${CORP}/v2`);
  });

  it('a path that is not private', async () => {
    const zip = moduleZipOf('open.test/lib', 'v1.0.0');
    await expect(site.publish('open.test/lib', 'v1.0.0', zip)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('is not private here') as string,
    });
    await expectNothing('v1.0.0', 'open.test/lib');
  });

  it('anything, in a replica', async () => {
    await using replica = await PublishingSite.open({ sequencer: undefined });
    await expect(replica.publish(CORP, 'v1.0.0', GOOD)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('replica') as string,
    });
  });

  it('more than a module zip may have, as soon as it is more', async () => {
    let sent = 0;
    const endless = (async function* () {
      for (const chunk = Buffer.alloc(8 * 2 ** 20); ; sent += chunk.length) yield chunk;
    })();
    await expect(site.publish(CORP, 'v1.0.0', endless)).rejects.toMatchObject({ code: 'too_large' });
    expect(sent).toBeLessThanOrEqual(MAX_ZIP);
    await expectNothing();
  });

  it('an upload that is cut off', async () => {
    const cut = (async function* () {
      yield GOOD.subarray(0, 100);
      throw new GokeepError('bad_upload', 'broke off');
    })();
    await expect(site.publish(CORP, 'v1.0.0', cut)).rejects.toMatchObject({ message: 'broke off' });
    await expectNothing();
  });

  it('a full disk', async () => {
    await using full = await PublishingSite.open({ diskReserve: Number.MAX_SAFE_INTEGER });
    await expect(full.publish(CORP, 'v1.0.0', GOOD)).rejects.toMatchObject({ code: 'storage_full' });
    expect(await full.leftovers()).toEqual([]);
  });
});

describe('what an interrupted process left', () => {
  /** A version that is staged, as it is just before it is logged. */
  async function stage(zip: Buffer) {
    const staging = new Staging(site.directory);
    await using temporary = await site.store.openTemporary();
    await temporary.handle.writeFile(zip);
    return await staging.stage(
      { path: CORP, version: 'v1.0.0' },
      {
        zip: temporary,
        zipSynced: temporary.handle.sync(),
        mod: Buffer.from(`module ${CORP}\n\ngo 1.21\n`),
        info: Buffer.from('{"Version":"v1.0.0"}'),
      },
    );
  }

  const logged = async (zip: Buffer) =>
    site.sequencer.add({
      path: CORP,
      version: 'v1.0.0',
      zip: await h1(zip),
      mod: h1OfGoMod(Buffer.from(`module ${CORP}\n\ngo 1.21\n`)),
      provenance: { source: 'published', firstSeen: 1, evidence: undefined },
    });

  it('is dropped when it was not logged', async () => {
    await stage(GOOD);
    expect(await site.publishing.recover()).toEqual([]);
    await expectNothing();
  });

  it('is finished when it was logged', async () => {
    await stage(GOOD);
    await logged(GOOD);
    expect(await site.publishing.recover()).toMatchObject([{ path: CORP, version: 'v1.0.0' }]);
    expect(await site.store.read('zip', CORP, 'v1.0.0')).toEqual(GOOD);
    expect(site.hosted(CORP)).toEqual(['v1.0.0']);
    expect(await site.leftovers()).toEqual([]);
  });

  it('is dropped when it is not what was logged', async () => {
    await stage(OTHER);
    await logged(GOOD);
    expect(await site.publishing.recover()).toEqual([]);
    expect(await site.store.size('zip', CORP, 'v1.0.0')).toBeUndefined();
    expect(await site.leftovers()).toEqual([]);
  });

  it('is dropped when it is damaged, or cannot even be named', async () => {
    const { directory } = await stage(GOOD);
    await logged(GOOD);
    await writeFile(path.join(directory, 'zip'), (await readFile(path.join(directory, 'zip'))).subarray(9));
    await mkdir(path.join(site.directory, 'publish', 'half'));
    expect(await site.publishing.recover()).toEqual([]);
    expect(await site.store.size('zip', CORP, 'v1.0.0')).toBeUndefined();
    expect(await site.leftovers()).toEqual([]);
  });
});

describe('a yank', () => {
  it('is kept with its reason, and taken back', async () => {
    await site.publish(CORP, 'v1.0.0', GOOD);
    await site.yanking.yank(CORP, 'v1.0.0', ' it loses data ');
    expect(site.log.hosted.yanks(CORP)).toMatchObject([{ version: 'v1.0.0', reason: 'it loses data' }]);
    await site.yanking.yank(CORP, 'v1.0.0', 'it loses much data');
    expect(site.log.hosted.yanks(CORP)).toMatchObject([{ reason: 'it loses much data' }]);
    await site.yanking.unyank(CORP, 'v1.0.0');
    expect(site.log.hosted.yanks(CORP)).toEqual([]);
    expect(site.changes).toBe(4);
  });

  it.each([
    ['empty', ''],
    ['blank', '  '],
    ['two lines', 'a\nb'],
    ['an order to the terminal', 'a\u001b[2Jb'],
    ['written backwards', 'a\u202eb'],
    ['too long', 'x'.repeat(501)],
  ])('has a reason that can be shown, and is not %s', async (_, reason) => {
    await site.publish(CORP, 'v1.0.0', GOOD);
    await expect(site.yanking.yank(CORP, 'v1.0.0', reason)).rejects.toMatchObject({ code: 'bad_upload' });
  });

  it('is of a private version that is on record, and never in a replica', async () => {
    await expect(site.yanking.yank(CORP, 'v1.0.0', 'x')).rejects.toMatchObject({ code: 'not_found' });
    await expect(site.yanking.yank('open.test/x', 'v1.0.0', 'x')).rejects.toMatchObject({ code: 'refused' });
    await using replica = await PublishingSite.open({ sequencer: undefined });
    await expect(replica.yanking.unyank(CORP, 'v1.0.0')).rejects.toMatchObject({ code: 'refused' });
  });
});

/** The same zip, with another Unix mode for its first file. */
function withMode(zip: Buffer, mode: number): Buffer {
  const changed = Buffer.from(zip);
  const at = changed.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  changed.writeUInt8(3, at + 5);
  changed.writeUInt32LE((mode << 16) >>> 0, at + 38);
  return changed;
}
