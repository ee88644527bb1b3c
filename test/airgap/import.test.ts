import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClosedSite, inPieces } from './closed-site.ts';
import { ingredients, LEAF, MAIN, type Packed, pack } from './made-bundle.ts';

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

describe('an import', () => {
  it('of the same bundle again does nothing', async () => {
    expect(await site.import(good.bytes)).toMatchObject({ id: good.id, added: true });
    expect(site.hashed.toSorted()).toEqual([`${LEAF}@v1.0.0`, `${MAIN}@v1.1.0`]);
    expect(await site.import(good.bytes)).toMatchObject({ id: good.id, added: false });
    expect(site.commits).toEqual([good.id]);
    expect(site.hashed).toHaveLength(2);
    expect(await readdir(path.join(site.data, 'import'))).toEqual(['entries']);
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
    const first = site.import(good.bytes);
    await expect(site.import(good.bytes)).rejects.toMatchObject({ code: 'busy' });
    expect(await first).toMatchObject({ added: true });
    expect(site.commits).toEqual([good.id]);
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
