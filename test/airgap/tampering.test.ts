import { createHash } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatHeader, padding } from '../../src/airgap/tar.ts';
import { openNote, signNote } from '../../src/note/note.ts';
import { generateKey, parseSigner } from '../../src/note/signer.ts';
import { ClosedSite } from './closed-site.ts';
import { archive, ingredients, type Member, type Packed, pack } from './made-bundle.ts';

let good: Packed;
let site: ClosedSite;
let made: Awaited<ReturnType<typeof ingredients>>;
/** Where each file begins, header first, and where its body and its padding do. */
let places: { name: string; header: number; body: number; pad: number; end: number }[];

beforeAll(async () => {
  made = await ingredients();
  good = pack(made);
  site = await ClosedSite.for(made);
  let at = 0;
  places = good.members.map(({ name, body }) => {
    const header = at;
    const start = header + formatHeader({ name, size: body.length }).length;
    const pad = start + body.length;
    at = pad + padding(body.length);
    return { name, header, body: start, pad, end: at };
  });
});

afterAll(async () => {
  // Nothing of all this stands in the way of the good one.
  site.expectUnchanged();
  expect(await site.verify(good.bytes)).toEqual([]);
  expect(await site.import(good.bytes)).toMatchObject({
    id: good.id,
    added: true,
    facts: { zips: 2, mods: 2 },
  });
  expect(site.commits).toEqual([good.id]);
  expect(site.receipts.ids()).toEqual([good.id]);
  for (const { path, version, zip } of made.modules)
    expect((await site.store.read('zip', path, version))?.equals(zip)).toBe(true);
  expect(await site.import(good.bytes)).toMatchObject({ added: false, facts: { files: 0 } });
  expect(site.commits).toEqual([good.id]);
  await site[Symbol.asyncDispose]();
});

const members = () => good.members.map((member): Member => ({ ...member }));
const indexOf = (suffix: string) => good.members.findIndex(({ name }) => name.endsWith(suffix));

describe('bytes', () => {
  it('cut off anywhere are refused, with the file named', async () => {
    for (const { name, header, body, pad, end } of places) {
      const behind = places[places.findIndex((place) => place.name === name) - 1]?.name;
      for (const at of new Set([header, header + 100, header + 511])) {
        const error = await site.refusal(good.bytes.subarray(0, at));
        expect(error.message).toMatch(/cut off|ends before/);
        expect(error.message).toContain(behind ?? 'at its beginning');
      }
      for (const at of new Set([body, Math.floor((body + pad) / 2), pad - 1, pad, end - 1])) {
        if (at < body || at >= end) continue;
        const error = await site.refusal(good.bytes.subarray(0, at));
        expect(error.code).toBe('bad_bundle');
        expect(error.message).toContain(name);
      }
    }
    const { length } = good.bytes;
    for (const less of [1, 511, 512, 513, 1023, 1024])
      await site.refuses(good.bytes.subarray(0, length - less), /damaged|cut off/);
    site.expectUnchanged();
  });

  it('behind the end are refused', async () => {
    for (const more of [
      Buffer.alloc(1),
      Buffer.alloc(512),
      Buffer.alloc(10_240),
      Buffer.from('x'),
      good.bytes,
    ])
      await site.refuses(Buffer.concat([good.bytes, more]), /more bytes behind its end/);
  });

  it('with one bit flipped are refused, wherever it is', async () => {
    const { length } = good.bytes;
    const positions = new Set<number>();
    for (let at = 0; at < length; at += 149) positions.add(at);
    for (const { header, body, pad, end } of places)
      for (const at of [
        header,
        header + 105,
        header + 124,
        header + 150,
        header + 156,
        header + 300,
        body,
        pad,
        end - 1,
      ])
        if (at < length) positions.add(at);
    for (let at = length - 1024; at < length; at += 100) positions.add(at);
    for (const at of positions) {
      const bytes = Buffer.from(good.bytes);
      bytes[at]! ^= 1 << (at % 8);
      const { code } = await site.refusal(bytes).catch((error: unknown) => {
        throw new Error(`bit ${at % 8} of byte ${at}`, { cause: error });
      });
      expect(code).toBe('bad_bundle');
    }
    site.expectUnchanged();
  });

  it('in the padding of a file are refused', async () => {
    const place = places.find(({ pad, end }) => pad < end)!;
    const bytes = Buffer.from(good.bytes);
    bytes[place.pad] = 1;
    await site.refuses(bytes, new RegExp(`behind ${place.name}`));
  });

  it('compressed are taken off whole or refused', async () => {
    const packed = zstdCompressSync(good.bytes);
    expect(await site.verify(packed)).toEqual([]);
    for (const cut of [1, 4, 5, 100, packed.length >> 1, packed.length - 5, packed.length - 1])
      await site.refuses(packed.subarray(0, cut), /./);
    const skippable = Buffer.from('502a4d18040000006576696c', 'hex');
    const more = [packed, Buffer.from('x'), packed.subarray(0, 3), Buffer.alloc(100_000), skippable];
    for (const each of more) await site.refuses(Buffer.concat([packed, each]), /more bytes behind its end/);
    const flipped = Buffer.from(packed);
    flipped[packed.length >> 1]! ^= 1;
    await site.refuses(flipped, /./);
  });

  it('of other kinds are no bundle', async () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('<!DOCTYPE html>'),
      Buffer.alloc(1024),
      Buffer.alloc(4096, 'x'),
    ])
      await site.refuses(bytes, /bundle/);
  });
});

describe('files', () => {
  it('in another order, missing, added or twice are refused', async () => {
    for (const at of [2, 5, good.members.length - 2]) {
      const swapped = members();
      [swapped[at], swapped[at + 1]] = [swapped[at + 1]!, swapped[at]!];
      await site.refuses(archive(swapped), new RegExp(`has ${good.members[at + 1]!.name} behind`));
      await site.refuses(archive(members().toSpliced(at, 1)), new RegExp(good.members[at]!.name));
      await site.refuses(
        archive(members().toSpliced(at, 0, members()[at]!)),
        new RegExp(good.members[at]!.name),
      );
      const other = { name: 'example.test/added/@v/v1.0.0.mod', body: Buffer.from('module m\n') };
      await site.refuses(archive(members().toSpliced(at, 0, other)), /has example\.test\/added/);
    }
    const other = { name: 'example.test/zzz/@v/v1.0.0.mod', body: Buffer.from('module m\n') };
    await site.refuses(archive([...members(), other]), /zzz.* its manifest does not name/);
    await site.refuses(archive(members().slice(0, -1)), /ends before example\.test\/tree/);
    await site.refuses(archive(members().slice(0, 1)), /ends before its list of files/);
    await site.refuses(archive(members().toReversed()), /no bundle/);
  });

  it('of another kind than a plain one are refused', async () => {
    const at = indexOf('tree/@v/v1.1.0.mod');
    const plain = formatHeader({ name: good.members[at]!.name, size: good.members[at]!.body.length });
    const spoilt = (change: (header: Buffer) => void) => {
      const header = Buffer.from(plain);
      change(header);
      header.write('        ', 148);
      const sum = header.reduce((total, byte) => total + byte, 0);
      header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
      const all = members();
      all[at]!.header = header;
      return archive(all);
    };
    for (const type of ['1', '2', '3', '4', '5', '6', '7', 'g', 'x', 'L', 'K', 'S', '\0'])
      await site.refuses(
        spoilt((header) => header.write(type, 156)),
        /damaged|cut off/,
      );
    for (const [what, from, text] of [
      ['mode', 100, '0000755\0'],
      ['setuid', 100, '0004644\0'],
      ['uid', 108, '0000001\0'],
      ['gid', 116, '0000001\0'],
      ['mtime', 136, '00000000001\0'],
      ['link', 157, '/etc/passwd'],
      ['magic', 257, 'ustar  \0'],
      ['user', 265, 'root'],
      ['device', 329, '0000001\0'],
      ['size in base 256', 124, '\x80\0\0\0\0\0\0\0\0\0\0\x01'],
      ['size of eight GiB', 124, '77777777777\0'],
      ['size with blanks', 124, '        123\0'],
      ['absolute name', 0, '/etc/passwd\0'],
      ['climbing name', 0, '../../etc/passwd\0'],
      ['blank in name', 0, 'a b\0'],
      ['rest behind a size', 500, 'x'],
    ] as const) {
      await site
        .refuses(
          spoilt((header) => header.write(text, from, 'latin1')),
          /damaged|has \S+ behind|cut off|its bytes are not those/,
        )
        .catch((error: unknown) => {
          throw new Error(what, { cause: error });
        });
    }
  });

  it('with names that climb out are refused even when they are signed', async () => {
    const hostile = [
      '../evil',
      '/etc/passwd',
      'sumdb/own.test/sumdb/../../../evil',
      'sumdb/unknown.test/latest',
      'example.test/../@v/v1.0.0.mod',
      'example.test/Upper/@v/v1.0.0.mod',
      'example.test/x/@v/v1.0.0.ziphash',
      'vulndb/../evil',
      'vulndb/../../../../evil',
      'vulndb//evil',
      'vulndb/a/./b',
      'vulndb/',
      'vulndb/a\\b',
    ];
    for (const name of hostile) {
      const { files, ...rest } = await ingredients();
      files.set(name, Buffer.from('module evil\n'));
      await site
        .refuses(pack({ ...rest, files }).bytes, /is not the name of a file that a bundle holds/)
        .catch((error: unknown) => {
          throw new Error(name, { cause: error });
        });
    }
  });
});

describe('a manifest', () => {
  const withNote = (note: Buffer) => {
    const all = members();
    all[0]!.body = note;
    return archive(all);
  };

  it('signed by nobody who is trusted is refused, and who it says it is from is named', async () => {
    const stranger = generateKey('stranger.test', Buffer.alloc(32, 9));
    const { text } = openNote(good.members[0]!.body, [made.own.verifier]);
    await site.refuses(withNote(signNote(text, [parseSigner(stranger.skey)])), /not signed.*stranger\.test/);
    const imposter = generateKey('own.test/sumdb', Buffer.alloc(32, 9));
    await site.refuses(withNote(signNote(text, [parseSigner(imposter.skey)])), /not signed/);
    await site.refuses(withNote(Buffer.from(text)), /not signed/);
    // A key that may prove records, but not bring bundles.
    await site.refuses(pack({ ...made, skey: made.second.skey }).bytes, /not signed.*public\.test/);
  });

  it('altered in any word is refused', async () => {
    const note = good.members[0]!.body.toString();
    for (const [from, to] of [
      ['gokeep bundle v1', 'gokeep bundle v2'],
      ['tool gokeep test', 'tool gokeep Test'],
      ['head own.test/sumdb 272', 'head own.test/sumdb 271'],
      ['entries ', 'entries 1'],
      ['database public.test', 'database publik.test'],
    ] as const) {
      expect(note).toContain(from);
      await site.refuses(withNote(Buffer.from(note.replace(from, to))), /manifest/);
    }
  });

  it('under another id, or too large, is refused', async () => {
    const all = members();
    all[0]!.name = `bundles/${'0'.repeat(32)}/manifest`;
    await site.refuses(archive(all), /has bundles\/0+\/manifest where bundles/);
    const list = members();
    list[1]!.name = `bundles/${'0'.repeat(32)}/entries`;
    await site.refuses(archive(list), /has bundles\/0+\/entries where bundles/);
    await site.refuses(withNote(Buffer.alloc(16 * 2 ** 20 + 1, 'x')), /no bundle/);
  });

  it('with another list of files is refused', async () => {
    const all = members();
    const text = all[1]!.body.toString();
    all[1]!.body = Buffer.from(text.replace(' log ', ' gol '));
    await site.refuses(archive(all), /entries: its bytes are not those/);
    all[1]!.body = Buffer.from(`${text}\n`);
    await site.refuses(archive(all), /entries: its bytes are not those/);
  });

  it('whose list is out of order, twice, or of another count is refused', async () => {
    await site.refuses(pack(made, { entries: (all) => all.toReversed() }).bytes, /not in order/);
    await site.refuses(pack(made, { entries: (all) => [all[0]!, ...all] }).bytes, /not in order/);
    const lying = pack(made, {
      manifest: (m) => ({ ...m, entries: { ...m.entries, count: m.entries.count + 1 } }),
    });
    await site.refuses(lying.bytes, /not the one that its manifest describes/);
    const sha256 = createHash('sha256').update('other').digest('hex');
    const wrong = pack(made, {
      entries: (all) => all.map((each, n) => (n === 5 ? { ...each, sha256 } : each)),
    });
    await site.refuses(wrong.bytes, new RegExp(`${good.members[7]!.name}: its bytes are not those`));
  });
});
