import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClosedSite, inPieces } from './closed-site.ts';
import { ingredients, LEAF, MAIN, type Packed, pack, SigningDatabase } from './made-bundle.ts';

let made: Awaited<ReturnType<typeof ingredients>>;
let good: Packed;
let site: ClosedSite;

beforeEach(async () => {
  made = await ingredients();
  good = pack(made);
  site = await ClosedSite.for(made);
});

afterEach(() => site[Symbol.asyncDispose]());

/** The beginning of a bundle, to right behind a file; then the stick is pulled out. */
async function* pulledOut(behind: string): AsyncGenerator<Buffer> {
  const member = good.members.find(({ name }) => name === behind)!;
  const end = good.bytes.indexOf(member.body) + member.body.length + 512;
  yield* inPieces(good.bytes.subarray(0, end));
  // What was read before has to be hashed by then, as it would be from a slow medium.
  await new Promise((resolve) => setTimeout(resolve, 200));
  throw new Error('the stick was pulled out');
}

/** A bundle whose last bytes come when they may. */
async function* heldBack(until: Promise<void>): AsyncGenerator<Buffer> {
  yield good.bytes.subarray(0, -1);
  await until;
  yield good.bytes.subarray(-1);
}

/** Somebody who begins to send. */
async function* silent(until: Promise<void>): AsyncGenerator<Buffer> {
  yield good.bytes.subarray(0, 100);
  await until;
}

describe('an import', () => {
  it('of the same bundle again does nothing', async () => {
    expect(await site.import(good.bytes)).toMatchObject({ id: good.id, added: true });
    expect(site.hashed.toSorted()).toEqual([`${LEAF}@v1.0.0`, `${MAIN}@v1.1.0`]);
    expect(await site.import(good.bytes)).toMatchObject({ id: good.id, added: false });
    expect(site.commits).toEqual([good.id]);
    expect(site.hashed).toHaveLength(2);
    expect(await readdir(path.join(site.data, 'import'))).toEqual([]);
  });

  it('of a bundle whose base is missing names it, and goes after that one', async () => {
    const next = pack({ ...made, base: good.id });
    const { code, message } = await site.refusal(next.bytes);
    expect(code).toBe('bad_bundle');
    expect(message).toContain(`follows on bundle ${good.id}, which has not been imported here`);
    site.expectUnchanged();
    await site.import(good.bytes);
    expect(await site.import(next.bytes)).toMatchObject({ id: next.id, added: true });
  });

  it('beside another one is told to wait, and does not disturb it', async () => {
    let goOn = (): void => undefined;
    const first = site.bundles.run(heldBack(new Promise((resolve) => (goOn = resolve))));
    await expect.poll(() => existsSync(path.join(site.data, 'import', good.id))).toBe(true);
    await expect(site.import(good.bytes)).rejects.toMatchObject({ code: 'busy' });
    goOn();
    expect(await first).toMatchObject({ added: true });
    expect(site.commits).toEqual([good.id]);
  });

  it('is not kept waiting by who has sent no manifest yet, however many there are', async () => {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const senders = Array.from({ length: 15 }, () => site.bundles.run(silent(ended)).catch(() => undefined));
    expect(await site.import(good.bytes)).toMatchObject({ added: true });
    end();
    await Promise.all(senders);
    expect(await readdir(path.join(site.data, 'import'))).toEqual([]);
  });

  it('again brings back what was lost of the bundle since', async () => {
    await site.import(good.bytes);
    await site.store.discard('zip', MAIN, 'v1.1.0');
    expect(await site.import(good.bytes)).toMatchObject({ added: true });
    expect(await site.store.size('zip', MAIN, 'v1.1.0')).toBeGreaterThan(0);
    expect(await site.import(good.bytes)).toMatchObject({ added: false });
  });

  it('again brings back what an older bundle had, behind which newer ones came', async () => {
    await site.import(good.bytes);
    made.own.add('it grows\n');
    const files = new Map([...made.files].filter(([name]) => !name.startsWith('sumdb/own.test/')));
    const ids = Object.fromEntries(
      made.modules.map((each, at) => [`${each.path}@${each.version}`, 270 + at]),
    );
    const own = await made.own.addTo(files, ids);
    await site.import(pack({ ...made, files, databases: [own, made.databases[1]!] }).bytes);
    await site.store.discard('zip', MAIN, 'v1.1.0');
    const commits = [...site.commits];
    expect(await site.import(good.bytes)).toMatchObject({ added: true });
    expect(await site.store.size('zip', MAIN, 'v1.1.0')).toBeGreaterThan(0);
    expect(site.commits).toEqual(commits);
  });

  it('of a fork of a log that an earlier bundle gave a head of is refused, and so is an older head', async () => {
    await using other = await ClosedSite.for(made);
    await other.import(good.bytes);
    const modules = [...made.files].filter(([name]) => !name.startsWith('sumdb/'));
    const ids = (first: number) =>
      Object.fromEntries(
        made.modules.map(({ path: name, version }, at) => [`${name}@${version}`, first + at]),
      );
    const withLog = async (own: SigningDatabase, first: number) => {
      const files = new Map(modules);
      const databases = [await own.addTo(files, ids(first)), await made.second.addTo(files, ids(3))];
      return pack({ ...made, files, databases }).bytes;
    };
    made.own.add('it grows\n');
    await other.import(await withLog(made.own, 270));
    const fork = new SigningDatabase('own.test/sumdb', 1).fill(275, 'a fork');
    for (const module of made.modules) fork.addModule(module);
    const { message } = await other.refusal(await withLog(fork, 275));
    expect(message).toMatch(/SECURITY: own.test.sumdb: the bundle's tree head of 277 records contradicts/);
    expect(
      (await other.refusal(pack(made, { manifest: (m) => ({ ...m, tool: 'older' }) }).bytes)).message,
    ).toContain('is older than one of 273 that was seen before');
  });

  it('that was interrupted goes on where it was: a zip found good is not hashed again', async () => {
    await expect(site.bundles.run(pulledOut(`${LEAF}/@v/v1.0.0.zip`))).rejects.toThrow('pulled out');
    site.expectUnchanged();
    expect(site.hashed).toEqual([`${LEAF}@v1.0.0`]);
    expect(await site.import(good.bytes)).toMatchObject({ added: true });
    expect(site.hashed).toEqual([`${LEAF}@v1.0.0`, `${MAIN}@v1.1.0`]);
    for (const { path: modulePath, version, zip } of made.modules)
      expect((await site.store.read('zip', modulePath, version))?.equals(zip)).toBe(true);
  });

  it('that was interrupted anywhere leaves everything as it was', async () => {
    for (const { name } of good.members.filter(({ body }) => body.length > 0)) {
      await expect(site.bundles.run(pulledOut(name)), name).rejects.toThrow('pulled out');
      site.expectUnchanged();
    }
    expect(await site.import(good.bytes)).toMatchObject({ added: true });
  });

  it('of another bundle drops what an interrupted one left', async () => {
    await expect(site.bundles.run(pulledOut(`${LEAF}/@v/v1.0.0.zip`))).rejects.toThrow();
    const staged = path.join(site.data, 'import', good.id);
    expect(existsSync(staged)).toBe(true);
    const other = pack(made, { manifest: (manifest) => ({ ...manifest, tool: 'another' }) });
    await site.import(other.bytes);
    expect(existsSync(staged)).toBe(false);
  });

  it('for which there is no room is refused before anything is hashed', async () => {
    await using full = await ClosedSite.for(made, { diskReserve: 2 ** 60 });
    const { code, message } = await full.refusal(good.bytes);
    expect(code).toBe('storage_full');
    expect(message).toMatch(/needs 1 MiB .* make room and import it again/);
    expect(full.hashed).toEqual([]);
    full.expectUnchanged();
  });

  it('gives its stream back, whatever comes of it', async () => {
    let open = 0;
    async function* watched(bytes: Buffer) {
      open++;
      try {
        yield* inPieces(bytes);
      } finally {
        open--;
      }
    }
    await using full = await ClosedSite.for(made, {
      diskReserve: 2 ** 60,
    });
    await full.refusal(watched(good.bytes));
    expect(open).toBe(0);
    await site.refusal(watched(pack({ ...made, base: '0'.repeat(32) }).bytes));
    expect(open).toBe(0);
    await site.bundles.run(watched(good.bytes));
    await site.bundles.run(watched(good.bytes));
    expect(open).toBe(0);
  });
});
