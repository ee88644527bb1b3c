import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatBundlePath } from '../../src/airgap/bundle-path.ts';
import { formatGoSumRecord } from '../../src/tlog/go-sum-record.ts';
import type { TreeHead } from '../../src/tlog/tree-note.ts';
import { makeModule } from '../world/modules.ts';
import { ClosedSite } from './closed-site.ts';
import { ingredients, LEAF, MAIN, pack, SigningDatabase } from './made-bundle.ts';

/** Bundles whose manifest is signed by the trusted key, and which say what is not so. */
let made: Awaited<ReturnType<typeof ingredients>>;
let site: ClosedSite;
const OTHER_H1 = `h1:${Buffer.alloc(32, 7).toString('base64')}`;

beforeEach(async () => {
  made = await ingredients();
  site = await ClosedSite.for(made);
});

afterEach(async () => {
  const good = pack(await ingredients());
  site.expectUnchanged();
  site.seen.clear();
  expect(await site.import(good.bytes)).toMatchObject({ added: true });
  expect(site.commits).toEqual([good.id]);
  await site[Symbol.asyncDispose]();
});

const refuses = (sentence: RegExp) => site.refuses(pack(made).bytes, sentence);
const nameOf = (kind: 'info' | 'mod' | 'zip', path = MAIN, version = 'v1.1.0') =>
  formatBundlePath({ kind, path, version });
const lookupOf = (path: string, version: string, database = made.own.name) =>
  formatBundlePath({ kind: 'lookup', database, path, version });

describe('files of modules', () => {
  it('whose bytes are not those of their record are refused', async () => {
    const evil = await makeModule({ path: MAIN, version: 'v1.1.0', files: { 'evil.go': 'package tree\n' } });
    const good = made.files.get(nameOf('zip'))!;
    made.files.set(nameOf('zip'), evil.zip);
    await refuses(/tree\/@v\/v1\.1\.0\.zip: SECURITY: it has h1:/);
    made.files.set(nameOf('zip'), Buffer.from('no zip'));
    await refuses(/tree\/@v\/v1\.1\.0\.zip: .*refused/);
    made.files.set(nameOf('zip'), good);
    made.files.set(nameOf('mod'), Buffer.from(`module ${MAIN}\n`));
    await refuses(/tree\/@v\/v1\.1\.0\.mod: SECURITY: it has h1:/);
  });

  it('that no database proves are refused', async () => {
    const more = await makeModule({ path: 'example.test/more', version: 'v1.0.0' });
    made.files.set(nameOf('zip', more.path, more.version), more.zip);
    await refuses(/more\/@v\/v1\.0\.0\.zip: no checksum database in the bundle proves anything/);
    made.files.delete(nameOf('zip', more.path, more.version));
    made.files.set(nameOf('mod', more.path, more.version), Buffer.from(more.mod));
    await refuses(/more\/@v\/v1\.0\.0\.mod: no checksum database/);
    for (const name of made.files.keys()) if (name.startsWith('sumdb/')) made.files.delete(name);
    made.databases = [];
    await refuses(/no checksum database/);
  });

  it('that say something else than their names are refused', async () => {
    made.files.set(nameOf('info'), Buffer.from(JSON.stringify({ Version: 'v1.2.0' })));
    await refuses(/tree\/@v\/v1\.1\.0\.info: /);
    made.files.set(nameOf('info'), Buffer.from('not json'));
    await refuses(/tree\/@v\/v1\.1\.0\.info: /);
    made = await ingredients();
    made.files.set(formatBundlePath({ kind: 'list', path: LEAF }), Buffer.from('<!DOCTYPE html>'));
    await refuses(/leaf\/@v\/list: .*web page/);
    made.files.set(formatBundlePath({ kind: 'latest', path: LEAF }), Buffer.from('<html>'));
    await refuses(/leaf\/@latest: .*web page/);
  });
});

describe('proofs', () => {
  it('that go would not ask for are refused', async () => {
    for (const name of ['sumdb/own.test/sumdb/supported', 'sumdb/public.test/supported']) {
      made = await ingredients();
      made.files.delete(name);
      await refuses(new RegExp(`${name} is missing`));
    }
  });

  it('whose records are not in the tree are refused', async () => {
    const evil = formatGoSumRecord(MAIN, 'v1.1.0', OTHER_H1, OTHER_H1);
    const note = made.files.get('sumdb/own.test/sumdb/latest')!;
    made.files.set(lookupOf(MAIN, 'v1.1.0'), made.own.lookup(271, note, evil));
    await refuses(
      /lookup\/example\.test\/tree@v1\.1\.0: the tree of own\.test\/sumdb does not have this record/,
    );
    made.files.set(lookupOf(MAIN, 'v1.1.0'), made.own.lookup(272, note, evil));
    await refuses(/tree@v1\.1\.0: .*beyond the end of the tree/);
    made.files.set(lookupOf(MAIN, 'v1.1.0'), made.own.lookup(270, note));
    await refuses(/another lookup in own\.test\/sumdb with its number|does not hold/);
    made.files.delete(lookupOf(LEAF, 'v1.0.0'));
    await refuses(/tree@v1\.1\.0: .*does not hold/);
    made.files.set(lookupOf(MAIN, 'v1.1.0'), Buffer.from('no record'));
    await refuses(/lookup\/example\.test\/tree@v1\.1\.0: /);
  });

  it('under another head than the manifest names are refused', async () => {
    const older = made.own.note(await made.own.head(271));
    made.files.set(lookupOf(LEAF, 'v1.0.0'), made.own.lookup(270, older));
    await refuses(/leaf@v1\.0\.0: it does not carry the tree head of this bundle/);
    made.files.set('sumdb/own.test/sumdb/latest', older);
    await refuses(/latest: it is not the tree head that the manifest names/);
    made.files.delete('sumdb/own.test/sumdb/latest');
    await refuses(/latest/);
    const stranger = new SigningDatabase('own.test/sumdb', 9);
    made.files.set('sumdb/own.test/sumdb/latest', stranger.note(await made.own.head()));
    await refuses(/latest: /);
  });

  it('with a tile altered, missing or of another width are refused', async () => {
    const tiles = [...made.own.tiles()];
    expect(tiles.map(([name]) => name)).toEqual([
      'sumdb/own.test/sumdb/tile/8/0/000',
      'sumdb/own.test/sumdb/tile/8/0/001.p/16',
      'sumdb/own.test/sumdb/tile/8/1/000.p/1',
    ]);
    for (const [name, body] of tiles) {
      for (const at of [0, body.length - 1]) {
        const altered = Buffer.from(body);
        altered[at]! ^= 1;
        made.files.set(name, altered);
        await refuses(/tile\/8\//);
      }
      made.files.set(name, body.subarray(32));
      await refuses(new RegExp(`${name}: it is no tile of the tree`));
      made.files.set(name, body);
    }
    made.files.delete('sumdb/own.test/sumdb/tile/8/0/001.p/16');
    await refuses(/the bundle lacks sumdb\/own\.test\/sumdb\/tile\/8\/0\/001\.p\/16/);
    made.files.set('sumdb/own.test/sumdb/tile/8/0/001.p/15', tiles[1]![1].subarray(0, 15 * 32));
    await refuses(/001\.p\/15: it is no tile of the tree/);
  });

  it('with a tile too many are refused', async () => {
    for (const name of [
      'tile/8/0/002',
      'tile/8/0/001',
      'tile/8/2/000.p/1',
      'tile/8/data/000',
      'tile/4/0/000',
    ]) {
      const { files } = await ingredients();
      made = { ...made, files };
      files.set(`sumdb/own.test/sumdb/${name}`, Buffer.alloc(256 * 32));
      await refuses(new RegExp(`sumdb/own\\.test/sumdb/${name}"?:? .*is no`));
    }
  });

  it('that say that a database is not supported are refused', async () => {
    made.files.set('sumdb/public.test/supported', Buffer.from('no'));
    await refuses(/sumdb\/public\.test\/supported: it has to be empty/);
  });

  it('of a database whose key is not known are refused', async () => {
    const unknown = new SigningDatabase('unknown.test', 4).fill(3);
    made.databases.push(await unknown.addTo(made.files, {}));
    await refuses(/proofs of unknown\.test, whose key is not known here/);
  });

  it('of two databases that disagree are refused, also of a version whose zip is not in the bundle', async () => {
    const records = [
      [made.own, OTHER_H1],
      [made.second, `h1:${Buffer.alloc(32, 8).toString('base64')}`],
    ] as const;
    const more = await makeModule({ path: 'example.test/more', version: 'v1.0.0' });
    made.databases = [];
    for (const name of made.files.keys()) if (name.startsWith('sumdb/')) made.files.delete(name);
    for (const [database, zip] of records) {
      const id = database.addModule({ ...more, h1: { ...more.h1, zip } });
      const first = id - 2;
      made.databases.push(
        await database.addTo(made.files, {
          [`${LEAF}@v1.0.0`]: first,
          [`${MAIN}@v1.1.0`]: first + 1,
          'example.test/more@v1.0.0': id,
        }),
      );
    }
    await refuses(/SECURITY: .*example\.test\/more@v1\.0\.0/);
    made.files.set(nameOf('mod', more.path, more.version), Buffer.from(more.mod));
    await refuses(/SECURITY: .*example\.test\/more@v1\.0\.0/);
    made.files.set(nameOf('zip', more.path, more.version), more.zip);
    await refuses(/SECURITY: .*example\.test\/more@v1\.0\.0/);
  });
});

describe('heads', () => {
  it('older than one that was seen are refused', async () => {
    const later = new SigningDatabase('own.test/sumdb', 1).fill(300);
    site.seen.set('own.test/sumdb', [await later.head()]);
    const { message } = await site.refusal(pack(made).bytes);
    expect(message).toMatch(
      /own\.test\/sumdb: the bundle's tree head of 272 records is older than one of 300/,
    );
  });

  it('of a fork are refused, and the sentence says so', async () => {
    for (const size of [100, 256, 271, 272]) {
      const fork = new SigningDatabase('own.test/sumdb', 1).fill(size, 'forked');
      site.seen.set('own.test/sumdb', [await fork.head()]);
      const { message } = await site.refusal(pack(made).bytes);
      expect(message).toMatch(/^SECURITY: own\.test\/sumdb: .* one of the two is a fork/);
    }
    site.expectUnchanged();
    for (const size of [1, 100, 256, 271]) site.seen.set('own.test/sumdb', [await made.own.head(size)]);
  });

  it('that the manifest calls earlier and that are not how the tree began are refused', async () => {
    const [own, ...others] = made.databases;
    const withEarlier = (earlier: TreeHead[]) => {
      made.databases = [{ ...own!, earlier }, ...others];
    };
    const fork = new SigningDatabase('own.test/sumdb', 1).fill(100, 'forked');
    withEarlier([await made.own.head(50), await fork.head()]);
    await refuses(/SECURITY: own\.test\/sumdb: .* contradicts one of 100 records/);
    withEarlier([await made.own.head(50), await made.own.head(270)]);
    expect(await site.verify(pack(made).bytes)).toEqual([]);
  });
});
