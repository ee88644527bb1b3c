import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { partName } from '../../src/airgap/archive.ts';
import { writeArchive } from '../../src/airgap/bundle-writer.ts';
import { readInputs } from '../../src/airgap/want/read-inputs.ts';
import { chainOfThree, LATE, ONLY_MOD, unpack } from './chain.ts';
import { ClosedSite } from './closed-site.ts';
import { ingredients, LEAF, MAIN, type Member, pack, type Packed } from './made-bundle.ts';

let made: Awaited<ReturnType<typeof chainOfThree>>;
let first: Packed;
let second: Packed;
let third: Packed;
let site: ClosedSite;
const at = (...names: string[]) => path.join(site.data, ...names);

beforeAll(async () => {
  made = await chainOfThree();
  [first, second, third] = made.bundles;
});

beforeEach(async () => {
  site = await ClosedSite.open([made.own.verifier], [made.own.verifier, made.second.verifier]);
});

afterEach(() => site[Symbol.asyncDispose]());

const problems = async (...of: Parameters<ClosedSite['verified']>) => (await site.verified(...of)).problems;

const kindOf = (name: string) =>
  /^sumdb\/.*\/(lookup|tile|latest|supported)\b/.exec(name)?.[1] ?? /(\.[a-z]+|list|latest)$/.exec(name)?.[1];

async function written({ id, bytes }: Packed): Promise<string> {
  await writeFile(at(`${id}.tar`), bytes);
  return at(`${id}.tar`);
}

describe('verify of a directory', () => {
  it('with one bundle, or with a chain of them unpacked over each other, checks every file in it', async () => {
    const share = await unpack(at('share'), first);
    const alone = await site.verified(share);
    expect(alone).toMatchObject({
      id: first.id,
      chain: [first.id],
      problems: [],
      facts: { zips: 2, mods: 3 },
    });
    await unpack(share, second);
    expect(await problems(share)).toEqual([]);
    await unpack(share, third);
    site.hashed.length = 0;
    const { facts, ...all } = await site.verified(share);
    expect(all).toMatchObject({ id: third.id, chain: [first.id, second.id, third.id], problems: [] });
    expect(facts).toMatchObject({ zips: 5, mods: 6 });
    expect(site.hashed.toSorted()).toEqual(
      [
        `${LATE}@v1.0.0`,
        `${LEAF}@v1.0.0`,
        `${LEAF}@v1.2.0`,
        `${ONLY_MOD}@v1.0.0`,
        `${MAIN}@v1.1.0`,
      ].toSorted(),
    );
    const names = [first, second, third].flatMap(({ members }) => members.slice(2).map(({ name }) => name));
    expect(facts?.files).toBe(new Set(names).size);
  });

  it('names a file that is missing or altered, of whichever bundle and kind it is', async () => {
    const share = await unpack(at('share'), first, second, third);
    // One of each kind that no later bundle names too.
    const left = new Map<string, Member>();
    for (const [n, { members }] of made.bundles.entries()) {
      const later = new Set(
        made.bundles.slice(n + 1).flatMap((each) => each.members.map(({ name }) => name)),
      );
      for (const member of members.slice(2))
        if (!later.has(member.name)) left.set(`${n} ${kindOf(member.name)}`, member);
    }
    expect([...left.keys()].filter((kind) => kind.startsWith('0'))).toEqual(
      expect.arrayContaining(['0 lookup', '0 tile', '0 .mod', '0 .zip', '0 .info', '0 list']),
    );
    for (const { name, body } of left.values()) {
      const file = path.join(share, name);
      await rm(file);
      expect(await problems(share), name).toContain(`${name}: is missing`);
      if (body.length > 0) {
        const other = Buffer.from(body);
        other[body.length >> 1]! ^= 1;
        await writeFile(file, other);
        expect((await problems(share)).join('\n'), name).toContain(name);
      }
      await writeFile(file, body);
    }
    expect(await problems(share)).toEqual([]);
  });

  it('goes on behind a missing file, and names all of them', async () => {
    const share = await unpack(at('share'), first, second, third);
    const gone = [`${LEAF}/@v/v1.0.0.zip`, `${LEAF}/@v/v1.2.0.zip`, `${MAIN}/@v/v1.1.0.info`];
    for (const name of gone) await rm(path.join(share, name));
    expect((await problems(share)).toSorted()).toEqual(gone.map((name) => `${name}: is missing`).toSorted());
  });

  it('refuses a file that an older bundle says and a newer one has replaced', async () => {
    const share = await unpack(at('share'), first, second);
    const list = `${LEAF}/@v/list`;
    await writeFile(path.join(share, list), first.members.find(({ name }) => name === list)!.body);
    expect(await problems(share)).toEqual([`${list}: has another size than the manifest says`]);
  });

  it('whose first bundle lies elsewhere takes what is here, after that one too', async () => {
    const share = await unpack(at('share'), second, third);
    expect(await problems(share)).toEqual([]);
    expect(await problems(share, { after: [await written(first)] })).toEqual([]);
    expect(await problems(share, { after: [await unpack(at('other'), first, second)] })).toEqual([]);
    const alone = await unpack(at('alone'), third);
    expect(await problems(alone, { after: [await written(first)] })).toEqual([
      `this bundle does not follow on the one given as earlier, but on ${second.id}`,
    ]);
  });

  it('refuses bundles that do not follow on each other', async () => {
    const share = await unpack(at('share'), first, third);
    expect((await problems(share)).join('\n')).toMatch(/do not follow on each other/);
    expect(await problems(at())).toEqual([expect.stringMatching(/holds no bundle/)]);
  });

  it('finds all there that a program needs, whichever bundle brought it', async () => {
    const share = await unpack(at('share'), first, second, third);
    const project = at('project');
    await mkdir(project);
    const goMod = `module corp.test/main\n\ngo 1.21\n\nrequire (\n\t${MAIN} v1.1.0\n\t${LEAF} v1.2.0\n)\n`;
    await writeFile(path.join(project, 'go.mod'), goMod);
    const inputs = await readInputs([project], '/');
    expect(await site.verified(share, { inputs })).toMatchObject({
      problems: [],
      complete: expect.any(Number),
    });
    const fewer = await unpack(at('fewer'), second, third);
    expect((await problems(fewer, { inputs })).join('\n')).toContain(`${MAIN}/@v/v1.1.0.mod`);
    expect(await problems(fewer, { inputs, after: [await unpack(at('other'), first)] })).toEqual([]);
  });
});

describe('verify after earlier bundles', () => {
  it('takes the one that follows on them, and says of another that it does not', async () => {
    const after = [await written(first)];
    expect(await problems(await written(second), { after })).toEqual([]);
    expect(await problems(await written(third), { after: [...after, await written(second)] })).toEqual([]);
    expect(await problems(await written(third), { after })).toEqual([
      `this bundle does not follow on the one given as earlier, but on ${second.id}`,
    ]);
    expect(await problems(await written(third), { after: [await written(second)] })).toEqual([
      expect.stringContaining(`follows on bundle ${first.id}, which was not given`),
    ]);
  });
});

describe('verify of an archive that breaks off', () => {
  it.each([['plain'], ['compressed']])('says what was wrong before the break too (%s)', async (form) => {
    const spoilt = await ingredients();
    const leafZip = `${LEAF}/@v/v1.0.0.zip`;
    spoilt.files.set(`${LEAF}/@v/v1.0.0.mod`, Buffer.from('module other\n'));
    spoilt.files.set(leafZip, Buffer.from('no zip'));
    spoilt.files.set('vulndb/index/db.json', randomBytes(2 ** 20));
    const { bytes } = pack(spoilt);
    const file = at('broken.tar');
    await writeFile(file, (form === 'plain' ? bytes : zstdCompressSync(bytes)).subarray(0, -50_000));
    const { facts, problems: found } = await site.verified(file);
    expect(facts).toBeUndefined();
    const text = found.join('\n');
    expect(text).toMatch(/leaf\/@v\/v1\.0\.0\.mod: SECURITY/);
    expect(text).toContain(`${leafZip}: `);
    expect(text).toMatch(/cut off/);
  });
});

describe('verify of split parts', () => {
  const split = async (bytes: Buffer, count: number) => {
    const size = Math.ceil(bytes.length / count);
    for (let n = 0; n < count; n++)
      await writeFile(partName(at('split.tar'), n + 1), bytes.subarray(n * size, (n + 1) * size));
  };
  const part = (n: number) => partName(at('split.tar'), n);

  it('reads them as one', async () => {
    await split(first.bytes, 3);
    await writeFile(at('split.tar.0002'), 'no part');
    expect(await problems(part(1))).toEqual([]);
    await split(zstdCompressSync(first.bytes), 3);
    expect(await problems(part(1))).toEqual([]);
    await writeFile(part(2), (await readFile(part(2))).subarray(1));
    expect(await problems(part(1))).not.toEqual([]);
  });

  it('names one that is missing in between', async () => {
    await split(first.bytes, 5);
    await rm(part(3));
    await rm(part(4));
    expect(await problems(part(1))).toEqual([
      `${part(3)}: is missing, while split.tar.005 is there; put all parts of the bundle into one directory`,
    ]);
    await rm(part(1));
    expect(await problems(part(1))).toEqual([expect.stringContaining(`${part(1)}: is missing`)]);
  });

  it('says of one without its last part that it is cut off', async () => {
    await split(first.bytes, 3);
    await rm(part(3));
    expect((await problems(part(1))).join('\n')).toMatch(/cut off/);
  });
});

describe('an archive that is written in parts', () => {
  it('leaves none of an earlier one that had more, and nothing else is touched', async () => {
    const kept = [
      'split.tar',
      'split.tar.1',
      'split.tar.0003',
      'split.tar.txt',
      'split.tar.004.bak',
      'other.tar.004',
    ];
    const stale = [3, 4, 7, 1000].map((n) => path.basename(partName('split.tar', n)));
    for (const name of [...kept, ...stale]) await writeFile(at(name), 'old');
    const body = Buffer.alloc(1000);
    const file = { path: 'a', size: body.length, disk: null, body };
    const names = await writeArchive([file], { output: at('split.tar'), split: 1500 }, () => undefined);
    expect(names).toEqual([partName(at('split.tar'), 1), partName(at('split.tar'), 2)]);
    for (const name of kept) expect(existsSync(at(name)), name).toBe(true);
    for (const name of stale) expect(existsSync(at(name)), name).toBe(false);
  });
});
